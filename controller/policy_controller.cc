#include "controller/policy_controller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "controller/constraint_crd.h"
#include "controller/policy_follower.h"
#include "document/json.h"
#include "rules/policy/enforcement.h"
#include "rules/policy/sync_requirements.h"
#include "rules/policy/template.h"

namespace portcullis::controller {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr const char* kTemplateGroup = "templates.gatekeeper.sh";
constexpr const char* kConstraintGroup = "constraints.gatekeeper.sh";

// As the metrics name it.
std::string ActionOf(const Value& constraint) {
  const Value action = constraint.Get({"spec", "enforcementAction"});
  if (!action.is_string()) {
    return "deny";
  }
  for (const char* known : {"deny", "warn", "dryrun", "scoped"}) {
    if (action.string() == known) {
      return known;
    }
  }
  return "unrecognized";
}

// Equal for two events of an object that differ in its status at most; "": there is no telling. The API server raises the
// generation with every change of the specification, but not with one of labels or annotations.
std::string EditionOf(const Value& object) {
  const std::int64_t generation = GenerationOf(object);
  if (generation == 0) {
    return {};
  }
  std::string edition = UidOf(object) + " " + std::to_string(generation);
  for (const char* part : {"labels", "annotations"}) {
    const Value map = object.Get({"metadata", part});
    edition += map.is_undefined() ? " -" : " " + document::ToJson(map);
  }
  return edition;
}

}  // namespace

PolicyController::PolicyController(replicator::Source& source, policy::PolicyStore& policies,
                                   index::Inventory& inventory, replicator::SyncSet& sync_set,
                                   ConstraintCrds* crds, PodStatuses* statuses,
                                   const std::shared_ptr<Logger>& logger,
                                   PolicyControllerOptions options)
    : source_(source),
      policies_(policies),
      inventory_(inventory),
      sync_set_(sync_set),
      crds_(crds),
      statuses_(statuses),
      logger_(logger->Named("controller")),
      options_(std::move(options)),
      exclusions_(std::make_shared<const Exclusions>()) {}

PolicyController::~PolicyController() {
  // Templates first: they are what follows constraints.
  for (const Followed& followed : followed_) {
    source_.Unfollow(followed.type, *followed.sink);
  }
  for (const auto& [kind, all] : constraints_) {
    for (const Followed& followed : all) {
      source_.Unfollow(followed.type, *followed.sink);
    }
  }
}

void PolicyController::FollowOne(const GroupVersionKind& type, ObjectHandler handler,
                                 std::vector<Followed>* into) {
  into->push_back({type, std::make_unique<ObjectSink>(std::move(handler))});
  {
    const std::lock_guard lock(mutex_);
    policy_sinks_.insert(into->back().sink.get());
  }
}

void PolicyController::Start() {
  for (const std::string& version : VersionsToFollow(source_, {"v1", "v1beta1", "v1alpha1"})) {
    FollowOne({kTemplateGroup, version, "ConstraintTemplate"},
              {.put = [this, version](const ObjectName& name,
                                      const Value& object) { PutTemplate(version, name, object); },
               .remove = [this, version](const ObjectName& name) { RemoveTemplate(version, name); },
               .settled =
                   [this](bool listed) {
                     UpdateIndexes();
                     CountPolicies();
                     if (listed && statuses_ != nullptr) {
                       statuses_->SetListed(StatusSubject::kTemplate, "");
                     }
                   }},
              &followed_);
  }
  FollowOne(
      {"config.gatekeeper.sh", "v1alpha1", "Config"},
      {.put = [this](const ObjectName& name, const Value& object) { PutConfig(name, object); },
       .remove = [this](const ObjectName& name) { RemoveConfig(name); },
       .settled =
           [this](bool listed) {
             config_listed_ = config_listed_ || listed;
             UpdateSyncSet();
             if (listed && statuses_ != nullptr) {
               statuses_->SetListed(StatusSubject::kConfig, "");
             }
           }},
      &followed_);
  FollowOne(
      {"syncset.gatekeeper.sh", "v1alpha1", "SyncSet"},
      {.put = [this](const ObjectName& name, const Value& object) { PutSyncSet(name, object); },
       .remove = [this](const ObjectName& name) { sync_sets_.erase(name.name); },
       .settled =
           [this](bool listed) {
             sync_sets_listed_ = sync_sets_listed_ || listed;
             UpdateSyncSet();
           }},
      &followed_);
  // All are known before the first is called.
  for (const Followed& followed : followed_) {
    source_.Follow(followed.type, *followed.sink);
  }
}

void PolicyController::PutTemplate(const std::string& version, const ObjectName& name,
                                   const Value& object) {
  const auto [at, is_new] = templates_.try_emplace(name.name, TemplateEntry{version, {}});
  TemplateEntry& entry = at->second;
  if (entry.version != version) {
    return Report(
        "ConstraintTemplate", name.name,
        "there is another of this name, of version " + entry.version + ": that one counts");
  }
  if (statuses_ != nullptr) {
    statuses_->Meet({.subject = StatusSubject::kTemplate, .name = name.name}, UidOf(object),
                    object.Get({"status", "byPod"}));
  }
  // Annotations are no part of what the generation counts.
  {
    const std::lock_guard lock(mutex_);
    if (const auto annotation = policy::SyncAnnotationOf(object)) {
      sync_annotations_[name.name] = *annotation;
    } else {
      sync_annotations_.erase(name.name);
    }
  }
  CheckSyncRequirements();
  // A write of the status alone changes no policy.
  const std::string edition = EditionOf(object);
  if (!edition.empty() && edition == entry.edition) {
    return;
  }
  entry.edition = edition;
  const auto begun = options_.metrics == nullptr ? std::chrono::steady_clock::time_point()
                                                 : options_.metrics->Now();
  const Result<void> sound = policies_.CheckTemplate(object);
  const Result<void> put = policies_.PutTemplate(object);
  Report("ConstraintTemplate", name.name, put ? "" : put.error().message);
  if (options_.metrics != nullptr && sound) {
    options_.metrics->CountIngestion(put.has_value(), begun);
  }
  std::vector<StatusError> errors;
  if (!sound) {
    errors.push_back({"create_error", sound.error().message, ""});
  } else if (!put) {
    errors.push_back({"ingest_error", "Could not ingest Rego: " + put.error().message, ""});
  }
  TellTemplate(name.name, object, std::move(errors));
  const std::shared_ptr<const policy::PolicySet> current = policies_.current();
  const policy::Template* in_force = current->FindTemplateByName(name.name);
  if (in_force == nullptr) {
    return;
  }
  if (entry.kind != in_force->kind) {
    if (!entry.kind.empty()) {
      UnfollowConstraints(entry.kind);
    }
    entry.kind = in_force->kind;
    FollowConstraints(entry.kind);
  } else {
    for (const auto& [key, constraint] : constraint_entries_) {
      if (key.kind == entry.kind) {
        TellConstraint(key.kind, key.name, constraint);
      }
    }
  }
  if (put) {
    logger_->Info("template ingested",
                  {{"template", name.name}, {"reads_inventory", in_force->reads_inventory()}});
    WriteCrd(object, *in_force);
  }
}

void PolicyController::RemoveTemplate(const std::string& version, const ObjectName& name) {
  const auto found = templates_.find(name.name);
  if (found == templates_.end() || found->second.version != version) {
    return;
  }
  const std::string kind = found->second.kind;
  templates_.erase(found);
  {
    const std::lock_guard lock(mutex_);
    sync_annotations_.erase(name.name);
  }
  CheckSyncRequirements();
  policies_.RemoveTemplate(name.name);
  Report("ConstraintTemplate", name.name, "");
  if (statuses_ != nullptr) {
    statuses_->Remove({.subject = StatusSubject::kTemplate, .name = name.name});
  }
  if (!kind.empty()) {
    UnfollowConstraints(kind);
    if (crds_ != nullptr) {
      crds_->Forget(ConstraintCrdName(kind));
    }
  }
  logger_->Info("template removed", {{"template", name.name}});
}

void PolicyController::TellTemplate(const std::string& name, const Value& object,
                                    std::vector<StatusError> errors) {
  if (statuses_ != nullptr) {
    statuses_->Put(
        {.subject = StatusSubject::kTemplate, .name = name},
        {.uid = UidOf(object), .generation = GenerationOf(object), .errors = std::move(errors)});
  }
}

void PolicyController::TellConstraint(const std::string& kind, const std::string& name,
                                      const ConstraintEntry& entry) {
  if (statuses_ == nullptr) {
    return;
  }
  const std::shared_ptr<const policy::PolicySet> current = policies_.current();
  const std::vector<const policy::Constraint*> in_force = current->ConstraintsOf(kind);
  PodFinding finding{.uid = entry.uid, .generation = entry.generation};
  finding.enforced = std::ranges::any_of(
      in_force, [&name](const policy::Constraint* each) { return each->name == name; });
  if (!entry.action_error.empty()) {
    finding.errors.push_back(
        {"", "could not validate enforcement actions: " + entry.action_error, ""});
  } else if (const std::string problem = policies_.ConstraintProblem(kind, name);
             !problem.empty()) {
    finding.errors.push_back({"", "could not cache constraint: " + problem, ""});
  }
  statuses_->Put({.subject = StatusSubject::kConstraint, .kind = kind, .name = name}, finding);
}

void PolicyController::WriteCrd(const Value& object, const policy::Template& of) {
  if (crds_ == nullptr) {
    return;
  }
  Result<std::string> manifest = MakeConstraintCrd(object, of);
  if (!manifest) {
    return Report("ConstraintTemplate", of.name,
                  "Could not create CRD: " + manifest.error().message);
  }
  crds_->Want(ConstraintCrdName(of.kind), *std::move(manifest));
}

void PolicyController::FollowConstraints(const std::string& kind) {
  std::vector<Followed> followed;
  for (const std::string& version : VersionsToFollow(source_, {"v1beta1", "v1alpha1"})) {
    FollowOne({kConstraintGroup, version, kind},
              {.put = [this, kind](const ObjectName& name,
                                   const Value& object) { PutConstraint(kind, name, object); },
               .remove = [this, kind](const ObjectName& name) { RemoveConstraint(kind, name); },
               .settled =
                   [this, kind](bool listed) {
                     CountPolicies();
                     if (listed && statuses_ != nullptr) {
                       statuses_->SetListed(StatusSubject::kConstraint, kind);
                     }
                   }},
              &followed);
  }
  std::vector<std::pair<GroupVersionKind, ObjectSink*>> to_follow;
  for (const Followed& one : followed) {
    to_follow.emplace_back(one.type, one.sink.get());
  }
  {
    const std::lock_guard lock(mutex_);
    constraints_[kind] = std::move(followed);
  }
  for (const auto& [type, sink] : to_follow) {
    source_.Follow(type, *sink);
  }
}

void PolicyController::UnfollowConstraints(const std::string& kind) {
  std::vector<Followed> followed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = constraints_.find(kind);
    if (found == constraints_.end()) {
      return;
    }
    followed = std::move(found->second);
    constraints_.erase(found);
    for (const Followed& one : followed) {
      policy_sinks_.erase(one.sink.get());
    }
  }
  for (const Followed& one : followed) {
    source_.Unfollow(one.type, *one.sink);
    one.sink->Clear();
  }
}

void PolicyController::PutConstraint(const std::string& kind, const ObjectName& name,
                                     const Value& object) {
  if (statuses_ != nullptr) {
    statuses_->Meet({.subject = StatusSubject::kConstraint, .kind = kind, .name = name.name},
                    UidOf(object), object.Get({"status", "byPod"}));
  }
  ConstraintEntry& entry = constraint_entries_[{kind, name.name}];
  const std::string edition = EditionOf(object);
  if (!edition.empty() && edition == entry.edition) {
    return;
  }
  const Result<void> put = policies_.PutConstraint(object);
  Report(kind, name.name, put ? "" : put.error().message);
  const Result<void> action = put ? Result<void>() : policy::CheckEnforcementAction(object);
  entry = {.uid = UidOf(object),
           .generation = GenerationOf(object),
           .edition = edition,
           .action = ActionOf(object),
           .action_error = action ? "" : action.error().message};
  TellConstraint(kind, name.name, entry);
}

void PolicyController::RemoveConstraint(const std::string& kind, const ObjectName& name) {
  policies_.RemoveConstraint(kind, name.name);
  Report(kind, name.name, "");
  constraint_entries_.erase({kind, name.name});
  if (statuses_ != nullptr) {
    statuses_->Remove({.subject = StatusSubject::kConstraint, .kind = kind, .name = name.name});
  }
}

void PolicyController::CountPolicies() {
  if (options_.metrics == nullptr) {
    return;
  }
  std::map<std::pair<std::string, std::string>, std::size_t> constraints;
  for (const auto& [key, entry] : constraint_entries_) {
    const bool sound = policies_.ConstraintProblem(key.kind, key.name).empty();
    ++constraints[{entry.action, sound ? "active" : "error"}];
  }
  options_.metrics->SetConstraints(constraints);
  const std::lock_guard lock(mutex_);
  std::size_t errors = 0;
  for (const auto& [name, entry] : templates_) {
    errors += problems_.contains({"ConstraintTemplate", name}) ? 1 : 0;
  }
  options_.metrics->SetTemplates(templates_.size() - errors, errors);
}

void PolicyController::UpdateIndexes() {
  std::vector<index::IndexRequest> wanted;
  const std::shared_ptr<const policy::PolicySet> current = policies_.current();
  for (const policy::Template* one : current->templates()) {
    for (const index::Definition& definition : one->plan->wanted_indexes()) {
      wanted.push_back({definition, one->kind});
    }
  }
  const Result<void> set = inventory_.SetWantedIndexes(std::move(wanted));
  if (!set) {
    logger_->Error("indexes not set", {{"error", set.error().ToString()}});
  }
}

void PolicyController::Report(const std::string& kind, const std::string& name,
                              const std::string& message) {
  if (!message.empty()) {
    logger_->Warning("policy object refused", {{"kind", kind}, {"name", name}, {"error", message}});
  }
  const std::lock_guard lock(mutex_);
  if (message.empty()) {
    problems_.erase({kind, name});
  } else {
    problems_[{kind, name}] = message;
  }
}

std::vector<PolicyProblem> PolicyController::Problems() const {
  std::vector<PolicyProblem> problems;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, message] : problems_) {
      problems.push_back({key.first, key.second, message});
    }
  }
  return problems;
}

}  // namespace portcullis::controller
