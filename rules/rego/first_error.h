// What OPA makes of an evaluation that ended in an error here. A plan reaches the parts of a policy in another order than topdown
// does, and also parts that OPA's rule index leaves out, so the evaluation is gone through once more as OPA does it
// (trace/traced_query.h): it may meet another error first, or none.

#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/rego/capture.h"
#include "rules/rego/engine.h"

namespace portcullis::rego {

// The values of `variables` in each solution, in the request's arena, or the error that OPA meets first. `error`: what the
// plan's evaluation of `request` ended in. It stays where OPA's order cannot be had in a fifth of a second and within the
// request's own limits, where a store's inventory is larger than 16 MiB, and where the policy asks other systems.
// `query`: what was evaluated, compiled; nothing: it cannot be had. COST: that of an explanation, many times the plan's.
[[nodiscard]] std::expected<std::vector<std::vector<document::Value>>, EvaluationError> SettleError(
    const std::shared_ptr<const CompiledPolicy>& policy,
    const std::function<std::optional<ValueQuery>()>& query, std::span<const std::string> variables,
    const EvaluationRequest& request, EvaluationError error);

}  // namespace portcullis::rego
