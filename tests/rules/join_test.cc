// Joins over the inventory: the access path that the planner finds, and that the answer is the same without it.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "tests/index/test_inventory.h"
#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

constexpr const char* kUniqueHost = R"(package template

identical(obj, review) {
  obj.metadata.namespace == review.object.metadata.namespace
  obj.metadata.name == review.object.metadata.name
}

violation[{"msg": msg}] {
  input.review.kind.kind == "Ingress"
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[_][otherapiversion]["Ingress"][name]
  regex.match("^(extensions|networking.k8s.io)/.+$", otherapiversion)
  other.spec.rules[_].host == host
  not identical(other, input.review)
  msg := sprintf("host <%v> taken by %v", [host, name])
}
)";

std::string Review(const std::string& name, const std::vector<std::string>& hosts) {
  return R"({"review": {"kind": {"kind": "Ingress"}, "object": )" +
         index::IngressJson("default", name, hosts) + "}}";
}

class Join : public testing::Test {
 protected:
  void Put(const std::string& name_space, const std::string& name,
           const std::vector<std::string>& hosts) {
    inventory_.Put(index::IngressJson(name_space, name, hosts));
  }
  // The answer, which must be the same with and without indexes.
  TestPolicy::Outcome Run(const TestPolicy& policy, const std::string& input) {
    const auto view = inventory_->View();
    const auto scanned = policy.Run(input, view.get(), IndexUse::kIgnore);
    const auto indexed = policy.Run(input, view.get(), IndexUse::kUse);
    EXPECT_EQ(indexed.result, scanned.result) << input;
    return indexed;
  }

  index::TemporaryFolder folder_;
  index::TestInventory inventory_{folder_.path() / "store", false,
                                  std::make_shared<RegoKeyPrograms>()};
};

TEST_F(Join, TheUniqueHostPolicyLooksUpHostsInAnIndexThatItAsksFor) {
  const TestPolicy policy(kUniqueHost);
  ASSERT_EQ(policy.plan().wanted_indexes(), std::vector{index::HostIndex()});
  EXPECT_EQ(policy.AccessPaths(),
            "index look-up: namespace/*/*/Ingress where spec.rules[_].host == host, "
            "regex.match(\"^(extensions|networking.k8s.io)/.+$\", otherapiversion)\n");
  for (int i = 0; i < 50; ++i) {
    Put("team-" + std::to_string(i % 5), "web-" + std::to_string(i),
        {"h" + std::to_string(i) + ".example"});
  }
  inventory_.WantIndexes(policy.plan().wanted_indexes());
  const auto taken = Run(policy, Review("new", {"h7.example", "fresh.example"}));
  EXPECT_EQ(taken.result, R"({{"msg": "host <h7.example> taken by web-7"}})");
  EXPECT_EQ(taken.statistics.lookups, 2);
  EXPECT_EQ(taken.statistics.scans, 0);
  EXPECT_EQ(taken.statistics.objects_visited, 1);
}

TEST_F(Join, ObjectsOfWhichOnlyTheEntryIsWantedAreNotRead) {
  const TestPolicy policy(R"(package template
violation[{"msg": msg}] {
  other := data.inventory.namespace[ns][_]["Ingress"][name]
  other.spec.rules[_].host == input.host
  other.metadata.name != input.name
  msg := sprintf("%v/%v", [other.metadata.namespace, name])
}
)");
  const std::string long_host = std::string(101, 'h') + ".example";
  Put("a", "one", {"h.example", "h.example", "other.example"});
  Put("b", "two", {"h.example", long_host});
  Put("b", "own", {"h.example"});
  inventory_.WantIndexes(policy.plan().wanted_indexes());
  const auto taken = Run(policy, R"({"host": "h.example", "name": "own"})");
  EXPECT_EQ(taken.result, R"({{"msg": "a/one"}, {"msg": "b/two"}})");
  EXPECT_EQ(taken.statistics.lookups, 1);
  EXPECT_EQ(taken.statistics.objects_visited, 0);
  // Long keys share entries by their hash: then the object says what it has.
  const auto by_hash = Run(policy, R"({"host": ")" + long_host + R"(", "name": "own"})");
  EXPECT_EQ(by_hash.result, R"({{"msg": "b/two"}})");
  EXPECT_EQ(by_hash.statistics.objects_visited, 1);
}

TEST_F(Join, ObjectsAreReadWhereARuleSeesMoreThanTheEntry) {
  for (const std::string use : {"other.kind == \"Ingress\"", "count(other) > 0", "some_host(other)",
                                "x := other.spec.rules[_].host; x != \"\""}) {
    const TestPolicy policy(
        "package template\nsome_host(o) { o.spec.rules[_].host }\n"
        "violation[name] { other := data.inventory.namespace[_][_].Ingress[name]; "
        "other.spec.rules[_].host == input.host; " +
        use + " }");
    Put("a", "one", {"h.example"});
    inventory_.WantIndexes(policy.plan().wanted_indexes());
    const auto outcome = Run(policy, R"({"host": "h.example"})");
    EXPECT_EQ(outcome.result, R"({"one"})") << use;
    EXPECT_EQ(outcome.statistics.objects_visited, 1) << use;
  }
}

TEST_F(Join, AnIndexThatIsNotReadyMeansAScan) {
  const TestPolicy policy(kUniqueHost);
  Put("a", "x", {"h.example"});
  const auto outcome = Run(policy, Review("new", {"h.example"}));
  EXPECT_EQ(outcome.result, R"({{"msg": "host <h.example> taken by x"}})");
  EXPECT_EQ(outcome.statistics.lookups, 0);
  EXPECT_EQ(outcome.statistics.scans, 1);
}

TEST_F(Join, NoIndexIsUsedWhereAnObjectLeftOutCouldHaveCausedAConflict) {
  const TestPolicy policy(R"(package template
f(x) = 1 { x.metadata.name != "a" }
f(x) = 2 { x.metadata.name != "b" }
violation[name] {
  other := data.inventory.namespace[_][_]["Ingress"][name]
  f(other)
  other.spec.rules[_].host == input.host
}
)");
  EXPECT_TRUE(policy.plan().wanted_indexes().empty());
  EXPECT_EQ(policy.AccessPaths(),
            "full scan: namespace/*/*/Ingress (line 6 could end in an error for objects that an "
            "index would "
            "leave out)\n");
}

TEST_F(Join, KeysAreVisitedInTheOrderOfTheInventory) {
  const TestPolicy policy(R"(package template
violation := [sprintf("%v/%v", [ns, name]) |
  other := data.inventory.namespace[ns][_]["Ingress"][name]
  other.spec.rules[_].host == input.host
]
)");
  for (const char* name : {"b", "a10", "a.2", "a-1", "a"}) {
    Put("foo", name, {"h"});
  }
  Put("zed", "a", {"h", "h"});
  Put("foo-1", "a", {"h"});
  inventory_.WantIndexes(policy.plan().wanted_indexes());
  const auto outcome = Run(policy, R"({"host": "h"})");
  EXPECT_EQ(outcome.result,
            R"(["foo/a", "foo/a-1", "foo/a.2", "foo/a10", "foo/b", "foo-1/a", "zed/a", "zed/a"])");
  EXPECT_EQ(outcome.statistics.lookups, 1);
}

TEST_F(Join, BoundKeysAreOneGet) {
  const TestPolicy policy(R"(package template
violation["missing"] { not data.inventory.namespace[input.ns]["networking.k8s.io/v1"].Ingress[input.name] }
violation[h] { h := data.inventory.namespace[input.ns]["networking.k8s.io/v1"].Ingress[input.name].spec.rules[_].host }
)");
  Put("a", "x", {"h"});
  const auto found = Run(policy, R"({"ns": "a", "name": "x"})");
  EXPECT_EQ(found.result, R"({"h"})");
  EXPECT_EQ(found.statistics.gets, 2);
  EXPECT_EQ(found.statistics.scans, 0);
  EXPECT_EQ(Run(policy, R"({"ns": "a", "name": "y"})").result, R"({"missing"})");
  EXPECT_EQ(Run(policy, R"({"ns": 1, "name": "y"})").result, R"({"missing"})");
}

TEST_F(Join, WholeTreeUsesAndWithFallBackToValues) {
  const TestPolicy policy(R"(package template
hosts := {h | h := data.inventory.namespace[_][_].Ingress[_].spec.rules[_].host}
violation := {
  "kinds": {k | data.inventory.namespace[_][_][k]},
  "count": count(data.inventory),
  "walked": {p[2] | walk(data.inventory, [p, "h"])},
  "mocked": m,
  "real": hosts,
} {
  m := hosts with data.inventory as {"namespace": {"n": {"v": {"Ingress": {"i": {"spec": {"rules": [{"host": "m"}]}}}}}}}
}
)");
  Put("a", "x", {"h"});
  EXPECT_EQ(
      Run(policy, "{}").result,
      R"({"count": 1, "kinds": {"Ingress"}, "mocked": {"m"}, "real": {"h"}, "walked": {"networking.k8s.io/v1"}})");
}

TEST_F(Join, AnInventoryThatNeverHeldAnythingIsAnEmptyObject) {
  const TestPolicy policy("package template\nviolation := data.inventory\n");
  EXPECT_EQ(Run(policy, "{}").result, "{}");
}

TEST_F(Join, AScanOfManyObjectsNeedsTheMemoryOfOne) {
  TestPolicy policy(R"(package template
pad(x) = y { y := concat(",", [s | s := x.spec.rules[_].host]) }
violation[name] {
  other := data.inventory.namespace[_][_]["Ingress"][name]
  pad(other) == input.host
}
)");
  const std::string long_host(2000, 'x');
  for (int i = 0; i < 600; ++i) {
    Put("a", "w" + std::to_string(i), {long_host, std::to_string(i)});
  }
  policy.memory_limit = 300 << 10;
  const auto outcome = Run(policy, R"({"host": ")" + long_host + R"(,17"})");
  EXPECT_EQ(outcome.result, R"({"w17"})");
  EXPECT_EQ(outcome.statistics.objects_visited, 600);
}

// Policies over the same few objects, each joined through another form of equality.
TEST_F(Join, IndexedAndScannedAnswersAgreeOnRandomInventories) {
  const std::vector<std::string> bodies = {
      "other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; other.spec.rules[_].host == "
      "input.hosts[_]",
      "h := input.hosts[_]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; h == "
      "other.spec.rules[i].host",
      "h := input.hosts[_]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; x := "
      "other.spec.rules[_]; "
      "x.host == h; x.host != \"h1\"",
      "h := input.hosts[_]; data.inventory.namespace[ns][gv][\"Ingress\"][name].spec.rules[_].host "
      "== h",
      "h := input.hosts[0]; ns := \"n1\"; other := "
      "data.inventory.namespace[ns][gv][\"Ingress\"][name]; "
      "startswith(gv, \"networking\"); other.spec.rules[_] == {\"host\": h}",
      "h := input.hosts[0]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; "
      "other.metadata.name != "
      "input.name; other.spec.rules[0].host == h; another := "
      "data.inventory.namespace[_][_][\"Ingress\"][other.spec.rules[_].host]",
      "h := input.hosts[0]; other := data.inventory.namespace[ns][gv][kind][name]; "
      "other.spec[_][_].host == h",
      "h := input.hosts[_]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; "
      "other.spec.rules[_].host == h; other.metadata.namespace != \"n1\"",
      "h := input.hosts[_]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; "
      "other.spec.rules[_].host == h; count([x | x := other.spec.rules[_].host]) > 1",
      "h := input.hosts[_]; other := data.inventory.namespace[ns][gv][\"Ingress\"][name]; "
      "other.spec.rules[_].host == h; other.kind == \"Ingress\"",
  };
  std::mt19937 random(20261123);
  const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  std::vector<TestPolicy> policies;
  std::vector<index::Definition> wanted;
  for (const std::string& body : bodies) {
    const TestPolicy& policy =
        policies.emplace_back("package template\nviolation[[ns, gv, name]] { " + body + " }\n");
    wanted.insert(wanted.end(), policy.plan().wanted_indexes().begin(),
                  policy.plan().wanted_indexes().end());
  }
  EXPECT_FALSE(wanted.empty());
  inventory_.WantIndexes(wanted);
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 6; ++i) {
      std::vector<std::string> hosts;
      for (unsigned j = pick(4); j > 0; --j) {
        hosts.push_back("h" + std::to_string(pick(5)));
      }
      Put("n" + std::to_string(pick(3)), "h" + std::to_string(pick(6)), hosts);
    }
    if (pick(3) == 0) {
      inventory_.Delete(
          index::IngressKey("n" + std::to_string(pick(3)), "h" + std::to_string(pick(6))));
    }
    const std::string input = R"({"name": "h1", "hosts": ["h)" + std::to_string(pick(6)) +
                              R"(", "h)" + std::to_string(pick(6)) + "\"]}";
    for (const TestPolicy& policy : policies) {
      Run(policy, input);
    }
  }
}

}  // namespace
}  // namespace portcullis::rego
