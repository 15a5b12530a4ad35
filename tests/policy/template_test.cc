#include "rules/policy/template.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rules/rego/catalog.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

std::string Indented(const std::string& text, int by) {
  std::string out(static_cast<std::size_t>(by), ' ');
  for (const char c : text) {
    out += c;
    if (c == '\n') {
      out.append(static_cast<std::size_t>(by), ' ');
    }
  }
  return out;
}

std::string WithRego(const std::string& rego, const std::vector<std::string>& libs = {},
                     const std::string& version = "v0") {
  std::string text =
      "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: "
      "probe}\nspec:\n  crd: {spec: "
      "{names: {kind: Probe}}}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n    code:\n   "
      " - engine: Rego\n"
      "      source:\n        version: " +
      version + "\n        rego: |\n" + Indented(rego, 10) + "\n";
  if (!libs.empty()) {
    text += "        libs:\n";
  }
  for (const std::string& lib : libs) {
    text += "        - |\n" + Indented(lib, 10) + "\n";
  }
  return text;
}

std::string Problem(const std::string& text) {
  Documents documents;
  const auto parsed = ParseTemplate(documents.Yaml(text), rego::CreateCatalog());
  return parsed ? "" : parsed.error().message;
}

constexpr const char* kRule = "violation[{\"msg\": \"x\"}] { input.review.name == \"a\" }\n";

TEST(TemplateTest, MetadataIsCheckedWithGatekeepersTexts) {
  struct {
    const char* text;
    const char* want;
  } const rows[] = {
      {"{metadata: {name: probe}, spec: {targets: []}}",
       "invalid ConstraintTemplate: ConstraintTemplate \"probe\" does not specify CRD Kind"},
      {"{metadata: {name: other}, spec: {crd: {spec: {names: {kind: Probe}}}}}",
       "invalid ConstraintTemplate: the ConstraintTemplate's name \"other\" is not equal to the "
       "lowercase of CRD's Kind: "
       "\"probe\""},
      {"{metadata: {name: probe}, spec: {crd: {spec: {names: {kind: Probe}}}}}",
       "invalid ConstraintTemplate: must declare exactly one target"},
      {"{metadata: {name: probe}, spec: {crd: {spec: {names: {kind: Probe}}}, targets: [{rego: "
       "x}]}}",
       "invalid ConstraintTemplate: target name must not be empty"},
      {"{metadata: {name: probe}, spec: {crd: {spec: {names: {kind: Probe}}}, targets: [{target: "
       "foo}]}}",
       "invalid ConstraintTemplate: target \"foo\" not recognized, known targets "
       "[admission.k8s.gatekeeper.sh]"},
      {"{apiVersion: templates.gatekeeper.sh/v1, metadata: {name: probe}, spec: {crd: {spec: "
       "{names: {kind: Probe}, "
       "validation: {openAPIV3Schema: {type: object, properties: {x: {}}}}}}, targets: [{target: "
       "admission.k8s.gatekeeper.sh}]}}",
       "invalid ConstraintTemplate: "
       "spec.validation.openAPIV3Schema.properties[spec].properties[parameters].properties[x]"
       ".type: Required value: must not be empty for specified object fields"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    Documents documents;
    const auto checked = CheckTemplateMetadata(documents.Yaml(row.text));
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().message, row.want);
  }
}

TEST(TemplateTest, LegacySchemasAreTheRuleBeforeV1) {
  constexpr const char* kText =
      "metadata: {name: probe}, spec: {crd: {spec: {names: {kind: Probe}, validation: "
      "{openAPIV3Schema: {properties: "
      "{x: {}}}}}}, targets: [{target: admission.k8s.gatekeeper.sh}]}}";
  Documents documents;
  for (const char* version : {"v1beta1", "v1alpha1"}) {
    EXPECT_TRUE(CheckTemplateMetadata(documents.Yaml(
        std::string("{apiVersion: templates.gatekeeper.sh/") + version + ", " + kText)));
  }
  EXPECT_FALSE(CheckTemplateMetadata(
      documents.Yaml(std::string("{apiVersion: templates.gatekeeper.sh/v1, ") + kText)));
}

TEST(TemplateTest, AStarStandsAloneAmongOperations) {
  Documents documents;
  const auto checked =
      CheckTemplateOperations(documents.Yaml("{spec: {targets: [{operations: ['*', CREATE]}]}}"));
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message, "if '*' is present, must not specify other operations");
  EXPECT_TRUE(CheckTemplateOperations(documents.Yaml("{spec: {targets: [{operations: ['*']}]}}")));
}

TEST(TemplateTest, RegoThatReachesTooFarIsRefusedWithGatekeepersTexts) {
  struct {
    std::string rego;
    std::string want;
  } const rows[] = {
      {"import rego.v1\n" + std::string("violation contains {\"msg\": \"x\"} if { true }"),
       "invalid import: bad import: \"rego.v1\""},
      {"import data.inventory\n" + std::string(kRule),
       "invalid import: bad import: \"data.inventory\""},
      {"import data.foo\n" + std::string(kRule), "invalid import: bad import: \"data.foo\""},
      {"import input.review\n" + std::string(kRule),
       "invalid import: cannot import input: \"input.review\""},
      {"violation[{\"msg\": \"x\"}] { data.foo.bar }",
       "invalid data references: check refs failed on module {template}: errors (1):\ndisallowed "
       "ref data.foo.bar\n"},
      {"violation[{\"msg\": \"x\"}] { x := data[y]; y := 1; z := data; w := data.libs.lib.a }",
       "invalid data references: check refs failed on module {template}: errors (3):\ndisallowed "
       "ref data[y]\n"
       "disallowed ref data\ndisallowed ref data.libs.lib.a\n"},
      {"deny[msg] { msg := 1 }",
       "invalid rego: invalid module: missing required rules: [violation]"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.rego);
    EXPECT_EQ(Problem(WithRego("package probe\n" + row.rego)),
              "invalid ConstraintTemplate: " + row.want);
  }
}

TEST(TemplateTest, LibrariesLieBelowLib) {
  const std::string entry = std::string("package probe\nimport data.lib.helpers\n") +
                            "violation[{\"msg\": m}] { m := helpers.text }";
  EXPECT_EQ(Problem(WithRego(entry, {"package lib.helpers\ntext = \"x\""})), "");
  EXPECT_EQ(
      Problem(WithRego(entry, {"package foo\ntext = \"x\""})),
      "invalid ConstraintTemplate: invalid lib prefix: path data.foo not found in lib prefixes");
  EXPECT_EQ(
      Problem(WithRego(entry, {"package lib\ntext = \"x\""})),
      "invalid ConstraintTemplate: invalid lib prefix: path data.lib not found in lib prefixes");
  EXPECT_EQ(Problem(WithRego(entry, {"package lib.helpers\ntext = data.foo"})),
            "invalid ConstraintTemplate: invalid data references: check refs failed on module "
            "{libs[\"lib_0\"]}: errors "
            "(1):\ndisallowed ref data.foo\n");
}

TEST(TemplateTest, RegoThatDoesNotCompileSaysWhere) {
  EXPECT_EQ(Problem(WithRego("package probe\nviolation[{\"msg\": msg}] { true }")),
            "unable to compile modules: 1 error occurred: template:2: rego_unsafe_var_error: var "
            "msg is unsafe");
  EXPECT_EQ(Problem(WithRego("package probe\nviolation[{\"msg\": msg}] { msg := foo(1) }")),
            "unable to compile modules: 1 error occurred: template:2: rego_type_error: undefined "
            "function foo");
  EXPECT_EQ(Problem(WithRego("package probe\nviolation[{\"msg\": msg}] {")),
            "invalid ConstraintTemplate: 1 error occurred: template:3: rego_parse_error: "
            "unexpected eof token\n"
            "\tviolation[{\"msg\": msg}] {\n\t                        ^");
  EXPECT_EQ(Problem(WithRego("# nothing")),
            "invalid ConstraintTemplate: template:0: rego_parse_error: empty module");
}

TEST(TemplateTest, ResultsWithoutAMessageAreRefusedWhereTheDriverReadsThem) {
  EXPECT_EQ(
      Problem(WithRego("package probe\nviolation[{\"nomsg\": 1}] { true }")),
      "unable to compile modules: 1 error occurred: hooks.hooks_builtin:21: rego_type_error: "
      "undefined ref: r.msg\n\tr.msg\n\t  ^\n\t  have: \"msg\"\n\t  want (one of): [\"nomsg\"]");
  EXPECT_NE(Problem(WithRego("package probe\nviolation = {\"msg\": \"x\"} { true }")), "");
  EXPECT_NE(Problem(WithRego("package probe\nviolation(x) = {\"msg\": \"x\"} { true }")), "");
  EXPECT_NE(Problem(WithRego("package probe\nviolation[\"a\"] = {\"msg\": \"x\"} { true }")), "");
}

TEST(TemplateTest, TheVersionChoosesTheSyntax) {
  const std::string modern = "package probe\nviolation contains {\"msg\": \"x\"} if { true }";
  EXPECT_EQ(Problem(WithRego(modern, {}, "v1")), "");
  EXPECT_NE(Problem(WithRego(modern, {}, "v0")), "");
  EXPECT_EQ(Problem(WithRego(std::string("package probe\n") + kRule, {}, "v7")), "");
}

TEST(TemplateTest, WithoutRegoThereIsNoDriver) {
  EXPECT_EQ(Problem("{metadata: {name: probe}, spec: {crd: {spec: {names: {kind: Probe}}}, "
                    "targets: [{target: "
                    "admission.k8s.gatekeeper.sh, code: [{engine: rego, source: {rego: x}}]}]}}"),
            "no language driver is installed that handles this constraint template: available "
            "drivers: map[Rego:1], "
            "wanted \"\"");
}

}  // namespace
}  // namespace portcullis::policy
