// Which error of a policy OPA meets first. A plan reaches the parts of a policy in another order than topdown does, so an
// evaluation that ends in an error is gone through once more in OPA's order (trace/traced_query.h).

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "rules/rego/capture.h"
#include "rules/rego/engine.h"

namespace portcullis::rego {

// `error`: what the plan's evaluation of `request` ended in. It stays where OPA's order cannot be had in a fifth of a second
// and within the request's own limits, where a store's inventory is larger than 16 MiB, where the policy asks other systems,
// and where no error of a policy is met. `query`: what was evaluated, compiled; nothing: it cannot be had. COST: that of an
// explanation, many times the plan's.
[[nodiscard]] EvaluationError FirstError(const std::shared_ptr<const CompiledPolicy>& policy,
                                         const std::function<std::optional<ValueQuery>()>& query,
                                         const EvaluationRequest& request, EvaluationError error);

}  // namespace portcullis::rego
