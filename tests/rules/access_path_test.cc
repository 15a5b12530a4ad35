// What keeps an access path from being an index look-up, and what does not. The forms that become look-ups are cases:
// tests/cases/plans.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "tests/index/test_inventory.h"
#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

// Services of several namespaces, selectors and labels; two budgets; namespaces.
constexpr std::string_view kObjects[] = {
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"n1","labels":{"app":"x","tier":"web"}},"spec":{"selector":{"app":"x"},"type":"ClusterIP","ports":[{"port":80},{"port":443}],"names":["one","two"]}})",
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"b","namespace":"n1","labels":{"app":"y"}},"spec":{"selector":{"app":"y","tier":"web"},"type":"LoadBalancer","ports":[{"port":443}],"names":["two"]}})",
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"n2","labels":{"tier":"web"}},"spec":{"selector":{"app":"x"},"type":"ClusterIP","ports":[{"port":8080}]}})",
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"none","namespace":"n2"},"spec":{"type":"ExternalName"}})",
    R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"one","namespace":"n1"},"spec":{"selector":{"matchLabels":{"app":"x"}}}})",
    R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"two","namespace":"n1"},"spec":{"selector":{"matchLabels":{"app":"x","tier":"db"}}}})",
    R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"all","namespace":"n1"},"spec":{"selector":{"matchLabels":{}}}})",
    R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n1","labels":{"app":"x"}}})",
};

TEST(AccessPaths, EqualProgramsOfTwoTemplatesAreOneIndex) {
  const TestPolicy one(
      "package template\n"
      "violation[n] { o := data.inventory.namespace[_][_].Service[n]; f(o) == f(input) }\n"
      "f(x) = y { z := x.spec.a; y := concat(\"-\", [z, x.spec.b]) }\n");
  const TestPolicy two(
      "package template\n"
      "f(svc) = joined { first := svc.spec.a; joined := concat(\"-\", [first, svc.spec.b]) }\n"
      "violation[name] {\n"
      "  wanted := input.wanted\n"
      "  service := data.inventory.namespace[_][_].Service[name]\n"
      "  f(service) == wanted\n"
      "}\n");
  ASSERT_EQ(one.plan().wanted_indexes().size(), 1);
  EXPECT_EQ(one.plan().wanted_indexes(), two.plan().wanted_indexes());
}

TEST(AccessPaths, DefinitionsThatExcludeEachOtherAreNoConflict) {
  const auto paths = [](const std::string& functions) {
    return TestPolicy(
               "package template\nviolation[n] {\n"
               "  o := data.inventory.namespace[_][_].Service[n]\n"
               "  f(o) != \"\"\n  o.spec.a == input.a\n}\n" +
               functions)
        .AccessPaths();
  };
  const std::string look_up = "index look-up: namespace/*/*/Service where spec.a == input.a\n";
  EXPECT_EQ(paths("f(x) = y { y := x.g; x.g != \"\" }\nf(x) = x.h { x.g == \"\" }\n"), look_up);
  EXPECT_EQ(paths("f(x) = 1 { g := x.g; g == \"a\" }\nf(x) = 2 { x.g == \"b\" }\n"), look_up);
  EXPECT_EQ(paths("f(x) = 1 { is_string(x.a) }\nf(x) = 2 { y := x.a; not is_string(y) }\n"),
            look_up);
  EXPECT_EQ(paths("f(x) = 1 { x.a }\nf(x) = 2 { not x.a }\n"), look_up);
  EXPECT_EQ(paths("f(x) = 1 { x.a }\nf(x) = 2 { x.b }\n").find("full scan"), 0);
  EXPECT_EQ(paths("f(x) = 1 { x.a == 1 }\nf(x) = 2 { x.a == 1.0 }\n").find("full scan"), 0);
  EXPECT_EQ(paths("f(x) = 1 { x.a[_] == \"a\" }\nf(x) = 2 { x.a[_] == \"b\" }\n").find("full scan"),
            0);
}

TEST(AccessPaths, WhatNeedsMoreThanTheObjectIsScannedAndSaysWhy) {
  const TestPolicy policy(
      "package template\n"
      "f(x) = y { y := x.spec[input.field] }\n"
      "violation[n] { o := data.inventory.namespace[_][_].Service[n]; f(o) == input.wanted }\n");
  EXPECT_EQ(policy.AccessPaths(),
            "full scan: namespace/*/*/Service (line 3: what computes the key reads input)\n");
}

// A function that conflicts with itself for some object: the error is found whichever way the object is reached.
TEST(AccessPaths, ObjectsWhoseKeyEndsInAnErrorAreAlwaysVisited) {
  const index::TemporaryFolder folder;
  index::TestInventory inventory(folder.path() / "store", false,
                                 std::make_shared<RegoKeyPrograms>());
  for (const std::string_view object : kObjects) {
    inventory.Put(object);
  }
  const TestPolicy policy(
      "package template\n"
      "f(x) = x.spec.type { x.spec.selector }\n"
      "f(x) = \"odd\" { x.metadata.labels.tier == input_tier }\n"
      "input_tier = \"none\" { true }\n"
      "violation[n] { o := data.inventory.namespace[_][_].Service[n]; f(o) == \"ClusterIP\" }\n");
  inventory.WantIndexes(policy.plan().wanted_indexes());
  const auto view = inventory->View();
  EXPECT_EQ(policy.Run("{}", view.get(), IndexUse::kUse).result,
            policy.Run("{}", view.get(), IndexUse::kIgnore).result);
}

TEST(AccessPaths, WhatAWithReplacesIsNotAnsweredFromAnIndex) {
  const index::TemporaryFolder folder;
  index::TestInventory inventory(folder.path() / "store", false,
                                 std::make_shared<RegoKeyPrograms>());
  for (const std::string_view object : kObjects) {
    inventory.Put(object);
  }
  const TestPolicy policy(
      "package template\n"
      "same(x, y) { x.spec.type == y.type }\n"
      "always(x, y) = true\n"
      "found[n] { o := data.inventory.namespace.n1[_].Service[n]; same(o, input) }\n"
      "violation[n] { found[n] with data.template.same as always }\n");
  inventory.WantIndexes(policy.plan().wanted_indexes());
  const auto view = inventory->View();
  EXPECT_EQ(policy.Run(R"({"type": "ClusterIP"})", view.get(), IndexUse::kUse).result,
            R"({"a", "b"})");
}

}  // namespace
}  // namespace portcullis::rego
