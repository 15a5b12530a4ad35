#include "rules/policy/constraint.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/json.h"
#include "rules/policy/enforcement.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kSchema =
    "{type: object, properties: {x: {type: integer}, b: {type: string, default: z}}}";

Result<std::shared_ptr<const Constraint>> Parse(Documents& documents, const std::string& text) {
  const Template of = MakeTemplate(documents.Yaml(kSchema));
  return ParseConstraint(documents.Yaml(text), of);
}

// The constraint `a` of kind Probe with this spec.
std::string Probe(const std::string& spec) {
  return "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Probe, metadata: {name: a}, "
         "spec: " +
         spec + "}";
}

TEST(ConstraintTest, ParametersAreDefaultedWhereTheyArePresentAndNeverNull) {
  Documents documents;
  const auto parameters = [&](const std::string& spec) {
    return document::ToJson(Parse(documents, Probe(spec)).value()->parameters);
  };
  EXPECT_EQ(parameters("{}"), "{}");
  EXPECT_EQ(parameters("{parameters: {x: 10000000}}"), R"({"b":"z","x":10000000})");
}

TEST(ConstraintTest, WhatIsWrongIsSaidInGatekeepersWords) {
  struct {
    std::string text;
    const char* want;
  } const rows[] = {
      {"{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Probe, metadata: {}}",
       "invalid Constraint: missing metadata.name"},
      {"{apiVersion: constraints.gatekeeper.sh/v1beta1, metadata: {name: a}}",
       "invalid Constraint: missing kind"},
      {"{apiVersion: v1, kind: Probe, metadata: {name: a}}",
       "invalid Constraint: wrong API Group for Constraint \"a\", got \"\" but need "
       "\"constraints.gatekeeper.sh\""},
      {"{apiVersion: constraints.gatekeeper.sh/v1, kind: Probe, metadata: {name: a}}",
       "invalid Constraint: unsupported version \"v1\" for Constraint \"a\"; supported versions: "
       "map[v1alpha1:true "
       "v1beta1:true]"},
      {"{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Other, metadata: {name: a}}",
       "invalid Constraint: wrong kind \"a\" for constraint \"Other\"; want \"Probe\""},
      {Probe("{parameters: {x: text}}"),
       "schema validation failed: [].spec.parameters.x: Invalid value: \"string\": "
       "spec.parameters.x in body must be of "
       "type integer: \"string\""},
      {Probe("{foo: 1}"), "invalid Constraint: unknown fields: [spec.foo]"},
      {Probe("{enforcementAction: scoped}"),
       "missing required field: spec.scopedEnforcementActions must be defined"},
      {Probe("{match: {labelSelector: {matchExpressions: [{key: a, operator: Is}]}}}"),
       "invalid Constraint: spec.labelSelector.matchExpressions[0].operator: Invalid value: "
       "\"Is\": not a valid "
       "selector operator"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    Documents documents;
    const auto parsed = Parse(documents, row.text);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().message, row.want);
  }
}

TEST(ConstraintTest, ActionsDependOnTheEnforcementPoint) {
  Documents documents;
  const auto plain = Parse(documents, Probe("{enforcementAction: warn}")).value();
  EXPECT_THAT(ActionsAt(*plain, "audit.gatekeeper.sh"), ElementsAre("warn"));
  EXPECT_THAT(ActionsAt(*Parse(documents, Probe("{}")).value(), "x"), ElementsAre("deny"));
  EXPECT_THAT(ActionsAt(*Parse(documents, Probe("{enforcementAction: ''}")).value(), "x"),
              ElementsAre(""));
  const auto scoped =
      Parse(documents,
            Probe("{enforcementAction: scoped, scopedEnforcementActions: ["
                  "{action: deny, enforcementPoints: [{name: validation.gatekeeper.sh}]},"
                  "{action: warn, enforcementPoints: [{name: '*'}]},"
                  "{action: warn, enforcementPoints: [{name: validation.gatekeeper.sh}]}]}"))
          .value();
  EXPECT_THAT(ActionsAt(*scoped, "validation.gatekeeper.sh"), ElementsAre("deny", "warn"));
  EXPECT_THAT(ActionsAt(*scoped, "audit.gatekeeper.sh"), ElementsAre("warn"));
  const auto nowhere =
      Parse(documents, Probe("{enforcementAction: scoped, scopedEnforcementActions: []}")).value();
  EXPECT_THAT(ActionsAt(*nowhere, "audit.gatekeeper.sh"), IsEmpty());
  EXPECT_FALSE(IsEnforcedAt(*nowhere, "audit.gatekeeper.sh"));
}

TEST(EnforcementTest, UnknownActionsAndPointsAreNamed) {
  struct {
    const char* spec;
    const char* want;  // Empty: passes.
  } const rows[] = {
      {"{}", ""},
      {"{enforcementAction: ''}", ""},
      {"{enforcementAction: dryrun}", ""},
      {"{enforcementAction: block}",
       "unrecognized enforcementAction: \"block\" is not within the supported list [deny dryrun "
       "warn scoped]"},
      {"{enforcementAction: scoped}",
       "error fetching scopedEnforcementActions: scopedEnforcementActions is required"},
      {"{enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: "
       "[{name: vap.k8s.io}]}]}",
       ""},
      {"{enforcementAction: scoped, scopedEnforcementActions: [{action: stop, enforcementPoints: "
       "[{name: x}, {name: "
       "'*'}]}]}",
       "unrecognized enforcement points: constraint will not be enforced for enforcement points "
       "[x], supported "
       "enforcement points are [validation.gatekeeper.sh audit.gatekeeper.sh gator.gatekeeper.sh "
       "vap.k8s.io]\n"
       "unrecognized enforcementAction: [stop] is not within the supported list [deny dryrun "
       "warn]"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.spec);
    Documents documents;
    const auto checked = CheckEnforcementAction(documents.Yaml(Probe(row.spec)));
    EXPECT_EQ(checked ? "" : checked.error().message, row.want);
  }
}

}  // namespace
}  // namespace portcullis::policy
