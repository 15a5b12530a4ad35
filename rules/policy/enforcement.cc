#include "rules/policy/enforcement.h"

#include <algorithm>

#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::Value;

bool IsAction(std::string_view action) {
  return action == "deny" || action == "dryrun" || action == "warn";
}

bool IsPoint(std::string_view point) {
  return point == "*" || point == "validation.gatekeeper.sh" || point == "audit.gatekeeper.sh" ||
         point == "gator.gatekeeper.sh" || point == "vap.k8s.io";
}

Result<void> CheckScopedActions(const std::vector<ScopedAction>& scoped) {
  std::vector<std::string> points;
  std::vector<std::string> actions;
  for (const ScopedAction& entry : scoped) {
    if (!IsAction(entry.action)) {
      actions.push_back(entry.action);
    }
    if (entry.points.empty()) {
      points.emplace_back();
    }
    std::ranges::copy_if(entry.points, std::back_inserter(points),
                         [](const std::string& point) { return !IsPoint(point); });
  }
  std::string text;
  if (!points.empty()) {
    text =
        "unrecognized enforcement points: constraint will not be enforced for enforcement points " +
        GoList(points) +
        ", supported enforcement points are [validation.gatekeeper.sh audit.gatekeeper.sh "
        "gator.gatekeeper.sh "
        "vap.k8s.io]";
  }
  if (!actions.empty()) {
    if (!text.empty()) {
      text += '\n';
    }
    text += "unrecognized enforcementAction: " + GoList(actions) +
            " is not within the supported list [deny dryrun warn]";
  }
  if (text.empty()) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument, text);
}

}  // namespace

std::vector<ScopedAction> ParseScopedActions(const Value& constraint) {
  std::vector<ScopedAction> scoped;
  const Value entries = constraint.Get({"spec", "scopedEnforcementActions"});
  for (std::uint32_t i = 0; entries.is_array() && i < entries.size(); ++i) {
    ScopedAction entry;
    entry.action = std::string(entries.ItemAt(i).GetString({"action"}));
    const Value points = entries.ItemAt(i).Find("enforcementPoints");
    for (std::uint32_t p = 0; points.is_array() && p < points.size(); ++p) {
      entry.points.emplace_back(points.ItemAt(p).GetString({"name"}));
    }
    scoped.push_back(std::move(entry));
  }
  return scoped;
}

Result<void> CheckEnforcementAction(const Value& constraint) {
  const Value given = constraint.Get({"spec", "enforcementAction"});
  if (given.is_undefined() || (given.is_string() && given.string().empty())) {
    return {};
  }
  if (!given.is_string()) {
    return Fail(ErrorCode::kInvalidArgument, "spec.enforcementAction must be a string");
  }
  const std::string_view action = given.string();
  if (action == "scoped") {
    if (constraint.Get({"spec", "scopedEnforcementActions"}).is_undefined()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "error fetching scopedEnforcementActions: scopedEnforcementActions is required");
    }
    return CheckScopedActions(ParseScopedActions(constraint));
  }
  if (IsAction(action)) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              "unrecognized enforcementAction: " + Quote(action) +
                  " is not within the supported list [deny dryrun warn scoped]");
}

}  // namespace portcullis::policy
