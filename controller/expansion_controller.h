// Follows the ExpansionTemplates of a source and keeps those in force in line with them.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "controller/object_sink.h"
#include "controller/pod_statuses.h"
#include "document/object.h"
#include "replicator/source.h"
#include "rules/policy/expansion.h"

namespace portcullis::controller {

// THREADS: any for the const methods and UpdateMetrics.
class ExpansionController {
 public:
  // LIFETIME: collaborators outlive it. `statuses` is null where there is no API server to have them.
  ExpansionController(replicator::Source& source, policy::ExpansionStore& templates,
                      PodStatuses* statuses, const std::shared_ptr<Logger>& logger,
                      Metrics& metrics);
  ~ExpansionController();
  ExpansionController(const ExpansionController&) = delete;
  ExpansionController& operator=(const ExpansionController&) = delete;

  // Begins to follow.
  void Start();

  // Why not all are here yet, a line each; empty: they are.
  [[nodiscard]] std::vector<std::string> WaitingFor() const;
  void UpdateMetrics();

 private:
  struct Followed {
    document::GroupVersionKind type;
    std::unique_ptr<ObjectSink> sink;
  };
  void Put(const std::string& version, const ObjectName& name, const document::Value& object);
  void Remove(const std::string& version, const ObjectName& name);
  // Writes the statuses that a batch changed: a circle comes and goes with other templates.
  void WriteStatuses(bool listed);

  replicator::Source& source_;
  policy::ExpansionStore& templates_;
  PodStatuses* const statuses_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  std::vector<Followed> followed_;
  // Of the source's thread:
  std::map<std::string, std::string> versions_;  // Of the manifest that counts, by name.
  std::map<std::string, policy::ExpansionStatus> written_;
};

}  // namespace portcullis::controller
