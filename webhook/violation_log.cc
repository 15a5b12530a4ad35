#include "webhook/violation_log.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "document/json.h"

namespace portcullis::webhook {
namespace {

using document::Value;

// The name, or for an object that has none yet, what it will begin with.
std::string_view ResourceName(const Value& request) {
  const std::string_view name = request.GetString({"name"});
  return name.empty() ? request.GetString({"object", "metadata", "generateName"}) : name;
}

std::string_view VersionOf(const Value& object) {
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
}

}  // namespace

bool IsKnownAction(std::string_view action) {
  return action == "deny" || action == "warn" || action == "dryrun";
}

void LogViolations(const Value& request, const policy::Verdict& verdict, const Logger& logger) {
  for (const policy::Violation& violation : verdict.violations) {
    if (std::ranges::none_of(violation.actions, IsKnownAction)) {
      continue;
    }
    const policy::Constraint& constraint = *violation.constraint;
    const bool scoped = constraint.enforcement_action == "scoped";
    std::string actions = "[";
    for (const std::string& action : violation.actions) {
      if (scoped && IsKnownAction(action)) {
        actions += (actions.size() > 1 ? ",\"" : "\"") + action + "\"";
      }
    }
    actions += "]";
    const std::string details =
        violation.details.is_undefined() ? "null" : document::ToJson(violation.details);
    const std::string message = "denied admission: " + std::string(violation.message);
    logger.Info(message, {
                             {"semantic", true},
                             {"process", "admission"},
                             {"details", JsonText{details}},
                             {"event_type", "violation"},
                             {"constraint_name", std::string_view(constraint.name)},
                             {"constraint_group", "constraints.gatekeeper.sh"},
                             {"constraint_api_version", VersionOf(constraint.object)},
                             {"constraint_kind", std::string_view(constraint.kind)},
                             {"constraint_action", std::string_view(constraint.enforcement_action)},
                             {"constraint_enforcement_actions", JsonText{actions}},
                             {"resource_group", request.GetString({"kind", "group"})},
                             {"resource_api_version", request.GetString({"kind", "version"})},
                             {"resource_kind", request.GetString({"kind", "kind"})},
                             {"resource_namespace", request.GetString({"namespace"})},
                             {"resource_name", ResourceName(request)},
                             {"request_username", request.GetString({"userInfo", "username"})},
                         });
  }
}

}  // namespace portcullis::webhook
