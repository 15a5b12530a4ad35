// Follows policy objects of a few kinds and tells their statuses: what the controllers of mutators, ExpansionTemplates and
// Providers have in common.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "controller/object_sink.h"
#include "controller/pod_statuses.h"
#include "document/object.h"
#include "replicator/source.h"

namespace portcullis::controller {

// The versions to follow: where the other side converts, one stands for all. REQUIRES: not empty.
[[nodiscard]] std::vector<std::string> VersionsToFollow(const replicator::Source& source,
                                                        std::vector<std::string> newest_first);

// What is not listed yet, for people: "<what>: <type>", and the last error after it.
[[nodiscard]] std::string WaitingLine(std::string_view what, const replicator::KindStatus& status);

// What is done with the objects of a kind.
struct PolicyHandler {
  // One that is new or whose specification changed: a write of its status is not told, where there are generations to tell by.
  std::function<void(const ObjectName& name, const document::Value& object)> put;
  std::function<void(const ObjectName& name)> remove;
};

// Handlers are called from the source's thread. THREADS: any for WaitingFor.
class PolicyFollower {
 public:
  using Findings = std::vector<std::pair<SubjectKey, PodFinding>>;

  // `find` tells what is found of every object now; asked after each batch, since one object may bear on another's. Null: the
  // controller writes its statuses itself. LIFETIME: collaborators outlive it. `statuses` is null where nobody is to be told.
  PolicyFollower(replicator::Source& source, PodStatuses* statuses, StatusSubject subject,
                 std::shared_ptr<Logger> logger, std::function<Findings()> find);
  ~PolicyFollower();
  PolicyFollower(const PolicyFollower&) = delete;
  PolicyFollower& operator=(const PolicyFollower&) = delete;

  // Of objects of one name in several versions the first that is met counts.
  void Add(std::string_view group, const std::string& kind,
           const std::vector<std::string>& newest_first, const PolicyHandler& handler);
  // Begins to follow what was added.
  void Start();

  // The kinds that are not all here yet, a line each; empty: they are.
  [[nodiscard]] std::vector<std::string> WaitingFor(std::string_view what) const;
  [[nodiscard]] SubjectKey KeyOf(const std::string& kind, const ObjectName& name) const;

 private:
  struct Followed {
    document::GroupVersionKind type;
    PolicyHandler handler;
    std::unique_ptr<ObjectSink> sink;
  };
  // What is known of an object that counts.
  struct Known {
    std::string version;
    std::string revision = {};  // The uid and generation that was put last.
  };
  void Put(const Followed& from, const ObjectName& name, const document::Value& object);
  void Remove(const Followed& from, const ObjectName& name);
  void Settle(const std::string& kind, bool listed);

  replicator::Source& source_;
  PodStatuses* const statuses_;
  const StatusSubject subject_;
  const std::shared_ptr<Logger> logger_;
  const std::function<Findings()> find_;
  std::vector<std::unique_ptr<Followed>> followed_;
  // Of the source's thread:
  std::map<SubjectKey, Known> known_;
  std::map<SubjectKey, PodFinding> written_;
};

}  // namespace portcullis::controller
