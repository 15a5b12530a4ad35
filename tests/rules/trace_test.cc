// Evaluations that are told step by step. What they tell is compared with OPA's in tests/commands/eval and tests/differential.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "rules/rego/capture.h"
#include "rules/rego/catalog.h"
#include "rules/rego/trace/traced_query.h"

namespace portcullis::rego::trace {
namespace {

// A query without modules, evaluated.
class Traced {
 public:
  explicit Traced(const std::string& text) {
    auto policy = Compile({}, {.catalog = catalog_.get()});
    auto compiled =
        CompileValueQuery(**policy, *ParseQuery(text), text, nullptr, {.catalog = catalog_.get()});
    query_ = std::make_unique<TracedQuery>(*policy, *std::move(compiled));
  }

  // "N solutions", or the error.
  std::string Run(Sink& sink) {
    EvaluationRequest request;
    request.arena = &arena_;
    request.clock = &clock_;
    const auto outcome = query_->Evaluate(request, Release::k1_22, sink);
    if (!outcome) {
      return outcome.error().ToString();
    }
    return *outcome ? std::to_string((*outcome)->size()) + " solutions"
                    : outcome->error().ToString();
  }

 private:
  const std::shared_ptr<const builtins::Catalog> catalog_ = CreateCatalog();
  SystemClock clock_;
  document::Arena arena_;
  std::unique_ptr<TracedQuery> query_;
};

TEST(TraceTest, AnExplanationListsEventsInTheirOrder) {
  Explanation explanation(Explain::kFull);
  EXPECT_EQ(Traced("x := [1, 2][_]; x > 1").Run(explanation), "1 solutions");
  const std::string text = explanation.Text(Places::kHide, Quotes::kPlain);
  EXPECT_TRUE(
      text.starts_with("Enter __localq1__ = [1, 2]; x = __localq1__[_]; gt(x, 1, _); _\n"
                       "| Eval __localq1__ = [1, 2]\n"))
      << text;
  EXPECT_NE(text.find("| Eval _\n| Fail _\n| Redo gt(x, 1, _)\n"), std::string::npos) << text;
}

TEST(TraceTest, AnExplanationThatIsFullEndsTheEvaluation) {
  Explanation explanation(Explain::kDebug, Form::kText, 4096);
  EXPECT_EQ(Traced("numbers.range(1, 100000)[_] == 0").Run(explanation),
            "eval_internal_error: trace: memory limit reached");
  EXPECT_LT(explanation.Text(Places::kShow, Quotes::kPlain).size(), 8192U);
}

TEST(TraceTest, AnExplanationAsJsonHasTreesAndWhatIsBound) {
  Explanation explanation(Explain::kNotes, Form::kJson);
  EXPECT_EQ(Traced("x := {\"<\"}; trace(\"n\")").Run(explanation), "1 solutions");
  const std::string json = explanation.Json();
  EXPECT_TRUE(json.starts_with(R"([{"Op":"Enter","Node":[{"index":0,"terms":[)")) << json;
  EXPECT_TRUE(json.ends_with(R"("Locals":null,"LocalMetadata":null,"Message":"n","Ref":null}])"))
      << json;
  Explanation full(Explain::kFull, Form::kJson);
  Traced("x := {\"<\"}; x == x").Run(full);
  EXPECT_NE(
      full.Json().find(
          R"({"name":"__localq0__","type":"set","value":[{"type":"string","value":"\u003c"}]})"),
      std::string::npos)
      << full.Json();
}

TEST(TraceTest, AnExplanationAsJsonIsBoundedToo) {
  Explanation explanation(Explain::kDebug, Form::kJson, 65536);
  EXPECT_EQ(Traced("numbers.range(1, 100000)[_] == 0").Run(explanation),
            "eval_internal_error: trace: memory limit reached");
  EXPECT_LT(explanation.Json().size(), 65536U);
}

TEST(TraceTest, AnEvaluationThatGoesTooDeepEndsWithAnError) {
  std::string query = "[x";
  for (int i = 1; i < 20000; ++i) {
    query += ", x" + std::to_string(i);
  }
  query += "] = numbers.range(1, 20000)";
  Explanation explanation(Explain::kFails);
  EXPECT_EQ(Traced(query).Run(explanation),
            "eval_internal_error: trace: the evaluation goes too deep");
}

TEST(TraceTest, AProfileCountsHowOftenEachLineWasEvaluated) {
  ManualClock clock;
  Profile profile(clock);
  EXPECT_EQ(Traced("x := [1, 2, 3][_]; x > 1").Run(profile), "2 solutions");
  const auto lines = profile.Lines(0, {"line"});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_GT(lines[0].num_eval, 5U);
  EXPECT_GT(lines[0].num_redo, 4U);
  EXPECT_GT(lines[0].num_gen_expr, 1U);
}

}  // namespace
}  // namespace portcullis::rego::trace
