// The trace of a review: what Gatekeeper's Rego driver notes of data.hooks.violation, step by step. It is what
// `gator test --trace` shows, and what a Config's spec.validation.traces logs.
// SOURCE: frameworks/constraint pkg/client/drivers/rego/driver.go, of which the engine is OPA 1.17.

#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "rules/policy/constraint.h"
#include "rules/policy/template.h"

namespace portcullis::policy {

// Text that one trace takes at most; what comes after it is left out, and a last line says so.
inline constexpr std::size_t kTraceLimitBytes = std::size_t{64} << 20;

// Of the constraints of one template that match, in their order. `request` is that of the review; its input is not read.
// An evaluation that ends in an error has a trace up to there. ERRORS: the store failed.
// COST: an evaluation without plan and indexes; data.inventory is read whole if the policy names it.
[[nodiscard]] Result<std::string> TraceTemplate(const Template& of,
                                                std::span<const Constraint* const> constraints,
                                                const document::Value& review,
                                                const rego::EvaluationRequest& request);

// What a review found, for people.
struct TracedResult {
  std::string action;  // The constraint's.
  std::string message;
};

// The text around a trace, as Gatekeeper has it. The results, which it shows as Go holds them, are their messages here.
[[nodiscard]] std::string TraceDump(const std::string& trace,
                                    std::span<const TracedResult> results);

}  // namespace portcullis::policy
