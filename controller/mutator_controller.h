// Follows the mutators of a source and keeps the set in force in line with them.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/object_sink.h"
#include "controller/pod_statuses.h"
#include "document/object.h"
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
  ~MutatorController();
  MutatorController(const MutatorController&) = delete;
  MutatorController& operator=(const MutatorController&) = delete;

  // Begins to follow.
  void Start();

  // Kinds of mutators that are not all here yet, a line each; empty: they are.
  [[nodiscard]] std::vector<std::string> WaitingFor() const;
  // Gauges that need the whole set: mutators by status, and those in conflict.
  void UpdateMetrics();

 private:
  struct Followed {
    document::GroupVersionKind type;
    std::unique_ptr<ObjectSink> sink;
  };
  void Follow(mutation::MutatorKind kind, const std::string& version);
  void Put(mutation::MutatorKind kind, const std::string& version, const ObjectName& name,
           const document::Value& object);
  void Remove(mutation::MutatorKind kind, const std::string& version, const ObjectName& name);

  // Writes the statuses that a batch changed: a conflict comes and goes with other mutators.
  void WriteStatuses();

  replicator::Source& source_;
  mutation::MutationStore& mutators_;
  PodStatuses* const statuses_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  std::vector<Followed> followed_;
  // Of the source's thread: the version of the manifest that counts.
  std::map<mutation::MutatorId, std::string> versions_;
  // The uid and generation that was put last.
  std::map<mutation::MutatorId, std::string> revisions_;
  // What was written last.
  std::map<mutation::MutatorId, mutation::MutatorStatus> written_;
};

}  // namespace portcullis::controller
