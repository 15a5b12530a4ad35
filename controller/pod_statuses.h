// Writes what this pod found of each policy object into its *PodStatus object, and folds those of all pods into the object's
// own status.byPod (the roles of any operation, and `status`).

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "controller/object_writer.h"
#include "controller/pod_status.h"
#include "replicator/source.h"

namespace portcullis::controller {

struct PodStatusOptions {
  PodIdentity pod;
  // Fold the statuses of all pods into the policy objects.
  bool fold = true;
};

// THREADS: the source's, but for construction, Start and destruction.
class PodStatuses {
 public:
  // LIFETIME: writer and source outlive it. `source` is the cluster that the policy objects come from.
  PodStatuses(ObjectWriter& writer, replicator::Source& source,
              const std::shared_ptr<Logger>& logger, PodStatusOptions options);
  ~PodStatuses();
  PodStatuses(const PodStatuses&) = delete;
  PodStatuses& operator=(const PodStatuses&) = delete;

  // Begins to follow the statuses of all pods.
  void Start();

  // The pod was found: it owns its statuses, and they go with it.
  void SetOwner(const std::string& pod_uid);

  // The object was met, with this uid and status.byPod: that is written where it should be otherwise.
  void Meet(const SubjectKey& key, std::string_view uid, const document::Value& by_pod);
  // From here on this is what the pod says of the object. REQUIRES: it was met.
  void Put(const SubjectKey& key, const PodFinding& finding);
  // From here on these, and no others, are told of templates, by name, beside what was found of them.
  void SetRemarks(std::map<std::string, StatusError> remarks);
  // The object is gone, and what was said of it.
  void Remove(const SubjectKey& key);

  // All objects of this kind were put: what an earlier run of this pod left of others is removed. `kind` as in SubjectKey.
  void SetListed(StatusSubject subject, const std::string& kind);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::controller
