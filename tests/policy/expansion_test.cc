#include "rules/policy/expansion.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/yaml.h"

namespace portcullis::policy {
namespace {

using document::Value;

class ExpansionTest : public ::testing::Test {
 protected:
  std::vector<Value> Yaml(const std::string& text) {
    std::vector<Value> values;
    const auto documents = document::ParseYaml(text, arena_);
    for (const document::YamlDocument& each : documents.value()) {
      values.push_back(each.value);
    }
    return values;
  }

  static std::string Template(const std::string& name, const std::string& applies_to,
                              const std::string& makes) {
    return "---\nmetadata: {name: " + name +
           "}\nspec:\n  applyTo: [{groups: [''], versions: [v1], " + "kinds: [" + applies_to +
           "]}]\n  templateSource: spec.template\n" +
           "  generatedGVK: {group: '', version: v1, kind: " + makes + "}\n";
  }

  document::Arena arena_;
};

TEST_F(ExpansionTest, WhatIsMadeComesAfterWhatIsMadeOfIt) {
  const auto expander =
      Expander::Make(Yaml(Template("outer", "Cron", "Job") + Template("inner", "Job", "Pod")));
  ASSERT_TRUE(expander) << expander.error().message;
  const Value cron = Yaml(
                         "apiVersion: v1\nkind: Cron\nmetadata: {name: C, namespace: ns}\n"
                         "spec: {template: {spec: {template: {metadata: {labels: {a: b}}}}}}\n")
                         .front();
  const auto resultants = expander->Expand(cron, arena_);
  ASSERT_TRUE(resultants) << resultants.error().message;
  ASSERT_EQ(resultants->size(), 2U);
  EXPECT_EQ(resultants->at(0).template_name, "inner");
  EXPECT_EQ(document::ToJson(resultants->at(0).object),
            R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"b"},"name":"c-job-pod",)"
            R"("namespace":"ns","ownerReferences":[{"apiVersion":"v1","kind":"Job","name":"c-job",)"
            R"("uid":""}]}})");
  EXPECT_EQ(resultants->at(1).object.GetString({"metadata", "name"}), "c-job");
}

TEST_F(ExpansionTest, TemplatesThatFormACircleAreRefused) {
  const auto expander = Expander::Make(
      Yaml(Template("a", "A", "B") + Template("b", "B", "C") + Template("c", "C", "A")));
  ASSERT_FALSE(expander);
  EXPECT_EQ(expander.error().message, "error upserting template c: template forms expansion cycle");
}

TEST_F(ExpansionTest, AnObjectWithoutTheSourceIsAnError) {
  const auto expander = Expander::Make(Yaml(Template("a", "A", "B")));
  const Value object =
      Yaml("apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {template: text}\n").front();
  const auto resultants = expander.value().Expand(object, arena_);
  ASSERT_FALSE(resultants);
  EXPECT_EQ(resultants.error().message,
            "could not extract source field from unstructured: .spec.template accessor error: text "
            "is of the type string, expected map[string]interface{}");
}

}  // namespace
}  // namespace portcullis::policy
