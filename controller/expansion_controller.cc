#include "controller/expansion_controller.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace portcullis::controller {
namespace {

using document::Value;

SubjectKey KeyOf(const std::string& name) {
  return {.subject = StatusSubject::kExpansion, .name = name};
}

}  // namespace

ExpansionController::ExpansionController(replicator::Source& source,
                                         policy::ExpansionStore& templates, PodStatuses* statuses,
                                         const std::shared_ptr<Logger>& logger, Metrics& metrics)
    : source_(source),
      templates_(templates),
      statuses_(statuses),
      logger_(logger->Named("expansion")),
      metrics_(metrics) {
  std::vector<std::string> versions = {"v1beta1"};
  if (!source_.converts_versions()) {
    versions.emplace_back("v1alpha1");
  }
  for (const std::string& version : versions) {
    ObjectHandler handler{
        .put = [this, version](const ObjectName& name,
                               const Value& object) { Put(version, name, object); },
        .remove = [this, version](const ObjectName& name) { Remove(version, name); },
        .settled = [this](bool listed) { WriteStatuses(listed); }};
    followed_.push_back({{"expansion.gatekeeper.sh", version, "ExpansionTemplate"},
                         std::make_unique<ObjectSink>(std::move(handler))});
  }
}

ExpansionController::~ExpansionController() {
  for (const Followed& followed : followed_) {
    source_.Unfollow(followed.type, *followed.sink);
  }
}

void ExpansionController::Start() {
  for (const Followed& followed : followed_) {
    source_.Follow(followed.type, *followed.sink);
  }
}

void ExpansionController::Put(const std::string& version, const ObjectName& name,
                              const Value& object) {
  const auto [at, is_new] = versions_.try_emplace(name.name, version);
  if (at->second != version) {
    logger_->Warning(
        "there is another template of this name, of another version: that one counts",
        {{"name", std::string_view(name.name)}, {"version", std::string_view(at->second)}});
    return;
  }
  // Deleted, though a finalizer still holds it: it counts no more.
  if (object.Get({"metadata", "deletionTimestamp"}).is_string()) {
    return Remove(version, name);
  }
  if (statuses_ != nullptr) {
    statuses_->Meet(KeyOf(name.name), object.GetString({"metadata", "uid"}),
                    object.Get({"status", "byPod"}));
  }
  if (const Result<void> put = templates_.Put(object); !put) {
    logger_->Error("upserting template", {{"template_name", std::string_view(name.name)},
                                          {"error", std::string_view(put.error().message)}});
  }
}

void ExpansionController::Remove(const std::string& version, const ObjectName& name) {
  const auto found = versions_.find(name.name);
  if (found == versions_.end() || found->second != version) {
    return;
  }
  versions_.erase(found);
  templates_.Remove(name.name);
  if (statuses_ != nullptr) {
    statuses_->Remove(KeyOf(name.name));
    written_.erase(name.name);
  }
}

void ExpansionController::WriteStatuses(bool listed) {
  if (statuses_ == nullptr) {
    return;
  }
  for (policy::ExpansionStatus& status : templates_.Statuses()) {
    const auto written = written_.find(status.name);
    if (written != written_.end() && written->second == status) {
      continue;
    }
    PodFinding finding{.uid = status.uid, .generation = status.generation};
    if (!status.error.empty()) {
      finding.errors.push_back({.code = {}, .message = status.error, .location = {}});
    }
    statuses_->Put(KeyOf(status.name), finding);
    const std::string name = status.name;
    written_[name] = std::move(status);
  }
  if (listed) {
    statuses_->SetListed(StatusSubject::kExpansion, "");
  }
}

std::vector<std::string> ExpansionController::WaitingFor() const {
  std::vector<std::string> waiting;
  for (const replicator::KindStatus& status : source_.Status()) {
    const bool ours = std::ranges::any_of(
        followed_, [&](const Followed& followed) { return followed.sink.get() == status.sink; });
    if (ours && !status.synced) {
      waiting.push_back("expansion templates: " + status.type.ToString() +
                        (status.last_error.empty() ? "" : ": " + status.last_error));
    }
  }
  return waiting;
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
