// The forms of joins over the inventory that become look-ups. Each policy is answered with and without its indexes over an inventory
// in which some objects match, and must not scan.

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

struct Form {
  std::string_view name;
  std::string_view rules;   // Of package template, v0.
  std::string_view access;  // What `explain` says, line by line.
};

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

// What is reviewed: like Service n1/a, under another name.
constexpr std::string_view kInput =
    R"({"labels":["app","tier"],"label":"app","review":{"object":{"apiVersion":"v1","kind":"Service","metadata":{"name":"new","namespace":"n1","labels":{"app":"x","tier":"web"}},"spec":{"selector":{"app":"x"},"type":"ClusterIP","ports":[{"port":443}],"names":["two","three"]}}}})";

const Form kForms[] = {
    {.name = "equality with a path",
     .rules = R"(
violation[name] {
  other := data.inventory.namespace[_]["v1"]["Service"][name]
  other.spec.ports[_].port == input.review.object.spec.ports[_].port
})",
     .access = "index look-up: namespace/*/v1/Service, not read, where spec.ports[_].port == "
               "input.review.object.spec.ports[_].port\n"},
    {.name = "a key of a map that is bound",
     .rules = R"(
violation[name] {
  label := input.labels[_]
  value := input.review.object.metadata.labels[label]
  other := data.inventory.namespace[_][_][_][name]
  other.metadata.labels[label] == value
})",
     .access = "index look-up: namespace where metadata.labels[key] == [label, value]\n"},
    {.name = "a pure function of the object",
     .rules = R"(
flatten_selector(obj) = flattened {
  selectors := [s | s = concat(":", [key, val]); val = obj.spec.selector[key]]
  flattened := concat(",", sort(selectors))
}
violation[[ns, name]] {
  other := data.inventory.namespace[ns][_]["Service"][name]
  flatten_selector(other) == flatten_selector(input.review.object)
})",
     .access = "index look-up: namespace/*/*/Service where flatten_selector(object) == "
               "flatten_selector(input.review.object)\n"},
    {.name = "the same with the selector taken first",
     .rules = R"(
flatten(selector) = concat(",", sort([concat(":", [k, v]) | v = selector[k]]))
violation[[ns, name]] {
  other := data.inventory.namespace[ns][_]["Service"][name]
  theirs := flatten(other.spec.selector)
  ours := flatten(input.review.object.spec.selector)
  theirs == ours
})",
     .access = "index look-up: namespace/*/*/Service where flatten(object) == ours\n"},
    {.name = "a builtin of what is taken from the object",
     .rules = R"(
violation[name] {
  other := data.inventory.namespace[_][_]["Service"][name]
  upper(other.spec.type) == upper(input.review.object.spec.type)
})",
     .access = "index look-up: namespace/*/*/Service where an expression == "
               "upper(input.review.object.spec.type)\n"},
    {.name = "membership in a set",
     .rules = R"(
import future.keywords.in
violation[name] {
  types := {t | t := ["ClusterIP", "NodePort"][_]}
  other := data.inventory.namespace[_][_]["Service"][name]
  other.spec.type in types
})",
     .access = "index look-up: namespace/*/*/Service where spec.type in types\n"},
    {.name = "a set asked for what the object has",
     .rules = R"(
violation[name] {
  ports := {p | p := input.review.object.spec.ports[_].port}
  other := data.inventory.namespace[_][_]["Service"][name]
  ports[other.spec.ports[_].port]
})",
     .access = "index look-up: namespace/*/*/Service where spec.ports[_].port in ports\n"},
    {.name = "a list in the object holds what is bound",
     .rules = R"(
import future.keywords.in
violation[name] {
  wanted := input.review.object.spec.names[_]
  other := data.inventory.namespace[_][_]["Service"][name]
  wanted in other.spec.names
})",
     .access = "index look-up: namespace/*/*/Service where spec.names[_] == wanted\n"},
    {.name = "one element less a set of the object's",
     .rules = R"(
violation[name] {
  wanted := input.review.object.spec.names[_]
  other := data.inventory.namespace[_][_]["Service"][name]
  theirs := {n | n := other.spec.names[_]}
  count({wanted} - theirs) == 0
})",
     .access = "index look-up: namespace/*/*/Service where an expression[_] == wanted\n"},
    {.name = "containment of label pairs",
     .rules = R"(
violation[name] {
  labels := {[k, v] | v := input.review.object.metadata.labels[k]}
  pdb := data.inventory.namespace["n1"]["policy/v1"].PodDisruptionBudget[name]
  wanted := {[k, v] | v := pdb.spec.selector.matchLabels[k]}
  count(wanted - labels) == 0
})",
     .access = "index look-up: namespace/n1/policy/v1/PodDisruptionBudget where least member of an "
               "expression in labels\n"},
    {.name = "object.subset",
     .rules = R"(
violation[name] {
  pdb := data.inventory.namespace[_][_].PodDisruptionBudget[name]
  object.subset(input.review.object.metadata.labels, pdb.spec.selector.matchLabels)
})",
     .access = "index look-up: namespace/*/*/PodDisruptionBudget where least member of an "
               "expression in input.review.object.metadata.labels\n"},
    {.name = "through a helper function",
     .rules = R"(
conflicts(a, b) { a.spec.ports[_].port == b.spec.ports[_].port }
violation[name] {
  other := data.inventory.namespace[_][_]["Service"][name]
  conflicts(other, input.review.object)
})",
     .access = "index look-up: namespace/*/*/Service where spec.ports[_].port == "
               "b.spec.ports[_].port\n"},
    {.name = "through a helper of several definitions",
     .rules = R"(
conflicts(a, b) { a.spec.type == b.spec.type }
conflicts(a, b) { same_port(b, a) }
same_port(x, y) { x.spec.ports[_].port == y.spec.ports[_].port }
violation[name] {
  other := data.inventory.namespace[_][_]["Service"][name]
  conflicts(other, input.review.object)
})",
     .access = "index look-up: namespace/*/*/Service where spec.type == b.spec.type or "
               "spec.ports[_].port == x.spec.ports[_].port\n"},
    {.name = "the key is worked out after the scan",
     .rules = R"(
violation[name] {
  other := data.inventory.namespace[_][_]["Service"][name]
  host := lower(input.review.object.spec.type)
  lower(other.spec.type) == host
})",
     .access = "index look-up: namespace/*/*/Service where an expression == host\n"},
    {.name = "several equalities",
     .rules = R"(
violation[[ns, name]] {
  review := input.review.object
  other := data.inventory.namespace[ns][_]["Service"][name]
  other.spec.type == review.spec.type
  other.spec.selector.app == review.spec.selector.app
  other.metadata.labels.tier == "web"
})",
     .access = "index look-up: namespace/*/*/Service where spec.type == review.spec.type, or by "
               "spec.selector.app == review.spec.selector.app\n"},
    {.name = "a set of the whole inventory that is asked for one member",
     .rules = R"(
identical_cluster(obj, review) {
  obj.metadata.name == review.object.metadata.name
  obj.kind == review.object.kind
}
identical_namespace(obj, review) {
  obj.metadata.namespace == review.object.metadata.namespace
  obj.metadata.name == review.object.metadata.name
}
violation[{"value": val}] {
  label := input.label
  val := input.review.object.metadata.labels[label]
  cluster_objs := [o | o = data.inventory.cluster[_][_][_]; not identical_cluster(o, input.review)]
  ns_objs := [o | o = data.inventory.namespace[_][_][_][_]; not identical_namespace(o, input.review)]
  all_objs := array.concat(cluster_objs, ns_objs)
  all_values := {val | obj = all_objs[_]; val = obj.metadata.labels[label]}
  count({val} - all_values) == 0
})",
     .access = "index look-up: cluster where metadata.labels[key] == [label, val]\n"
               "index look-up: namespace where metadata.labels[key] == [label, val]\n"},
    {.name = "a set that is not asked for what it has",
     .rules = R"(
import future.keywords.in
violation[port] {
  ports := {p | p := data.inventory.namespace[_][_]["Service"][_].spec.ports[_].port}
  port := [443, 444][_]
  not port in ports
})",
     .access = "index look-up: namespace/*/*/Service where spec.ports[_].port == port\n"},
    {.name = "a count of what matches",
     .rules = R"(
violation[n] {
  n := count([1 |
    other := data.inventory.namespace[_][_]["Service"][_]
    other.spec.type == input.review.object.spec.type
  ])
})",
     .access = "index look-up: namespace/*/*/Service where spec.type == "
               "input.review.object.spec.type\n"},
    {.name = "absence",
     .rules = R"(
taken(port) { data.inventory.namespace[_][_]["Service"][_].spec.ports[_].port == port }
violation[port] {
  port := [443, 444][_]
  not taken(port)
})",
     .access = "index look-up: namespace/*/*/Service where spec.ports[_].port == port\n"},
    {.name = "one scan's result is the other's key",
     .rules = R"(
violation[[svc, pdb]] {
  s := data.inventory.namespace[ns][_]["Service"][svc]
  s.spec.type == input.review.object.spec.type
  p := data.inventory.namespace[ns][_]["PodDisruptionBudget"][pdb]
  p.spec.selector.matchLabels.app == s.spec.selector.app
})",
     .access = "index look-up: namespace/*/*/Service where spec.type == "
               "input.review.object.spec.type\n"
               "index look-up: namespace/[ns]/*/PodDisruptionBudget, not read, where "
               "spec.selector.matchLabels.app == s.spec.selector.app\n"},
};

TEST(AccessPaths, EveryFormOfJoinIsALookUpWithTheScansAnswer) {
  const index::TemporaryFolder folder;
  index::TestInventory inventory(folder.path() / "store", false,
                                 std::make_shared<RegoKeyPrograms>());
  for (const std::string_view object : kObjects) {
    inventory.Put(object);
  }
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    const TestPolicy policy("package template\n" + std::string(form.rules));
    EXPECT_EQ(policy.AccessPaths(), form.access);
    inventory.WantIndexes(policy.plan().wanted_indexes());
    const auto view = inventory->View();
    const auto scanned = policy.Run(kInput, view.get(), IndexUse::kIgnore);
    const auto indexed = policy.Run(kInput, view.get(), IndexUse::kUse);
    EXPECT_EQ(indexed.result, scanned.result);
    EXPECT_NE(indexed.result, "set()");
    EXPECT_EQ(indexed.statistics.scans, 0);
    EXPECT_GT(indexed.statistics.lookups, 0);
    EXPECT_GT(scanned.statistics.scans, 0);
    EXPECT_EQ(inventory.Problems(), "");
  }
}

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

}  // namespace
}  // namespace portcullis::rego
