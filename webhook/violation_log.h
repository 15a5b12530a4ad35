// A line in the log for each violation of a review, with Gatekeeper's keys (--log-denies, gatekeeper.md 4.8).

#pragma once

#include "base/log.h"
#include "document/value.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// `request` is the AdmissionRequest. Violations whose action is none at all have no line, as they have no effect.
void LogViolations(const document::Value& request, const policy::Verdict& verdict,
                   const Logger& logger);

// True for deny, warn and dryrun.
[[nodiscard]] bool IsKnownAction(std::string_view action);

}  // namespace portcullis::webhook
