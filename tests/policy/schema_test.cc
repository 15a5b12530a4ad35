#include "rules/policy/schema.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/json.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A constraint with these parameters.
document::Value WithParameters(Documents& documents, const std::string& parameters) {
  return documents.Yaml(
      "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Probe, metadata: {name: a}, spec: "
      "{parameters: " +
      parameters + "}}");
}

std::vector<std::string> Errors(const std::string& schema, const std::string& parameters) {
  Documents documents;
  const Template of = MakeTemplate(documents.Yaml(schema));
  if (of.schema == nullptr) {
    return {"no schema"};
  }
  return of.schema->Validate(WithParameters(documents, parameters));
}

TEST(SchemaTest, WhatFitsPasses) {
  EXPECT_THAT(Errors("{type: object, properties: {a: {type: array, items: {type: string}}}}",
                     "{a: [x, z]}"),
              IsEmpty());
  EXPECT_THAT(Errors("{type: object, properties: {n: {type: integer}}}", "{n: 3.0}"), IsEmpty());
  EXPECT_THAT(Errors("{type: object, properties: {n: {type: number}}}", "{n: 3}"), IsEmpty());
  EXPECT_THAT(
      Errors("{type: object, properties: {n: {x-kubernetes-int-or-string: true}}}", "{n: '3'}"),
      IsEmpty());
  EXPECT_THAT(
      Errors("{type: object, properties: {n: {type: string, nullable: true}}}", "{n: null}"),
      IsEmpty());
  EXPECT_THAT(Errors("{type: object, additionalProperties: {type: integer}}", "{a: 1, b: 2}"),
              IsEmpty());
}

TEST(SchemaTest, EachRuleHasKubernetesText) {
  struct {
    const char* schema;  // Of the property x.
    const char* value;
    const char* want;
  } const rows[] = {
      {"{type: integer}", "a",
       "[].spec.parameters.x: Invalid value: \"string\": spec.parameters.x in body must be of type "
       "integer: \"string\""},
      {"{type: string}", "null",
       "[].spec.parameters.x: Invalid value: \"null\": spec.parameters.x in body must be of type "
       "string: \"null\""},
      {"{x-kubernetes-int-or-string: true}", "true",
       "[].spec.parameters.x: Invalid value: \"boolean\": spec.parameters.x in body must be of "
       "type integer,string: "
       "\"boolean\""},
      {"{type: string, pattern: '^a+$'}", "b",
       "[].spec.parameters.x: Invalid value: \"b\": spec.parameters.x in body should match '^a+$'"},
      {"{type: string, maxLength: 1}", "bb",
       "[].spec.parameters.x: Too long: may not be more than 1 byte"},
      {"{type: string, minLength: 3}", "bb",
       "[].spec.parameters.x: Invalid value: \"bb\": spec.parameters.x in body should be at least "
       "3 chars long"},
      {"{type: string, enum: [a, b]}", "c",
       "[].spec.parameters.x: Unsupported value: \"c\": supported values: \"a\", \"b\""},
      {"{type: integer, maximum: 5}", "7",
       "[].spec.parameters.x: Invalid value: 7: spec.parameters.x in body should be less than or "
       "equal to 5"},
      {"{type: integer, minimum: 5, exclusiveMinimum: true}", "5",
       "[].spec.parameters.x: Invalid value: 5: spec.parameters.x in body should be greater than "
       "5"},
      {"{type: array, maxItems: 1, items: {type: string}}", "[a, b]",
       "[].spec.parameters.x: Too many: 2: must have at most 1 item"},
      {"{type: array, items: {type: string}}", "[a, 1]",
       "[].spec.parameters.x[1]: Invalid value: \"number\": spec.parameters.x[1] in body must be "
       "of type string: "
       "\"number\""},
      {"{type: object, required: [b], properties: {b: {type: string}}}", "{}",
       "[].spec.parameters.x.b: Required value"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.schema);
    EXPECT_THAT(Errors(std::string("{type: object, properties: {x: ") + row.schema + "}}",
                       std::string("{x: ") + row.value + "}"),
                ElementsAre(row.want));
  }
}

TEST(SchemaTest, TheMatchOfAConstraintHasASchemaToo) {
  Documents documents;
  const Template of = MakeTemplate({});
  EXPECT_THAT(
      of.schema->Validate(documents.Yaml("{spec: {match: {name: p.x}}}")),
      ElementsAre(
          "[].spec.match.name: Invalid value: \"p.x\": spec.match.name in body should match "
          "'^\\*?[-:a-z0-9]*\\*?$'"));
  EXPECT_THAT(
      of.schema->Validate(documents.Yaml("{spec: {match: {source: Other}}}")),
      ElementsAre("[].spec.match.source: Unsupported value: \"Other\": supported values: \"All\", "
                  "\"Generated\", \"Original\""));
}

TEST(SchemaTest, UnknownFieldsAreFoundAtEveryDepth) {
  Documents documents;
  const Template of =
      MakeTemplate(documents.Yaml("{type: object, properties: {a: {type: array, items: {type: "
                                  "object, properties: {b: {type: string}}}}}}"));
  EXPECT_THAT(of.schema->UnknownFields(
                  documents.Yaml("{metadata: {x: 1}, spec: {foo: 1, parameters: {a: [{b: x, c: "
                                 "y}]}, match: {bar: 1}}, status: {z: 1}}")),
              ElementsAre("spec.foo", "spec.match.bar", "spec.parameters.a[0].c"));
}

TEST(SchemaTest, ATemplateWithoutSchemaKnowsNoParametersUnlessItIsLegacy) {
  Documents documents;
  const document::Value constraint = WithParameters(documents, "{a: 1}");
  EXPECT_THAT(MakeTemplate({}).schema->UnknownFields(constraint), ElementsAre("spec.parameters"));
  EXPECT_THAT(MakeTemplate({}, true).schema->UnknownFields(constraint), IsEmpty());
  const document::Value partial = documents.Yaml("{properties: {b: {type: string}}}");
  EXPECT_THAT(MakeTemplate(partial, true).schema->UnknownFields(constraint), IsEmpty());
}

TEST(SchemaTest, DefaultsAreFilledInWhereTheirParentIs) {
  Documents documents;
  const Template of =
      MakeTemplate(documents.Yaml("{type: object, properties: {a: {type: string, default: x}, b: "
                                  "{type: object, properties: {c: {type: integer, "
                                  "default: 3}}}, d: {type: object, default: {}, properties: {e: "
                                  "{type: string, default: z}}}}}"));
  const auto defaulted = [&](const char* text) {
    return document::ToJson(of.schema->WithDefaults(documents.Yaml(text), documents.arena()));
  };
  EXPECT_EQ(defaulted("{spec: {}}"), R"({"spec":{"enforcementAction":"deny"}})");
  EXPECT_EQ(defaulted("{spec: {enforcementAction: warn, parameters: {}}}"),
            R"({"spec":{"enforcementAction":"warn","parameters":{"a":"x","d":{"e":"z"}}}})");
  EXPECT_EQ(
      defaulted("{spec: {parameters: {a: null, b: {}}}}"),
      R"({"spec":{"enforcementAction":"deny","parameters":{"a":"x","b":{"c":3},"d":{"e":"z"}}}})");
}

TEST(SchemaTest, ASchemaThatKubernetesRefusesIsRefusedWithItsText) {
  constexpr const char* kPlace =
      "spec.validation.openAPIV3Schema.properties[spec].properties[parameters]";
  struct {
    const char* schema;
    const char* want;
  } const rows[] = {
      {"{type: object, properties: {x: {}}}",
       ".properties[x].type: Required value: must not be empty for specified object fields"},
      {"{type: object, properties: {x: {type: array}}}",
       ".properties[x].items: Required value: must be specified"},
      {"{type: object, properties: {x: {type: array, items: {}}}}",
       ".properties[x].items.type: Required value: must not be empty for specified array items"},
      {"{type: object, properties: {owner: {type: string, minLength: 5, default: team}}}",
       ".properties[owner].default: Invalid value: \"team\":  in body should be at least 5 chars "
       "long"},
      {"{type: object, properties: {x: {type: text}}}",
       ".properties[x].type: Unsupported value: \"text\": supported values: \"array\", "
       "\"boolean\", \"integer\", "
       "\"number\", \"object\", \"string\""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.schema);
    Documents documents;
    const auto schema = Schema::ForConstraints(documents.Yaml(row.schema), false);
    ASSERT_FALSE(schema.has_value());
    EXPECT_EQ(schema.error().message, std::string(kPlace) + row.want);
  }
}

}  // namespace
}  // namespace portcullis::policy
