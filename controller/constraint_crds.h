// Keeps the CRDs of constraints in the cluster: made when a template is ingested, brought up to date when it changes, made
// again when somebody deletes or changes one. Deleting is left to the cluster's garbage collector.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "replicator/kubernetes_client.h"
#include "replicator/kubernetes_source.h"

namespace portcullis::controller {

// THREADS: any.
class ConstraintCrds {
 public:
  // LIFETIME: client and source outlive it.
  ConstraintCrds(replicator::KubernetesClient& client, replicator::KubernetesSource& source,
                 const std::shared_ptr<Logger>& logger);
  ~ConstraintCrds();
  ConstraintCrds(const ConstraintCrds&) = delete;
  ConstraintCrds& operator=(const ConstraintCrds&) = delete;

  // From here on the cluster has this CRD. What fails is tried again, with back-off.
  void Want(std::string name, std::string manifest);
  // From here on it may go.
  void Forget(const std::string& name);

  struct Problem {
    std::string name;  // Of the CRD.
    std::string message;
  };
  // The CRDs that could not be written at the last attempt.
  [[nodiscard]] std::vector<Problem> Problems() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace portcullis::controller
