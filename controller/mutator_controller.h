// Follows the mutators of a source and keeps the set in force in line with them.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/pod_statuses.h"
#include "controller/policy_follower.h"
#include "document/value.h"
#include "mutation/mutation_system.h"
#include "replicator/source.h"

namespace portcullis::controller {

// THREADS: any for the const methods and UpdateMetrics.
class MutatorController {
 public:
  // LIFETIME: collaborators outlive it. `statuses` is null where there is no API server to have them.
  MutatorController(replicator::Source& source, mutation::MutationStore& mutators,
                    PodStatuses* statuses, Clock& clock, const std::shared_ptr<Logger>& logger,
                    Metrics& metrics);

  // Begins to follow.
  void Start();

  // Kinds of mutators that are not all here yet, a line each; empty: they are.
  [[nodiscard]] std::vector<std::string> WaitingFor() const;
  // Gauges that need the whole set: mutators by status, and those in conflict.
  void UpdateMetrics();

 private:
  void Put(const mutation::MutatorId& id, const document::Value& object);
  void Remove(const mutation::MutatorId& id);
  // Of all of them: a conflict comes and goes with other mutators.
  [[nodiscard]] PolicyFollower::Findings Find() const;

  mutation::MutationStore& mutators_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  PolicyFollower follower_;
};

}  // namespace portcullis::controller
