// What is told of the violations of a review beside the reply: a line in the log for each, with Gatekeeper's keys (--log-denies),
// and a call for each to who records them elsewhere (--emit-admission-events; gatekeeper.md 4.8).

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "document/value.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// LIFETIME: the call that gives it.
struct ToldViolation {
  const policy::Violation* violation = nullptr;
  std::string_view constraint_version;  // Of its API: "v1beta1".
  std::string_view enforcement_action;  // deny, warn, dryrun or scoped.
  std::vector<std::string> actions;     // Of a scoped constraint: those that there are.
  std::string_view group;               // Of the request, as the next.
  std::string_view version;
  std::string_view kind;
  std::string_view name_space;
  std::string_view name;  // Or the object's own.
  std::string_view username;
  document::Value object;  // Under review; undefined or null: none.
};

// THREADS: any; a review waits for the call.
class ViolationListener {
 public:
  virtual ~ViolationListener() = default;
  virtual void OnViolation(const ToldViolation& told) = 0;
};

// `request` is the AdmissionRequest. Violations whose action is none at all are not told of, as they have no effect. A null
// `logger` or `listener` is told nothing.
void TellViolations(const document::Value& request, const policy::Verdict& verdict,
                    const Logger* logger, ViolationListener* listener);

// What the review took, template by template (--log-stats-admission).
void LogStats(const document::Value& request, std::span<const policy::TemplateTime> times,
              bool traced, const Logger& logger);

// True for deny, warn and dryrun.
[[nodiscard]] bool IsKnownAction(std::string_view action);

}  // namespace portcullis::webhook
