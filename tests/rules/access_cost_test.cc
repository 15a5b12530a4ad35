// What accesses cost: measured, estimated by statistics, chosen by them; and a key that very many objects share.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "rules/rego/row_estimate.h"
#include "tests/index/test_inventory.h"
#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

using document::Value;

class AccessCostTest : public testing::Test {
 protected:
  // `count` Ingresses of one host, in one change.
  void Put(const std::string& prefix, const std::string& host, int count,
           const std::string& more = "") {
    index::ChangeSet changes;
    changes.type = index::IngressType();
    for (int i = 0; i < count; ++i) {
      std::string json = index::IngressJson("shop", prefix + std::to_string(i), {host});
      if (!more.empty()) {
        json.insert(json.size() - 1, "," + more);
      }
      changes.puts.push_back(inventory_.Parse(json));
      if (changes.puts.size() == 1000 || i + 1 == count) {
        ASSERT_TRUE(inventory_->Apply(changes));
        changes.puts.clear();
        inventory_.arena.Reset();
      }
    }
  }

  // Wants what the policy wants, with statistics.
  void Prepare(const TestPolicy& policy) {
    inventory_.WantIndexes(policy.plan().wanted_indexes());
    ASSERT_TRUE(inventory_->UpdateStatistics());
  }

  // The costs of one evaluation, by access.
  std::vector<AccessCost> Measure(const TestPolicy& policy, const std::string& input,
                                  std::size_t* arena_bytes = nullptr) {
    document::Arena arena;
    std::vector<AccessCost> costs;
    const auto view = inventory_->View();
    EvaluationRequest request;
    request.input = inventory_.Parse(input);
    request.data = Value::Object({});
    request.inventory = view.get();
    request.arena = &arena;
    request.clock = &clock_;
    request.accesses = &costs;
    const auto answer = policy.plan().Evaluate(request);
    EXPECT_TRUE(answer && *answer);
    result_ = answer && *answer ? ToString(**answer) : "";
    if (arena_bytes != nullptr) {
      *arena_bytes = arena.used_bytes();
    }
    return costs;
  }

  static std::string ToString(const Value& value) {
    return value.is_set() ? std::to_string(value.size()) + " items" : "no set";
  }

  SystemClock clock_;
  index::TemporaryFolder folder_;
  index::TestInventory inventory_{folder_.path() / "store", false,
                                  std::make_shared<RegoKeyPrograms>()};
  std::string result_;
};

constexpr const char* kSameHost = R"(package template
violation[name] {
  other := data.inventory.namespace[_][_]["Ingress"][name]
  other.spec.rules[_].host == input.host
  other.kind == "Ingress"
}
)";

TEST_F(AccessCostTest, IsMeasuredStepByStep) {
  const TestPolicy policy(kSameHost);
  Put("a", "one", 3);
  Put("b", "two", 4);
  Prepare(policy);
  const std::vector<AccessCost> costs = Measure(policy, R"({"host": "two"})");
  EXPECT_EQ(result_, "4 items");
  ASSERT_EQ(costs.size(), 1U);
  EXPECT_EQ(costs[0].runs, 1U);
  EXPECT_EQ(costs[0].reads.lookups, 1U);
  EXPECT_EQ(costs[0].reads.objects_visited, 4U);
  EXPECT_EQ(costs[0].rows, 4U);
  EXPECT_GT(costs[0].bytes, 4 * 60U);
  EXPECT_LT(costs[0].bytes, 4 * 1000U);
  EXPECT_GT(costs[0].time.count(), 0);
}

TEST_F(AccessCostTest, AScanReadsAllAndHandsAllOn) {
  const TestPolicy policy(kSameHost);
  Put("a", "one", 3);
  const std::vector<AccessCost> costs = Measure(policy, R"({"host": "none"})");
  ASSERT_EQ(costs.size(), 1U);
  EXPECT_EQ(costs[0].reads.scans, 1U);
  EXPECT_EQ(costs[0].reads.objects_visited, 3U);
  EXPECT_EQ(costs[0].rows, 3U);
}

TEST_F(AccessCostTest, IsEstimatedByStatistics) {
  const TestPolicy policy(kSameHost);
  Put("a", "one", 3);
  Put("b", "two", 5);
  const auto estimate = [&]() -> std::string {
    const auto view = inventory_->View();
    std::string text;
    for (const RuleExplanation& rule : policy.plan().Explain()) {
      for (const PlanStep& step : rule.steps) {
        if (const auto rows = EstimateRows(step, *view)) {
          text += (rows->scans     ? "scan of "
                   : rows->at_most ? "at most "
                                   : "") +
                  std::to_string(static_cast<int>(rows->rows)) + ";";
        }
      }
    }
    return text;
  };
  EXPECT_EQ(estimate(), "scan of 8;");
  Prepare(policy);
  EXPECT_EQ(estimate(), "4;");
}

TEST_F(AccessCostTest, StatisticsTellTheRarerKeyWhereBothAreMany) {
  const TestPolicy policy(R"(package template
violation[name] {
  other := data.inventory.namespace[_][_]["Ingress"][name]
  other.spec.rules[_].host == input.host
  other.team == input.team
  other.kind == "Ingress"
}
)");
  ASSERT_EQ(policy.plan().wanted_indexes().size(), 2U);
  Put("a", "hot", 3000, R"("team":"red")");
  Put("b", "cold", 3000, R"("team":"red")");
  Put("c", "cold", 300, R"("team":"blue")");
  Prepare(policy);
  // Both have more entries than are counted.
  EXPECT_EQ(Measure(policy, R"({"host": "hot", "team": "red"})")[0].reads.objects_visited, 3000U);
  EXPECT_EQ(Measure(policy, R"({"host": "cold", "team": "blue"})")[0].reads.objects_visited, 300U);
  EXPECT_EQ(result_, "300 items");
  EXPECT_EQ(Measure(policy, R"({"host": "none", "team": "red"})")[0].reads.objects_visited, 0U);
}

// One host that 20,000 objects hold: where one witness is enough no second is read, and where all are needed memory does not
// grow with them.
class HotKeyTest : public AccessCostTest {
 protected:
  static constexpr int kObjects = 20'000;
  // Less than the keys of all of them take.
  static constexpr std::size_t kFewBytes = std::size_t{256} << 10;
  // The cost of the look-up in a rule with this body.
  AccessCost Run(const std::string& body, std::size_t* bytes) {
    const TestPolicy policy("package template\n" + body);
    Prepare(policy);
    const std::vector<AccessCost> costs = Measure(policy, R"({"host": "hot"})", bytes);
    EXPECT_EQ(costs.size(), 1U);
    return costs.at(0);
  }
};

TEST_F(HotKeyTest, IsReadAsFarAsTheRuleNeeds) {
  Put("web", "hot", kObjects);
  for (const std::string body : {
           // A complete rule that is asked whether it holds.
           R"(taken { other := data.inventory.namespace[_][_]["Ingress"][_]
             other.spec.rules[_].host == input.host
             other.kind == "Ingress" }
             violation["taken"] { taken })",
           R"(taken { other := data.inventory.namespace[_][_]["Ingress"][_]
             other.spec.rules[_].host == input.host
             other.kind == "Ingress" }
             violation["free"] { not taken })",
           R"(taken(host) { other := data.inventory.namespace[_][_]["Ingress"][_]
             other.spec.rules[_].host == host
             other.kind == "Ingress" }
             violation["taken"] { taken(input.host) })",
           R"(violation["taken"] {
             count({name | other := data.inventory.namespace[_][_]["Ingress"][name]
               other.spec.rules[_].host == input.host
               other.kind == "Ingress" }) > 0 })",
       }) {
    std::size_t bytes = 0;
    const AccessCost cost = Run(body, &bytes);
    EXPECT_EQ(cost.reads.lookups, 1U) << body;
    EXPECT_EQ(cost.reads.objects_visited, 1U) << body;
    EXPECT_LT(bytes, kFewBytes) << body;
  }
  std::size_t bytes = 0;
  const AccessCost cost = Run(R"(violation["far"] {
    other := data.inventory.namespace[_][_]["Ingress"][_]
    other.spec.rules[_].host == input.host
    other.kind == "Service" })",
                              &bytes);
  EXPECT_EQ(result_, "0 items");
  EXPECT_EQ(cost.reads.objects_visited, static_cast<std::uint64_t>(kObjects));
  EXPECT_LT(bytes, kFewBytes);
}

}  // namespace
}  // namespace portcullis::rego
