// Keeps the CRDs of constraints in the cluster: made when a template is ingested, brought up to date when it changes, made
// again when somebody deletes or changes one. Deleting is left to the cluster's garbage collector.

#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "controller/object_writer.h"
#include "replicator/kubernetes_client.h"
#include "replicator/kubernetes_source.h"

namespace portcullis::controller {

// THREADS: any.
class ConstraintCrds {
 public:
  // LIFETIME: writer, client and source outlive it. What cannot be written shows in the writer's problems.
  ConstraintCrds(ObjectWriter& writer, replicator::KubernetesClient& client,
                 replicator::KubernetesSource& source, const std::shared_ptr<Logger>& logger);
  ~ConstraintCrds();
  ConstraintCrds(const ConstraintCrds&) = delete;
  ConstraintCrds& operator=(const ConstraintCrds&) = delete;

  // From here on the cluster has this CRD. What fails is tried again, with back-off.
  void Want(std::string name, std::string manifest);
  // From here on it may go.
  void Forget(const std::string& name);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace portcullis::controller
