// Shortcuts of the engine must not show: definitions found by an index, comprehensions grouped by outer variables.

#include <string>

#include <gtest/gtest.h>

#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

// Enough definitions for an index.
constexpr std::string_view kRules =
    "package template\n"
    "import future.keywords\n"
    "p[1] { input.m == \"get\"; input.n > 0 }\n"
    "p[2] { input.m == \"put\" }\n"
    "p[3] { \"get\" == input.m }\n"
    "p[4] { m := input.m; m == \"post\" }\n"
    "p[5] { input.m in [\"get\", \"post\"] }\n"
    "p[6] { input.any }\n"
    "p[7] { input.m == 1 }\n"
    "p[8] { input.m.deep == \"get\" }\n"
    "p[9] { input.m == \"put\" with input.m as \"put\" }\n"
    "p[10] { not input.m == \"get\" }\n"
    "p[11] { some x in [\"get\", \"x\"]; input.m == x }\n";

TEST(Shortcuts, AnIndexOfRulesLeavesOutOnlyWhatHasNoSolution) {
  const TestPolicy policy{std::string(kRules), "p"};
  EXPECT_EQ(policy.Evaluate(R"({"m": "get", "n": 1})"), "{1, 3, 5, 9, 11}");
  EXPECT_EQ(policy.Evaluate(R"({"m": "get", "n": 0, "any": 1})"), "{3, 5, 6, 9, 11}");
  EXPECT_EQ(policy.Evaluate(R"({"m": "post"})"), "{4, 5, 9, 10}");
  EXPECT_EQ(policy.Evaluate(R"({"m": 1.0})"), "{7, 9, 10}");
  EXPECT_EQ(policy.Evaluate(R"({"m": {"deep": "get"}})"), "{8, 9, 10}");
  EXPECT_EQ(policy.Evaluate(R"({})"), "{9, 10}");
  EXPECT_EQ(policy.Evaluate("null"), "{9, 10}");
}

TEST(Shortcuts, AnIndexOfFunctionsKeepsElseDefaultsAndConflicts) {
  const TestPolicy policy(
      "package template\n"
      "import future.keywords\n"
      "default f(_) := \"none\"\n"
      "f(\"a\") := 1\n"
      "f(\"b\") := 2 { input.b } else := 3\n"
      "f(x) := 4 { x == \"c\" } else := 5 { x == \"d\" }\n"
      "f([\"e\", y]) := y\n"
      "f(x) := 6 { x.k == \"o\" }\n"
      "f(\"a\") := 7 { input.conflict }\n"
      "p := [f(x) | x := input.xs[_]]\n",
      "p");
  EXPECT_EQ(
      policy.Evaluate(
          R"({"xs": ["a", "b", "c", "d", ["e", 9], ["e"], {"k": "o"}, "z", null], "b": true})"),
      R"([1, 2, 4, 5, 9, "none", 6, "none", "none"])");
  EXPECT_EQ(policy.Evaluate(R"({"xs": ["b"]})"), "[3]");
  EXPECT_EQ(policy.Evaluate(R"({"xs": ["a"], "conflict": 1})"),
            "template:9: eval_conflict_error: functions must not produce multiple outputs for same "
            "inputs");
}

TEST(Shortcuts, GroupedComprehensionsGiveWhatEachRunWouldGive) {
  const TestPolicy policy(
      "package template\n"
      "import future.keywords\n"
      "arrays[k] := v { k := input.xs[_].k; v := [x.v | x := input.xs[_]; x.k == k] }\n"
      "sets[k] := v { k := input.keys[_]; v := {x.v | x := input.xs[_]; x.k == k; x.v > 1} }\n"
      "objects[k] := v { k := input.keys[_]; v := {x.v: i | x := input.xs[i]; k == x.k} }\n"
      "two[[k, w]] := v { k := input.keys[_]; w := input.xs[_].v\n"
      "  v := count([i | x := input.xs[i]; x.k == k; x.v == w]) }\n"
      "local[k] := v { xs := input.xs; k := input.keys[_]; v := [x.v | x := xs[_]; x.k == k] }\n"
      "twice[[t, k]] := v { t := [1, 2][_]; xs := [x | x := input.xs[_]; x.v >= t]\n"
      "  k := input.keys[_]; v := [x.v | x := xs[_]; x.k == k] }\n"
      "p := [arrays, sets, objects, two, local, twice]\n",
      "p");
  EXPECT_EQ(
      policy.Evaluate(
          R"({"xs": [{"k": "a", "v": 3}, {"k": "b", "v": 1}, {"k": "a", "v": 1}], "keys": ["a", "b", "z", 1]})"),
      R"([{"a": [3, 1], "b": [1]}, {1: set(), "a": {3}, "b": set(), "z": set()}, )"
      R"({1: {}, "a": {1: 2, 3: 0}, "b": {1: 1}, "z": {}}, )"
      R"({[1, 1]: 0, [1, 3]: 0, ["a", 1]: 1, ["a", 3]: 1, ["b", 1]: 1, ["b", 3]: 0, ["z", 1]: 0, ["z", 3]: 0}, )"
      R"({1: [], "a": [3, 1], "b": [1], "z": []}, )"
      R"({[1, 1]: [], [1, "a"]: [3, 1], [1, "b"]: [1], [1, "z"]: [], [2, 1]: [], [2, "a"]: [3], [2, "b"]: [], [2, "z"]: []}])");
}

TEST(Shortcuts, GroupedComprehensionsAreForgottenUnderWith) {
  const TestPolicy policy(
      "package template\n"
      "names[k] := v { k := [\"a\", \"b\", \"c\"][_]; v := [x.v | x := input.xs[_]; x.k == k] }\n"
      "p := [names, other] { other := names with input.xs as [{\"k\": \"c\", \"v\": 0}] }\n",
      "p");
  EXPECT_EQ(policy.Evaluate(R"({"xs": [{"k": "a", "v": 3}]})"),
            R"([{"a": [3], "b": [], "c": []}, {"a": [], "b": [], "c": [0]}])");
}

TEST(Shortcuts, AMemberConflictInAGroupIsNoneAsOpasIndexHasIt) {
  const TestPolicy policy(
      "package template\n"
      "p[k] := v { k := input.keys[_]; v := {\"same\": x.v | x := input.xs[_]; x.k == k} }\n",
      "p");
  const std::string xs =
      R"("xs": [{"k": "a", "v": 1}, {"k": "b", "v": 1}, {"k": "b", "v": 2}, {"k": "c", "v": 3}])";
  EXPECT_EQ(policy.Evaluate("{" + xs + R"(, "keys": ["a", "c"]})"),
            R"({"a": {"same": 1}, "c": {"same": 3}})");
  EXPECT_EQ(policy.Evaluate("{" + xs + R"(, "keys": ["a", "c", "b"]})"),
            R"({"a": {"same": 1}, "b": {"same": 2}, "c": {"same": 3}})");
}

}  // namespace
}  // namespace portcullis::rego
