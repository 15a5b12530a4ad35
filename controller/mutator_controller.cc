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

mutation::MutatorId IdOf(MutatorKind kind, const ObjectName& name) {
  return {.kind = kind, .name_space = name.name_space, .name = name.name};
}

}  // namespace

MutatorController::MutatorController(replicator::Source& source, mutation::MutationStore& mutators,
                                     PodStatuses* statuses, Clock& clock,
                                     const std::shared_ptr<Logger>& logger, Metrics& metrics)
    : mutators_(mutators),
      clock_(clock),
      logger_(logger->Named("mutators")),
      metrics_(metrics),
      follower_(source, statuses, StatusSubject::kMutator, logger_, [this] { return Find(); }) {
  for (const MutatorKind kind : {MutatorKind::kAssign, MutatorKind::kAssignImage,
                                 MutatorKind::kAssignMetadata, MutatorKind::kModifySet}) {
    const std::vector<std::string> versions =
        kind == MutatorKind::kAssignImage ? std::vector<std::string>{"v1alpha1"}
                                          : std::vector<std::string>{"v1", "v1beta1", "v1alpha1"};
    follower_.Add(mutation::kMutationsGroup, std::string(mutation::NameOf(kind)), versions,
                  {.put = [this, kind](const ObjectName& name,
                                       const Value& object) { Put(IdOf(kind, name), object); },
                   .remove = [this, kind](const ObjectName& name) { Remove(IdOf(kind, name)); }});
  }
}

void MutatorController::Start() {
  follower_.Start();
}

void MutatorController::Put(const mutation::MutatorId& id, const Value& object) {
  const auto started = clock_.Now();
  const Result<void> put = mutators_.Put(object);
  if (put) {
    logger_->Info("mutator ingested",
                  {{"kind", mutation::NameOf(id.kind)}, {"name", std::string_view(id.name)}});
  } else {
    logger_->Warning("mutator refused", {{"kind", mutation::NameOf(id.kind)},
                                         {"name", std::string_view(id.name)},
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

void MutatorController::Remove(const mutation::MutatorId& id) {
  mutators_.Remove(id);
  logger_->Info("mutator removed",
                {{"kind", mutation::NameOf(id.kind)}, {"name", std::string_view(id.name)}});
}

PolicyFollower::Findings MutatorController::Find() const {
  PolicyFollower::Findings findings;
  for (const mutation::MutatorStatus& status : mutators_.Statuses()) {
    PodFinding finding{.uid = status.uid,
                       .generation = status.generation,
                       .enforced = status.enforced,
                       .errors = {}};
    for (const mutation::MutatorError& error : status.errors) {
      finding.errors.push_back({.code = error.type, .message = error.message, .location = {}});
    }
    const ObjectName name{.name_space = status.id.name_space, .name = status.id.name};
    findings.emplace_back(follower_.KeyOf(std::string(mutation::NameOf(status.id.kind)), name),
                          std::move(finding));
  }
  return findings;
}

std::vector<std::string> MutatorController::WaitingFor() const {
  return follower_.WaitingFor("mutators");
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
