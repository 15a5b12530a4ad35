// Indexes that an annotation asks for: which conditions they serve, that the answer stays the same, and what is refused.

#include "rules/policy/declared_index.h"

#include <string>

#include <gtest/gtest.h>

#include "rules/rego/catalog.h"
#include "rules/rego/key_programs.h"
#include "tests/index/test_inventory.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

using document::Value;

std::string Indented(std::string text, const std::string& by) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += by.size() + 1) {
    text.insert(at + 1, by);
  }
  return by + text;
}

std::string TemplateText(const std::string& indexes, const std::string& rego) {
  return "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\n"
         "metadata:\n  name: probe\n  annotations:\n    portcullis.dev/indexes: |\n" +
         Indented(indexes, "      ") +
         "\nspec:\n  crd: {spec: {names: {kind: Probe}}}\n  targets:\n"
         "  - target: admission.k8s.gatekeeper.sh\n    rego: |\n" +
         Indented(rego, "      ") + "\n";
}

std::shared_ptr<const Template> Parse(const std::string& indexes, const std::string& rego) {
  Documents documents;
  auto parsed = ParseTemplate(documents.Yaml(TemplateText(indexes, rego)), rego::CreateCatalog());
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : nullptr;
}

std::string Problem(const std::string& indexes) {
  Documents documents;
  const auto parsed = ParseTemplate(
      documents.Yaml(TemplateText(indexes, "package p\nviolation[{\"msg\": \"x\"}] { true }")),
      rego::CreateCatalog());
  return parsed ? "" : parsed.error().message;
}

std::string Steps(const Template& of) {
  std::string text;
  for (const rego::RuleExplanation& rule : of.plan->Explain()) {
    for (const rego::PlanStep& step : rule.steps) {
      if (!step.access_path.empty()) {
        text += step.access_path;
        for (const index::Definition& each : step.indexes) {
          text += " | " + each.Summary();
        }
        text += '\n';
      }
    }
  }
  return text;
}

constexpr const char* kWildcard = R"(- kind: Ingress
  expression: startswith(object.spec.rules[_].host, "*."))";

// Another variable, another spelling.
constexpr const char* kWildcardRule = R"(package p
violation[{"msg": name}] {
  ingress := data.inventory.namespace[_][_].Ingress[name]
  startswith(ingress.spec.rules[_].host, "*.")
  endswith(ingress.spec.rules[_].host, input.review.object.host)
})";

class DeclaredIndexTest : public testing::Test {
 protected:
  struct Answer {
    std::string names;
    rego::EvaluationStatistics statistics;
  };
  Answer Run(const Template& of, const std::string& input, rego::IndexUse use) {
    document::Arena arena;
    Answer answer;
    const auto view = inventory_->View();
    rego::EvaluationRequest request;
    request.input = inventory_.Parse(input);
    request.data = Value::Object({});
    request.inventory = view.get();
    request.arena = &arena;
    request.clock = &clock_;
    request.index_use = use;
    request.statistics = &answer.statistics;
    const auto result = of.plan->Evaluate(request);
    EXPECT_TRUE(result.has_value());
    answer.names = !result ? "" : *result ? document::ToJson(**result) : result->error().ToString();
    return answer;
  }

  // The names that are found, which must be the same with and without indexes, and how many objects that took.
  std::string Find(const Template& of, const std::string& input) {
    inventory_.WantIndexes(of.plan->wanted_indexes());
    const Answer scanned = Run(of, input, rego::IndexUse::kIgnore);
    const Answer indexed = Run(of, input, rego::IndexUse::kUse);
    EXPECT_EQ(indexed.names, scanned.names);
    EXPECT_EQ(inventory_.Problems(), "");
    return indexed.names + " of " + std::to_string(indexed.statistics.objects_visited) + " of " +
           std::to_string(scanned.statistics.objects_visited);
  }

  SystemClock clock_;
  index::TemporaryFolder folder_;
  index::TestInventory inventory_{folder_.path() / "store", false,
                                  std::make_shared<rego::RegoKeyPrograms>()};
};

TEST_F(DeclaredIndexTest, AnExpressionServesTheSameConditionOfAnyVariable) {
  const auto with = Parse(kWildcard, kWildcardRule);
  EXPECT_EQ(
      Steps(*with),
      "index look-up | namespace/*/*/Ingress: startswith(object.spec.rules[_].host, \"*.\")\n");
  EXPECT_TRUE(with->declared_indexes.at(0).used);
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    inventory_.Put(index::IngressJson("shop", "web" + number, {"h" + number + ".a.com"}));
  }
  inventory_.Put(index::IngressJson("shop", "wild", {"plain.b.com", "*.a.com"}));
  inventory_.Put(index::IngressJson("shop", "other", {"*.b.com"}));
  inventory_.Put(index::IngressJson("shop", "none", {}));
  const std::string input = R"({"review": {"object": {"host": "a.com"}}})";
  EXPECT_EQ(Find(*with, input), R"([{"msg":"wild"}] of 2 of 23)");
}

TEST_F(DeclaredIndexTest, AFunctionOfTheTemplateMayBeCalled) {
  const auto with = Parse("- {kind: Ingress, expression: is_wild(object)}", R"(package p
is_wild(ingress) { startswith(ingress.spec.rules[_].host, "*.") }
is_wild(ingress) { ingress.metadata.name == "wild" }
violation[{"msg": name}] {
  some name
  other := data.inventory.namespace[_][_].Ingress[name]
  is_wild(other)
})");
  EXPECT_EQ(Steps(*with), "index look-up | namespace/*/*/Ingress: is_wild(object)\n");
  inventory_.Put(index::IngressJson("shop", "wild", {"a"}));
  inventory_.Put(index::IngressJson("shop", "star", {"*.a"}));
  inventory_.Put(index::IngressJson("shop", "tame", {"a"}));
  EXPECT_EQ(Find(*with, "{}"), R"([{"msg":"star"},{"msg":"wild"}] of 2 of 3)");
}

TEST_F(DeclaredIndexTest, AComparisonIsAnExpression) {
  const auto with =
      Parse("- {kind: Ingress, expression: count(object.spec.rules) > 2}", R"(package p
violation[{"msg": name}] {
  other := data.inventory.namespace[_][_].Ingress[name]
  count(other.spec.rules) > 2
})");
  inventory_.Put(index::IngressJson("shop", "one", {"a"}));
  inventory_.Put(index::IngressJson("shop", "many", {"a", "b", "c"}));
  EXPECT_EQ(Find(*with, "{}"), R"([{"msg":"many"}] of 1 of 2)");
}

TEST_F(DeclaredIndexTest, ThatSomethingIsThereIsAnExpression) {
  constexpr const char* kRule = R"(package p
violation[{"msg": name}] {
  other := data.inventory.namespace[_][_].Ingress[name]
  other.spec.tls
  other.metadata.labels.team == input.team
})";
  EXPECT_EQ(Steps(*Parse("[]", kRule)),
            "index look-up | namespace/*/*/Ingress: metadata.labels.team\n");
  EXPECT_EQ(Steps(*Parse("- {kind: Ingress, expression: object.spec.tls}", kRule)),
            "index look-up | namespace/*/*/Ingress: object.spec.tls | namespace/*/*/Ingress: "
            "metadata.labels.team\n");
}

TEST_F(DeclaredIndexTest, AConditionThatDiffersIsNotServed) {
  const auto with =
      Parse(R"(- {kind: Ingress, expression: 'startswith(object.spec.rules[_].host, "www.")'}
- {kind: Service, expression: 'startswith(object.spec.rules[_].host, "*.")'})",
            kWildcardRule);
  EXPECT_EQ(Steps(*with), "full scan\n");
  EXPECT_FALSE(with->declared_indexes.at(0).used);
  EXPECT_FALSE(with->declared_indexes.at(1).used);
}

TEST_F(DeclaredIndexTest, APathServesAComparisonWithAConstantBesideAnother) {
  constexpr const char* kRule = R"(package p
violation[{"msg": name}] {
  other := data.inventory.namespace[_][_].Ingress[name]
  other.spec.ingressClassName == "rare"
  other.metadata.labels.team == input.team
})";
  const auto without = Parse("[]", kRule);
  const auto with = Parse("- {kind: Ingress, path: spec.ingressClassName}", kRule);
  EXPECT_EQ(Steps(*without), "index look-up | namespace/*/*/Ingress: metadata.labels.team\n");
  EXPECT_EQ(Steps(*with),
            "index look-up | namespace/*/*/Ingress: spec.ingressClassName | namespace/*/*/Ingress: "
            "metadata.labels.team\n");
}

TEST(DeclaredIndexes, WhatIsWrongIsNamed) {
  const std::string start = "invalid ConstraintTemplate: annotation portcullis.dev/indexes";
  EXPECT_EQ(Problem("kind: Ingress"), start + ": it is not a list of indexes");
  EXPECT_EQ(Problem("- Ingress"),
            start + ", entry 1: it is not a mapping with kind and path or expression");
  EXPECT_EQ(Problem("- {kind: Ingress, path: a}\n- {kind: Ingress}"),
            start + ", entry 2: it needs kind, and one of path and expression");
  EXPECT_EQ(Problem("- {kind: Ingress, path: a, expression: b}"),
            start + ", entry 1: it needs kind, and one of path and expression");
  EXPECT_EQ(Problem("- {kind: Ingress, path: a, scope: All}"),
            start + ", entry 1: scope is Namespaced or Cluster, not All");
  EXPECT_EQ(
      Problem("- {kind: Ingress, where: a}"),
      start + ", entry 1: unknown field \"where\": there are kind, scope, path and expression");
  EXPECT_EQ(Problem("- {kind: Ingress, path: 5}"), start + ", entry 1: path is not a text");
  EXPECT_EQ(Problem("- {kind: Ingress, path: 'a[b]'}"),
            start +
                ", entry 1: index definition \"namespace/*/*/Ingress: a[b]\": after [ comes _, "
                "key or a quoted name");
  EXPECT_TRUE(Problem("- {kind: Ingress, expression: 'nothing(object)'}")
                  .starts_with(start + ", entry 1: the expression does not compile: "));
  for (const std::string expression :
       {"object.spec.x == input.y", "startswith(input.x, object.y)", "1 == 1"}) {
    const std::string problem = Problem("- {kind: Ingress, expression: '" + expression + "'}");
    EXPECT_TRUE(problem.starts_with(start + ", entry 1: no index can be made of"))
        << expression << ": " << problem;
  }
  EXPECT_EQ(Problem("- {kind: Ingress, expression: \"a\\nb\"}"),
            start + ", entry 1: the expression is one line");
  std::string many;
  for (int i = 0; i < 9; ++i) {
    many += "- {kind: Ingress, path: a}\n";
  }
  EXPECT_EQ(Problem(many), start + ": more than 8 indexes");
}

}  // namespace
}  // namespace portcullis::policy
