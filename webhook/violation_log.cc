#include "webhook/violation_log.h"

#include <algorithm>
#include <iterator>

#include "document/json.h"
#include "rules/policy/review_stats.h"

namespace portcullis::webhook {
namespace {

using document::Value;

std::string_view VersionOf(const Value& object) {
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
}

void Log(const ToldViolation& told, const Logger& logger) {
  const policy::Violation& violation = *told.violation;
  const policy::Constraint& constraint = *violation.constraint;
  std::string actions = "[";
  for (const std::string& action : told.actions) {
    actions += (actions.size() > 1 ? ",\"" : "\"") + action + "\"";
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
                           {"constraint_api_version", told.constraint_version},
                           {"constraint_kind", std::string_view(constraint.kind)},
                           {"constraint_action", told.enforcement_action},
                           {"constraint_enforcement_actions", JsonText{actions}},
                           {"resource_group", told.group},
                           {"resource_api_version", told.version},
                           {"resource_kind", told.kind},
                           {"resource_namespace", told.name_space},
                           {"resource_name", told.name},
                           {"request_username", told.username},
                       });
}

}  // namespace

bool IsKnownAction(std::string_view action) {
  return action == "deny" || action == "warn" || action == "dryrun";
}

void TellViolations(const Value& request, const policy::Verdict& verdict, const Logger* logger,
                    ViolationListener* listener) {
  const Value object =
      request.Find(request.GetString({"operation"}) == "DELETE" ? "oldObject" : "object");
  const std::string_view name = request.GetString({"name"});
  ToldViolation told{.violation = nullptr,
                     .constraint_version = {},
                     .enforcement_action = {},
                     .actions = {},
                     .group = request.GetString({"kind", "group"}),
                     .version = request.GetString({"kind", "version"}),
                     .kind = request.GetString({"kind", "kind"}),
                     .name_space = request.GetString({"namespace"}),
                     .name = name.empty() ? object.GetString({"metadata", "name"}) : name,
                     .username = request.GetString({"userInfo", "username"}),
                     .object = object};
  for (const policy::Violation& violation : verdict.violations) {
    if (std::ranges::none_of(violation.actions, IsKnownAction)) {
      continue;
    }
    told.violation = &violation;
    told.constraint_version = VersionOf(violation.constraint->object);
    told.enforcement_action = violation.enforcement_action;
    told.actions.clear();
    if (told.enforcement_action == "scoped") {
      std::ranges::copy_if(violation.actions, std::back_inserter(told.actions), IsKnownAction);
    }
    if (logger != nullptr) {
      Log(told, *logger);
    }
    if (listener != nullptr) {
      listener->OnViolation(told);
    }
  }
}

void LogStats(const Value& request, std::span<const policy::TemplateTime> times, bool traced,
              const Logger& logger) {
  const std::string stats = policy::ExecutionStats(times, traced);
  logger.Info("admission review request stats",
              {{"hookType", "validation"},
               {"semantic", true},
               {"process", "admission"},
               {"event_type", "review_response_stats"},
               {"resource_group", request.GetString({"kind", "group"})},
               {"resource_api_version", request.GetString({"kind", "version"})},
               {"resource_kind", request.GetString({"kind", "kind"})},
               {"resource_namespace", request.GetString({"namespace"})},
               {"request_username", request.GetString({"userInfo", "username"})},
               {"execution_stats", JsonText{stats}}});
}

}  // namespace portcullis::webhook
