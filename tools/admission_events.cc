#include "tools/admission_events.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace portcullis::tools {
namespace {

// Of wishes that the writer has still to fulfil, before it is left alone.
constexpr std::size_t kMostUnwritten = 64;

struct Words {
  std::string_view reason;
  std::string_view message;
};

Words WordsOf(std::string_view action) {
  if (action == "dryrun") {
    return {"DryrunViolation", "Dryrun violation"};
  }
  if (action == "warn") {
    return {"WarningAdmission",
            "Admission webhook \"validation.gatekeeper.sh\" raised a warning for this request"};
  }
  return {"FailedAdmission", "Admission webhook \"validation.gatekeeper.sh\" denied request"};
}

}  // namespace

void AdmissionEvents::OnViolation(const webhook::ToldViolation& told) {
  const policy::Constraint& constraint = *told.violation->constraint;
  controller::Event event;
  event.component = "gatekeeper-webhook";
  controller::SetSubject(
      {.kind = told.kind,
       .name = told.name,
       .name_space = told.object.GetString({"metadata", "namespace"}),
       .uid = told.object.GetString({"metadata", "uid"}),
       .resource_version = told.object.GetString({"metadata", "resourceVersion"}),
       .constraint_kind = constraint.kind,
       .constraint_name = constraint.name},
      place_, &event);
  event.annotations = {
      {"process", "admission"},
      {"event_type", "violation"},
      {"constraint_name", constraint.name},
      {"constraint_group", "constraints.gatekeeper.sh"},
      {"constraint_api_version", std::string(told.constraint_version)},
      {"constraint_kind", constraint.kind},
      {"constraint_action", std::string(told.enforcement_action)},
      {"constraint_enforcement_actions", fmt::format("{}", fmt::join(told.actions, ","))},
      {"resource_group", std::string(told.group)},
      {"resource_api_version", std::string(told.version)},
      {"resource_kind", std::string(told.kind)},
      {"resource_namespace", std::string(told.name_space)},
      {"resource_name", std::string(told.name)},
      {"request_username", std::string(told.username)}};
  std::vector<std::string> actions = told.actions;
  if (actions.empty()) {
    actions.emplace_back(told.enforcement_action);
  }
  for (const std::string& action : actions) {
    const Words words = WordsOf(action);
    event.reason = words.reason;
    event.message = fmt::format(
        "{}, {}Constraint: {}, Message: {}", words.message,
        place_.beside_objects ? "" : fmt::format("Resource Namespace: {}, ", told.name_space),
        constraint.name, told.violation->message);
    take_(event);
  }
}

WrittenAdmissionEvents::WrittenAdmissionEvents(controller::EventPlace place,
                                               controller::ObjectWriter& writer, Clock& clock,
                                               Metrics& metrics)
    : events_(writer, clock),
      queue_({.emit = [this](const controller::Event& event) { events_.Emit(event); },
              .is_free = [&writer] { return writer.waiting() < kMostUnwritten; }},
             metrics),
      listener_(std::move(place),
                [this](controller::Event event) { queue_.Offer(std::move(event)); }) {}

}  // namespace portcullis::tools
