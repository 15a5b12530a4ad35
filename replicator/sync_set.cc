#include "replicator/sync_set.h"

#include <optional>
#include <utility>

namespace portcullis::replicator {

using document::GroupVersionKind;

SyncSet::SyncSet(Source& source, index::Inventory& inventory, const std::shared_ptr<Logger>& logger)
    : source_(source), inventory_(inventory), logger_(logger->Named("sync-set")) {}

SyncSet::~SyncSet() {
  for (const auto& [type, sink] : sinks_) {
    source_.Unfollow(type, *sink);
  }
}

Result<void> SyncSet::Set(std::set<GroupVersionKind> kinds,
                          std::shared_ptr<const ObjectFilter> filter) {
  const std::lock_guard lock(mutex_);
  std::optional<Error> failed;
  if (!was_set_) {
    const std::vector<index::KindStatistics> stored = TRY(inventory_.Kinds());
    for (const index::KindStatistics& kind : stored) {
      to_wipe_.insert(kind.type);
    }
  }
  const std::string fingerprint = filter == nullptr ? "" : filter->Fingerprint();
  const bool filter_changed = was_set_ && fingerprint != fingerprint_;
  for (auto at = sinks_.begin(); at != sinks_.end();) {
    const bool leaves = !kinds.contains(at->first);
    if (!leaves && !filter_changed) {
      ++at;
      continue;
    }
    source_.Unfollow(at->first, *at->second);
    if (leaves) {
      to_wipe_.insert(at->first);
    }
    at = sinks_.erase(at);
  }
  for (auto at = to_wipe_.begin(); at != to_wipe_.end();) {
    if (!kinds.contains(*at)) {
      if (Result<void> wiped = inventory_.Wipe(*at); !wiped) {
        failed = With("wipe " + at->ToString())(std::move(wiped).error());
        ++at;
        continue;
      }
      logger_->Info("wiped", {{"kind", at->ToString()}});
    }
    at = to_wipe_.erase(at);
  }
  for (const GroupVersionKind& type : kinds) {
    std::unique_ptr<InventorySink>& sink = sinks_[type];
    if (sink == nullptr) {
      sink = std::make_unique<InventorySink>(inventory_, type, filter);
      source_.Follow(type, *sink);
      logger_->Info("following", {{"kind", type.ToString()}});
    }
  }
  fingerprint_ = fingerprint;
  was_set_ = true;
  if (failed) {
    return std::unexpected(*std::move(failed));
  }
  return {};
}

std::vector<KindStatus> SyncSet::Status() const {
  std::vector<KindStatus> statuses = source_.Status();
  const std::lock_guard lock(mutex_);
  std::erase_if(statuses, [this](const KindStatus& status) {
    const auto sink = sinks_.find(status.type);
    return sink == sinks_.end() || sink->second.get() != status.sink;
  });
  return statuses;
}

bool SyncSet::complete() const {
  const std::vector<KindStatus> statuses = Status();
  const std::lock_guard lock(mutex_);
  if (!was_set_ || statuses.size() != sinks_.size()) {
    return false;
  }
  for (const KindStatus& status : statuses) {
    if (!status.synced) {
      return false;
    }
  }
  return true;
}

}  // namespace portcullis::replicator
