// The kinds that are replicated into the inventory, changing at run time: what joins is followed, what leaves is
// unfollowed and wiped.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "base/log.h"
#include "document/object.h"
#include "index/inventory.h"
#include "replicator/inventory_sink.h"
#include "replicator/source.h"

namespace portcullis::replicator {

// THREADS: any, but the first rule of Source::Unfollow holds for Set.
class SyncSet {
 public:
  // LIFETIME: the source and the inventory outlive the set.
  SyncSet(Source& source, index::Inventory& inventory, const std::shared_ptr<Logger>& logger);
  // Follows nothing any more; what was replicated stays stored.
  ~SyncSet();
  SyncSet(const SyncSet&) = delete;
  SyncSet& operator=(const SyncSet&) = delete;

  // From here on exactly `kinds` are replicated, without what `filter` (null: nothing) excludes. Under another filter than before
  // every kind is listed again, and what differs is written. The first call also wipes the kinds of earlier runs.
  // ERRORS: a kind could not be wiped: it is tried again by the next call; the rest is done.
  Result<void> Set(std::set<document::GroupVersionKind> kinds,
                   std::shared_ptr<const ObjectFilter> filter);

  // How far each kind of the set is, by kind.
  [[nodiscard]] std::vector<KindStatus> Status() const;
  // True once Set was called and every kind of it is synced: no policy sees less than there is.
  [[nodiscard]] bool complete() const;

 private:
  Source& source_;
  index::Inventory& inventory_;
  const std::shared_ptr<Logger> logger_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<document::GroupVersionKind, std::unique_ptr<InventorySink>> sinks_;
  std::set<document::GroupVersionKind> to_wipe_;
  std::string fingerprint_;
  bool was_set_ = false;
};

}  // namespace portcullis::replicator
