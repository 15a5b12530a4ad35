// What a review took, template by template, as Gatekeeper's logs have it (--log-stats-admission, --log-stats-audit;
// gatekeeper.md 4.8).

#pragma once

#include <span>
#include <string>

#include "rules/policy/review.h"

namespace portcullis::policy {

// The JSON of `execution_stats`, in Go's order of fields: a list with an entry a template. `traced`: the review was traced.
[[nodiscard]] std::string ExecutionStats(std::span<const TemplateTime> times, bool traced);

}  // namespace portcullis::policy
