#include "controller/expansion_controller.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace portcullis::controller {

using document::Value;

ExpansionController::ExpansionController(replicator::Source& source,
                                         policy::ExpansionStore& templates, PodStatuses* statuses,
                                         const std::shared_ptr<Logger>& logger, Metrics& metrics)
    : templates_(templates),
      logger_(logger->Named("expansion")),
      metrics_(metrics),
      follower_(source, statuses, StatusSubject::kExpansion, logger_, [this] { return Find(); }) {
  follower_.Add("expansion.gatekeeper.sh", "ExpansionTemplate", {"v1beta1", "v1alpha1"},
                {.put = [this](const ObjectName& name, const Value& object) { Put(name, object); },
                 .remove = [this](const ObjectName& name) { templates_.Remove(name.name); }});
}

void ExpansionController::Start() {
  follower_.Start();
}

void ExpansionController::Put(const ObjectName& name, const Value& object) {
  if (const Result<void> put = templates_.Put(object); !put) {
    logger_->Error("upserting template", {{"template_name", std::string_view(name.name)},
                                          {"error", std::string_view(put.error().message)}});
  }
}

PolicyFollower::Findings ExpansionController::Find() const {
  PolicyFollower::Findings findings;
  for (const policy::ExpansionStatus& status : templates_.Statuses()) {
    PodFinding finding{.uid = status.uid, .generation = status.generation};
    if (!status.error.empty()) {
      finding.errors.push_back({.code = {}, .message = status.error, .location = {}});
    }
    findings.emplace_back(
        follower_.KeyOf("ExpansionTemplate", {.name_space = {}, .name = status.name}),
        std::move(finding));
  }
  return findings;
}

std::vector<std::string> ExpansionController::WaitingFor() const {
  return follower_.WaitingFor("expansion templates");
}

void ExpansionController::UpdateMetrics() {
  const std::vector<policy::ExpansionStatus> statuses = templates_.Statuses();
  const auto refused = std::ranges::count_if(
      statuses, [](const policy::ExpansionStatus& status) { return !status.error.empty(); });
  constexpr const char* kName = "gatekeeper_expansion_templates";
  constexpr const char* kHelp = "Number of observed expansion templates";
  metrics_.GetGauge(kName, kHelp, {{"status", "error"}}).Set(static_cast<double>(refused));
  metrics_.GetGauge(kName, kHelp, {{"status", "active"}})
      .Set(static_cast<double>(statuses.size()) - static_cast<double>(refused));
}

}  // namespace portcullis::controller
