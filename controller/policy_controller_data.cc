// What Config and SyncSets say of the data: what is replicated, what is left out, and whether all of it is here.

#include <utility>

#include "controller/policy_controller.h"
#include "controller/policy_follower.h"
#include "rules/policy/sync_requirements.h"
#include "rules/policy/template.h"

namespace portcullis::controller {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr const char* kConfigName = "config";

// The kinds that a list of {group, version, kind} names; what lacks a version or kind is passed over, as it names nothing.
std::set<GroupVersionKind> KindsOf(const Value& list) {
  std::set<GroupVersionKind> kinds;
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    const Value item = list.ItemAt(i);
    GroupVersionKind type{std::string(item.GetString({"group"})),
                          std::string(item.GetString({"version"})),
                          std::string(item.GetString({"kind"}))};
    if (!type.version.empty() && !type.kind.empty()) {
      kinds.insert(std::move(type));
    }
  }
  return kinds;
}

}  // namespace

void PolicyController::PutConfig(const ObjectName& name, const Value& object) {
  if (name != ObjectName{options_.gatekeeper_namespace, kConfigName}) {
    logger_->Warning("Config ignored: only the one in Gatekeeper's namespace counts",
                     {{"namespace", name.name_space}, {"name", name.name}});
    return;
  }
  if (statuses_ != nullptr) {
    const SubjectKey key{
        .subject = StatusSubject::kConfig, .name_space = name.name_space, .name = name.name};
    statuses_->Meet(key, UidOf(object), object.Get({"status", "byPod"}));
    statuses_->Put(key, {.uid = UidOf(object), .generation = GenerationOf(object)});
  }
  config_kinds_ = KindsOf(object.Get({"spec", "sync", "syncOnly"}));
  auto exclusions = std::make_shared<const Exclusions>(object.Get({"spec", "match"}));
  auto traces = std::make_shared<const TraceSettings>(object.Get({"spec", "validation", "traces"}));
  const std::lock_guard lock(mutex_);
  exclusions_ = std::move(exclusions);
  has_traces_ = !traces->empty();
  traces_ = traces->empty() ? nullptr : std::move(traces);
}

void PolicyController::RemoveConfig(const ObjectName& name) {
  if (name != ObjectName{options_.gatekeeper_namespace, kConfigName}) {
    return;
  }
  config_kinds_.clear();
  if (statuses_ != nullptr) {
    statuses_->Remove(
        {.subject = StatusSubject::kConfig, .name_space = name.name_space, .name = name.name});
  }
  const std::lock_guard lock(mutex_);
  exclusions_ = std::make_shared<const Exclusions>();
  has_traces_ = false;
  traces_ = nullptr;
}

void PolicyController::PutSyncSet(const ObjectName& name, const Value& object) {
  sync_sets_[name.name] = KindsOf(object.Get({"spec", "gvks"}));
}

void PolicyController::UpdateSyncSet() {
  // Before both are known, kinds of an earlier run would be taken for ones that left the set.
  if (!config_listed_ || !sync_sets_listed_) {
    return;
  }
  std::set<GroupVersionKind> kinds = config_kinds_;
  for (const auto& [name, some] : sync_sets_) {
    kinds.insert(some.begin(), some.end());
  }
  std::shared_ptr<const Exclusions> exclusions;
  {
    const std::lock_guard lock(mutex_);
    exclusions = exclusions_;
    inventory_kinds_ = kinds;
  }
  const Result<void> set = sync_set_.Set(std::move(kinds), MakeSyncFilter(exclusions));
  Report("Config", kConfigName, set ? "" : set.error().message);
  {
    const std::lock_guard lock(mutex_);
    sync_set_known_ = true;
  }
  CheckSyncRequirements();
}

void PolicyController::CheckSyncRequirements() {
  std::map<std::string, std::vector<std::string>> unmet;
  std::map<std::string, std::vector<std::string>> before;
  {
    const std::lock_guard lock(mutex_);
    if (!sync_set_known_) {
      return;
    }
    for (const auto& [name, annotation] : sync_annotations_) {
      std::vector<std::string> lines = policy::UnmetSyncRequirements(annotation, inventory_kinds_);
      if (!lines.empty()) {
        unmet[name] = std::move(lines);
      }
    }
    before = std::exchange(unmet_sync_, unmet);
  }
  for (const auto& [name, lines] : unmet) {
    if (before[name] != lines) {
      for (const std::string& line : lines) {
        logger_->Warning("a template lacks data", {{"template", name}, {"problem", line}});
      }
    }
    before.erase(name);
  }
  for (const auto& [name, lines] : before) {
    if (!lines.empty()) {
      logger_->Info("a template has the data that it lacked", {{"template", name}});
    }
  }
}

std::vector<std::string> PolicyController::UnmetSyncRequirements(
    const Value& constraint_template) const {
  const auto annotation = policy::SyncAnnotationOf(constraint_template);
  const std::lock_guard lock(mutex_);
  return annotation && sync_set_known_
             ? policy::UnmetSyncRequirements(*annotation, inventory_kinds_)
             : std::vector<std::string>();
}

std::size_t PolicyController::TemplatesWithoutData() const {
  const std::lock_guard lock(mutex_);
  return unmet_sync_.size();
}

bool PolicyController::IsExcluded(std::string_view process, std::string_view group,
                                  std::string_view kind, std::string_view name_space,
                                  std::string_view name) const {
  return CurrentExclusions()->IsExcluded(process, group, kind, name_space, name);
}

std::shared_ptr<const Exclusions> PolicyController::CurrentExclusions() const {
  const std::lock_guard lock(mutex_);
  return exclusions_;
}

std::shared_ptr<const TraceSettings> PolicyController::CurrentTraces() const {
  if (!has_traces_) {
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  return traces_;
}

PolicyReadiness PolicyController::Readiness() const {
  PolicyReadiness readiness;
  const std::vector<replicator::KindStatus> statuses = source_.Status();
  const std::vector<replicator::KindStatus> synced = sync_set_.Status();
  const std::shared_ptr<const policy::PolicySet> current = policies_.current();
  for (const policy::Template* one : current->templates()) {
    readiness.reads_inventory = readiness.reads_inventory || one->reads_inventory();
  }
  readiness.inventory_complete = sync_set_.complete();
  const std::lock_guard lock(mutex_);
  readiness.inventory_kinds = inventory_kinds_;
  std::size_t complete = 0;
  for (const replicator::KindStatus& status : statuses) {
    if (!policy_sinks_.contains(status.sink)) {
      continue;
    }
    if (status.synced) {
      ++complete;
    } else {
      readiness.waiting_for.push_back(WaitingLine("policies", status));
    }
  }
  readiness.policies_complete =
      !policy_sinks_.empty() && complete == policy_sinks_.size() && sync_set_known_;
  for (const replicator::KindStatus& status : synced) {
    if (!status.synced) {
      readiness.waiting_for.push_back(WaitingLine("inventory", status));
    }
  }
  return readiness;
}

}  // namespace portcullis::controller
