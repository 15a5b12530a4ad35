// One evaluation of a program within its limits, and the words for what came of it.

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/traced_query.h"
#include "tests/fuzz/limits.h"
#include "tests/fuzz/program.h"

namespace portcullis::fuzz {

// What Run() begins with where a limit was reached: all else depends on the program alone.
inline constexpr std::string_view kCancelled = "eval_cancel_error";

// Runs once.
class Evaluation {
 public:
  // LIFETIME: `program` outlives this.
  explicit Evaluation(const Program& program);

  // The result as Rego prints it, "undefined" or the error's text; then what was printed.
  // REQUIRES, as the engine's promise: it does not fail, and keeps to its limits.
  std::string Run(const rego::Plan& plan);
  // The same of a query whose first variable is asked for.
  std::string Run(const rego::QueryPlan& plan);
  // The same by the evaluator that tells its steps. kCancelled also where it goes too deep or has too much to tell.
  std::string Run(const rego::trace::TracedQuery& query);

  // To be changed before Run().
  rego::EvaluationRequest request;
  document::Arena documents;

 private:
  using Rows = std::vector<std::vector<rego::Binding>>;
  [[nodiscard]] std::string Shown(
      const Result<std::expected<Rows, rego::EvaluationError>>& outcome) const;

  document::Arena arena_{kMemoryLimit};
  HalfClock clock_;
  std::string prints_;
};

}  // namespace portcullis::fuzz
