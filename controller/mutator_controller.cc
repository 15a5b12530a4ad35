#include "controller/mutator_controller.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "mutation/conflicts.h"

namespace portcullis::controller {
namespace {

using document::Value;
using mutation::MutatorKind;

// The bounds of Gatekeeper's histogram, in seconds.
const std::vector<double>& IngestionBounds() {
  static const std::vector<double> bounds = {.001, .002, .003, .004, .005, .006, .007,
                                             .008, .009, .01,  .02,  .03,  .04,  .05};
  return bounds;
}

SubjectKey KeyOf(const mutation::MutatorId& id) {
  return {.subject = StatusSubject::kMutator,
          .kind = std::string(mutation::NameOf(id.kind)),
          .name_space = id.name_space,
          .name = id.name};
}

}  // namespace

MutatorController::MutatorController(replicator::Source& source, mutation::MutationStore& mutators,
                                     PodStatuses* statuses, Clock& clock,
                                     const std::shared_ptr<Logger>& logger, Metrics& metrics)
    : source_(source),
      mutators_(mutators),
      statuses_(statuses),
      clock_(clock),
      logger_(logger->Named("mutators")),
      metrics_(metrics) {
  for (const MutatorKind kind : {MutatorKind::kAssign, MutatorKind::kAssignImage,
                                 MutatorKind::kAssignMetadata, MutatorKind::kModifySet}) {
    if (kind == MutatorKind::kAssignImage) {
      Follow(kind, "v1alpha1");
      continue;
    }
    Follow(kind, "v1");
    // Where the other side converts, one version stands for all.
    if (!source_.converts_versions()) {
      Follow(kind, "v1beta1");
      Follow(kind, "v1alpha1");
    }
  }
}

MutatorController::~MutatorController() {
  for (const Followed& followed : followed_) {
    source_.Unfollow(followed.type, *followed.sink);
  }
}

void MutatorController::Follow(MutatorKind kind, const std::string& version) {
  ObjectHandler handler{
      .put = [this, kind, version](const ObjectName& name,
                                   const Value& object) { Put(kind, version, name, object); },
      .remove = [this, kind, version](const ObjectName& name) { Remove(kind, version, name); },
      .settled =
          [this, kind](bool listed) {
            WriteStatuses();
            if (listed && statuses_ != nullptr) {
              statuses_->SetListed(StatusSubject::kMutator, std::string(mutation::NameOf(kind)));
            }
          }};
  followed_.push_back(
      {{std::string(mutation::kMutationsGroup), version, std::string(mutation::NameOf(kind))},
       std::make_unique<ObjectSink>(std::move(handler))});
}

void MutatorController::Start() {
  for (const Followed& followed : followed_) {
    source_.Follow(followed.type, *followed.sink);
  }
}

void MutatorController::Put(MutatorKind kind, const std::string& version, const ObjectName& name,
                            const Value& object) {
  const mutation::MutatorId id{.kind = kind, .name_space = name.name_space, .name = name.name};
  const auto [at, is_new] = versions_.try_emplace(id, version);
  if (at->second != version) {
    logger_->Warning("there is another mutator of this name, of another version: that one counts",
                     {{"kind", mutation::NameOf(kind)},
                      {"name", std::string_view(name.name)},
                      {"version", std::string_view(at->second)}});
    return;
  }
  const auto started = clock_.Now();
  // Deleted, though a finalizer still holds it: it counts no more.
  if (object.Get({"metadata", "deletionTimestamp"}).is_string()) {
    return Remove(kind, version, name);
  }
  if (statuses_ != nullptr) {
    statuses_->Meet(KeyOf(id), object.GetString({"metadata", "uid"}),
                    object.Get({"status", "byPod"}));
  }
  // A write of the status alone changes no mutator. Without an API server there is no generation to tell it by.
  const Value generation = object.Get({"metadata", "generation"});
  if (generation.is_number()) {
    const std::string revision =
        std::string(object.GetString({"metadata", "uid"})) + "/" + document::NumberText(generation);
    if (std::exchange(revisions_[id], revision) == revision) {
      return;
    }
  }
  const Result<void> put = mutators_.Put(object);
  if (put) {
    logger_->Info("mutator ingested",
                  {{"kind", mutation::NameOf(kind)}, {"name", std::string_view(name.name)}});
  } else {
    logger_->Warning("mutator refused", {{"kind", mutation::NameOf(kind)},
                                         {"name", std::string_view(name.name)},
                                         {"error", std::string_view(put.error().message)}});
  }
  const Labels labels{{"status", put ? "active" : "error"}};
  metrics_
      .GetCounter("gatekeeper_mutator_ingestion_count_total",
                  "Total number of Mutator ingestion actions", labels)
      .Increment();
  metrics_
      .GetHistogram("gatekeeper_mutator_ingestion_duration_seconds",
                    "The distribution of Mutator ingestion durations", IngestionBounds(), labels)
      .Observe(std::chrono::duration<double>(clock_.Now() - started).count());
}

void MutatorController::Remove(MutatorKind kind, const std::string& version,
                               const ObjectName& name) {
  const mutation::MutatorId id{.kind = kind, .name_space = name.name_space, .name = name.name};
  const auto found = versions_.find(id);
  if (found == versions_.end() || found->second != version) {
    return;
  }
  versions_.erase(found);
  revisions_.erase(id);
  mutators_.Remove(id);
  if (statuses_ != nullptr) {
    statuses_->Remove(KeyOf(id));
    written_.erase(id);
  }
  logger_->Info("mutator removed",
                {{"kind", mutation::NameOf(kind)}, {"name", std::string_view(name.name)}});
}

void MutatorController::WriteStatuses() {
  if (statuses_ == nullptr) {
    return;
  }
  for (mutation::MutatorStatus& status : mutators_.Statuses()) {
    const auto written = written_.find(status.id);
    if (written != written_.end() && written->second == status) {
      continue;
    }
    PodFinding finding{.uid = status.uid,
                       .generation = status.generation,
                       .enforced = status.enforced,
                       .errors = {}};
    for (const mutation::MutatorError& error : status.errors) {
      finding.errors.push_back({.code = error.type, .message = error.message, .location = {}});
    }
    statuses_->Put(KeyOf(status.id), finding);
    const mutation::MutatorId id = status.id;
    written_[id] = std::move(status);
  }
}

std::vector<std::string> MutatorController::WaitingFor() const {
  std::vector<std::string> waiting;
  for (const replicator::KindStatus& status : source_.Status()) {
    const bool ours = std::ranges::any_of(
        followed_, [&](const Followed& followed) { return followed.sink.get() == status.sink; });
    if (ours && !status.synced) {
      waiting.push_back("mutators: " + status.type.ToString() +
                        (status.last_error.empty() ? "" : ": " + status.last_error));
    }
  }
  return waiting;
}

void MutatorController::UpdateMetrics() {
  double active = 0;
  double conflicting = 0;
  const std::vector<mutation::MutatorStatus> statuses = mutators_.Statuses();
  for (const mutation::MutatorStatus& status : statuses) {
    active += status.enforced ? 1 : 0;
    conflicting += std::ranges::any_of(status.errors, [](const mutation::MutatorError& error) {
      return error.type == mutation::kConflictType;
    });
  }
  constexpr const char* kHelp = "The current number of Mutator objects";
  metrics_.GetGauge("gatekeeper_mutators", kHelp, {{"status", "active"}}).Set(active);
  metrics_.GetGauge("gatekeeper_mutators", kHelp, {{"status", "error"}})
      .Set(static_cast<double>(statuses.size()) - active);
  metrics_
      .GetGauge("gatekeeper_mutator_conflicting_count",
                "The current number of conflicting Mutator objects")
      .Set(conflicting);
}

}  // namespace portcullis::controller
