// Queries whose evaluation is told step by step.

#pragma once

#include <expected>
#include <memory>
#include <vector>

#include "rules/builtins/prepared_cache.h"
#include "rules/rego/capture.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/trace.h"

namespace portcullis::rego::trace {

// Which release of OPA's evaluator and rule index is followed where they differ.
enum class Release : std::uint8_t {
  k1_22,  // This project's.
  k1_17,  // Gatekeeper's.
};

// A compiled query, evaluated without plan: much slower than a plan, and in OPA's order of steps.
// THREADS: Evaluate may be called in parallel. LIFETIME: results name the policy's and the query's constants.
class TracedQuery {
 public:
  TracedQuery(std::shared_ptr<const CompiledPolicy> policy, ValueQuery query);

  // As QueryPlan::Evaluate. The inventory of the request is read whole if the policy names it. A sink that is full, or an
  // evaluation that goes too deep for the native stack, ends it with eval_internal_error.
  [[nodiscard]] Result<std::expected<std::vector<std::vector<Binding>>, EvaluationError>> Evaluate(
      const EvaluationRequest& request, Release release, Sink& sink) const;

 private:
  // `data` with data.inventory, where the request has a store for it and the policy names it.
  [[nodiscard]] Result<std::expected<document::Value, EvaluationError>> DataOf(
      const EvaluationRequest& request) const;

  const std::shared_ptr<const CompiledPolicy> policy_;
  ValueQuery query_;
  mutable builtins::PreparedCache prepared_;
};

}  // namespace portcullis::rego::trace
