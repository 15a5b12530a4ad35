// Follows the ExpansionTemplates of a source and keeps those in force in line with them.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "controller/pod_statuses.h"
#include "controller/policy_follower.h"
#include "document/value.h"
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

  // Begins to follow.
  void Start();

  // Why not all are here yet, a line each; empty: they are.
  [[nodiscard]] std::vector<std::string> WaitingFor() const;
  void UpdateMetrics();

 private:
  void Put(const ObjectName& name, const document::Value& object);
  // Of all of them: a circle comes and goes with other templates.
  [[nodiscard]] PolicyFollower::Findings Find() const;

  policy::ExpansionStore& templates_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  PolicyFollower follower_;
};

}  // namespace portcullis::controller
