// Follows the policy objects of a source (ConstraintTemplates, their constraints, Config, SyncSets) and keeps the program in line
// with them: the policies in force, the indexes they want, the kinds that are replicated, the namespaces that are left out.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "controller/constraint_crds.h"
#include "controller/exclusions.h"
#include "controller/object_sink.h"
#include "controller/pod_statuses.h"
#include "controller/policy_metrics.h"
#include "controller/trace_settings.h"
#include "document/object.h"
#include "index/inventory.h"
#include "replicator/source.h"
#include "replicator/sync_set.h"
#include "rules/policy/policy_set.h"

namespace portcullis::controller {

struct PolicyControllerOptions {
  std::string gatekeeper_namespace = "gatekeeper-system";
  PolicyMetrics* metrics = nullptr;  // Null: nothing is counted. LIFETIME: outlives the controller.
};

// Why a policy object is not in force, or only as it was before.
struct PolicyProblem {
  std::string kind;
  std::string name;
  std::string message;  // Gatekeeper's text.
};

struct PolicyReadiness {
  // The policies themselves are all here: every template, constraint, Config and SyncSet that the source has.
  bool policies_complete = false;
  // Some template reads data.inventory.
  bool reads_inventory = false;
  // What the inventory must have before such a template may be asked, and whether it has it.
  std::set<document::GroupVersionKind> inventory_kinds;
  bool inventory_complete = false;
  // What is still awaited, a line each, for people.
  std::vector<std::string> waiting_for;
  // Reviews may be answered, as far as data goes; indexes only make them fast.
  [[nodiscard]] bool ready() const {
    return policies_complete && (!reads_inventory || inventory_complete);
  }
};

// THREADS: any for the const methods.
class PolicyController {
 public:
  // LIFETIME: collaborators outlive the controller. `crds` and `statuses` are null where there is no API server to have CRDs and
  // statuses, or another process writes them. Sources of policies and of objects may be one or two.
  PolicyController(replicator::Source& source, policy::PolicyStore& policies,
                   index::Inventory& inventory, replicator::SyncSet& sync_set, ConstraintCrds* crds,
                   PodStatuses* statuses, const std::shared_ptr<Logger>& logger,
                   PolicyControllerOptions options = {});
  ~PolicyController();
  PolicyController(const PolicyController&) = delete;
  PolicyController& operator=(const PolicyController&) = delete;

  // Begins to follow.
  void Start();

  // What Config excludes from `process`: audit, sync, webhook or mutation-webhook. COST: a lock for a moment.
  [[nodiscard]] bool IsExcluded(std::string_view process, std::string_view group,
                                std::string_view kind, std::string_view name_space,
                                std::string_view name) const;

  // What Config excludes, at this moment. COST: a lock for a moment.
  [[nodiscard]] std::shared_ptr<const Exclusions> CurrentExclusions() const;

  // Which reviews Config wants traced; null: none. COST: none where none are, else a lock for a moment.
  [[nodiscard]] std::shared_ptr<const TraceSettings> CurrentTraces() const;

  // What a template asks for by its annotation and is not replicated, a line each; nothing until it is known what is.
  [[nodiscard]] std::vector<std::string> UnmetSyncRequirements(
      const document::Value& constraint_template) const;
  // How many templates ask for data that is not replicated.
  [[nodiscard]] std::size_t TemplatesWithoutData() const;

  [[nodiscard]] PolicyReadiness Readiness() const;
  // By kind and name.
  [[nodiscard]] std::vector<PolicyProblem> Problems() const;

 private:
  struct Followed {
    document::GroupVersionKind type;
    std::unique_ptr<ObjectSink> sink;
  };
  struct TemplateEntry {
    std::string version;  // Of the manifest that counts.
    std::string kind;  // Of the constraints that are followed for it; "" before the first good one.
    std::string edition = {};
  };
  // A constraint as it was put last.
  struct ConstraintEntry {
    std::string uid;
    std::int64_t generation = 0;
    std::string edition = {};
    std::string action;        // deny, warn, dryrun, scoped, or "unrecognized".
    std::string action_error;  // What is wrong with its enforcement action; "" nothing.
  };

  void FollowOne(const document::GroupVersionKind& type, ObjectHandler handler,
                 std::vector<Followed>* into);

  void PutTemplate(const std::string& version, const ObjectName& name,
                   const document::Value& object);
  void RemoveTemplate(const std::string& version, const ObjectName& name);
  void PutConstraint(const std::string& kind, const ObjectName& name,
                     const document::Value& object);
  void RemoveConstraint(const std::string& kind, const ObjectName& name);
  void CountPolicies();
  void FollowConstraints(const std::string& kind);
  void UnfollowConstraints(const std::string& kind);
  void WriteCrd(const document::Value& object, const policy::Template& of);
  void TellTemplate(const std::string& name, const document::Value& object,
                    std::vector<StatusError> errors);
  // What is to be said of the constraint changes with its template too.
  void TellConstraint(const std::string& kind, const std::string& name,
                      const ConstraintEntry& entry);

  void PutConfig(const ObjectName& name, const document::Value& object);
  void RemoveConfig(const ObjectName& name);
  void PutSyncSet(const ObjectName& name, const document::Value& object);
  // Hands the sync set on, once Config and SyncSets are known.
  void UpdateSyncSet();
  // Tells in the log where a template asks for data that is not replicated, and when it does no more.
  void CheckSyncRequirements();
  void UpdateIndexes();

  void Report(const std::string& kind, const std::string& name, const std::string& message);

  replicator::Source& source_;
  policy::PolicyStore& policies_;
  index::Inventory& inventory_;
  replicator::SyncSet& sync_set_;
  ConstraintCrds* const crds_;
  PodStatuses* const statuses_;
  const std::shared_ptr<Logger> logger_;
  const PolicyControllerOptions options_;

  // Of the source's thread.
  std::vector<Followed> followed_;  // Templates, Config, SyncSets.
  std::map<std::string, TemplateEntry> templates_;
  std::map<policy::ConstraintKey, ConstraintEntry> constraint_entries_;
  std::map<std::string, std::set<document::GroupVersionKind>> sync_sets_;
  std::set<document::GroupVersionKind> config_kinds_;
  bool config_listed_ = false;
  bool sync_sets_listed_ = false;

  std::atomic<bool> has_traces_ = false;  // Whether traces_ is not null.

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::shared_ptr<const TraceSettings> traces_;
  std::map<std::string, std::vector<Followed>> constraints_;  // By kind.
  std::set<const replicator::KindSink*> policy_sinks_;
  std::map<std::pair<std::string, std::string>, std::string> problems_;
  std::shared_ptr<const Exclusions> exclusions_;
  std::map<std::string, std::string> sync_annotations_;  // Of templates, by name.
  std::map<std::string, std::vector<std::string>> unmet_sync_;
  std::set<document::GroupVersionKind> inventory_kinds_;
  bool sync_set_known_ = false;
};

}  // namespace portcullis::controller
