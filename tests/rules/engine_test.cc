#include "rules/rego/engine.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

TEST(Engine, CompleteRulesThatDifferConflictWithGatekeepersText) {
  const TestPolicy policy("package template\np = 1 { input.a }\np = 2 { input.b }\n", "p");
  EXPECT_EQ(policy.Evaluate(R"({"a": 1})"), "1");
  EXPECT_EQ(policy.Evaluate(R"({"b": 1})"), "2");
  EXPECT_EQ(policy.Evaluate(R"({})"), "undefined");
  EXPECT_EQ(policy.Evaluate(R"({"a": 1, "b": 1})"),
            "template:2: eval_conflict_error: complete rules must not produce multiple outputs");
}

TEST(Engine, FunctionsThatDifferConflictWithGatekeepersText) {
  const TestPolicy policy(
      "package template\n"
      "f(x) = 1 { x > 0 }\n"
      "\n"
      "f(x) = 2 { x > 1 }\n"
      "p = y { y := f(input) }\n",
      "p");
  EXPECT_EQ(policy.Evaluate("1"), "1");
  EXPECT_EQ(policy.Evaluate("2"),
            "template:4: eval_conflict_error: functions must not produce multiple outputs for same "
            "inputs");
}

TEST(Engine, PartialRulesAskedByShapeAnswerAsTheWholeWould) {
  const std::string rules =
      "package template\n"
      "general[{\"msg\": msg, \"field\": field}] {\n"
      "  item := input.spec[field][_]\n"
      "  msg := item.name\n"
      "}\n";
  const TestPolicy by_shape(
      rules + "p[msg] { general[{\"msg\": msg, \"field\": \"containers\"}] }\n", "p");
  const TestPolicy by_whole(rules + "p[m.msg] { general[m]; m.field == \"containers\" }\n", "p");
  const std::string input =
      R"({"spec": {"containers": [{"name": "b"}, {"name": "a"}], "initContainers": [{"name": "c"}]}})";
  EXPECT_EQ(by_shape.Evaluate(input), R"({"a", "b"})");
  EXPECT_EQ(by_whole.Evaluate(input), R"({"a", "b"})");
}

TEST(Engine, WithReplacesInputDataAndFunctionsForItsExpressionOnly) {
  const TestPolicy policy(
      "package template\n"
      "import future.keywords\n"
      "q := input.a\n"
      "f(x) := x + 1\n"
      "g(x) := x * 10\n"
      "p := [a, b, c, d, e] {\n"
      "  a := q with input.a as 2\n"
      "  b := q\n"
      "  c := data.other.x with data.other.x as 3\n"
      "  d := f(1) with f as g\n"
      "  e := count([1, 2]) with count as 7\n"
      "}\n",
      "p");
  EXPECT_EQ(policy.Evaluate(R"({"a": 1})"), "[2, 1, 3, 10, 7]");
}

TEST(Engine, RefHeadsOfSeveralVariablesMakeNestedObjects) {
  const TestPolicy policy(
      "package template\n"
      "import rego.v1\n"
      "p[x].b[y] := x + y if { some x in [1, 2]; some y in [3, 4] }\n"
      "p.q.c := 5\n",
      "p");
  EXPECT_EQ(policy.Evaluate(),
            "{1: {\"b\": {3: 4, 4: 5}}, 2: {\"b\": {3: 5, 4: 6}}, \"q\": {\"c\": 5}}");
}

TEST(Engine, RulesNestedTooDeeplyAreAnErrorOfThePolicy) {
  std::string text = "package template\np0 = x { x := input }\n";
  for (int i = 1; i <= 1500; ++i) {
    text += "p" + std::to_string(i) + " = x { x := p" + std::to_string(i - 1) + " }\n";
  }
  const TestPolicy deep(text, "p1500");
  EXPECT_EQ(deep.Evaluate("1"),
            "template:503: eval_cancel_error: rules and loops are nested too deeply");
  const TestPolicy shallow(text, "p300");
  EXPECT_EQ(shallow.Evaluate("1"), "1");
}

TEST(Engine, EvaluationBeyondTheMemoryLimitIsAnErrorOfThePolicy) {
  TestPolicy policy(
      "package template\n"
      "p := [x | x := [a, b, c]; input[a]; input[b]; input[c]]\n",
      "p");
  policy.memory_limit = 1 << 20;
  std::string input = "[0";
  for (int i = 0; i < 200; ++i) {
    input += ",1";
  }
  EXPECT_EQ(policy.Evaluate(input + "]"), "eval_cancel_error: memory limit reached");
}

TEST(Engine, EvaluationPastItsDeadlineIsAnErrorOfThePolicy) {
  const TestPolicy policy(
      "package template\n"
      "p := count([1 | input[a]; input[b]; input[c]; input[d]; a + b + c + d == -1])\n",
      "p");
  document::Arena arena;
  ManualClock clock;
  EvaluationRequest request;
  document::ArrayBuilder input(arena);
  for (int i = 0; i < 100; ++i) {
    input.Add(document::Value::Int(i));
  }
  request.input = input.Finish();
  request.arena = &arena;
  request.clock = &clock;
  request.deadline = clock.Now();
  const auto result = policy.plan().Evaluate(request);
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().ToString(), "eval_cancel_error: caller cancelled query execution");
}

}  // namespace
}  // namespace portcullis::rego
