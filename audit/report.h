// What an audit tells of the violations that are kept: Gatekeeper's status of each constraint, its log lines, totals
// (gatekeeper.md 5.3 and 5.4), and PolicyReports.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/verdict_store.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "document/object.h"
#include "rules/policy/policy_set.h"
#include "store/store.h"

namespace portcullis::audit {

// A violation as status, logs and events show it. LIFETIME: the call that gives it.
struct ShownViolation {
  const policy::Constraint* constraint = nullptr;
  document::GroupVersionKind object_type;
  std::string_view name_space;
  std::string_view name;
  std::string_view message;  // Cut at 256 bytes.
  std::string_view details;  // JSON; empty: none.
  std::string_view enforcement_action;
  std::vector<std::string> actions;  // Of a scoped constraint.
  document::Value labels;            // Of the object.
  std::string_view uid;              // Of an object that is not in the inventory, as the next.
  std::string_view resource_version;
};

// "2026-08-01T10:00:00Z"
[[nodiscard]] std::string Timestamp(Clock& clock);
// The first 253 bytes and "..." of what has more than 256.
[[nodiscard]] std::string CutMessage(std::string_view message);
// deny, dryrun, warn, scoped, or "unrecognized" for all else.
[[nodiscard]] std::string_view KnownAction(std::string_view enforcement_action);

// What one constraint's status is to show.
struct ConstraintStatus {
  std::uint64_t total = 0;
  std::vector<std::string>
      violations;  // JSON objects, as they are to be written: at most the limit.
};

// Reads what is kept of one constraint. Each violation also goes to `each`, if there is one.
// COST: memory for `limit` violations. ERRORS: kCorruption.
[[nodiscard]] Result<ConstraintStatus> ReadStatus(
    store::Store& store, const policy::Constraint& constraint, std::size_t limit,
    const std::function<void(const ShownViolation&)>& each);

// A merge patch of the constraint's status.
[[nodiscard]] std::string StatusPatch(const ConstraintStatus& status, std::string_view timestamp,
                                      std::size_t limit);

// Gatekeeper's log lines.
void LogViolation(const Logger& logger, std::string_view audit_id, const ShownViolation& violation);
void LogConstraint(const Logger& logger, std::string_view audit_id,
                   const policy::Constraint& constraint, std::uint64_t total);

}  // namespace portcullis::audit
