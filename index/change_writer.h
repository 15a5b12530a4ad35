// Gathers changes of objects with everything that follows from them (index entries, parent markers, counts) into one batch,
// and makes them known once the batch is written. Inside index/ only.

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/arena.h"
#include "index/change_log.h"
#include "index/inventory_state.h"
#include "index/reads.h"

namespace portcullis::index {

// REQUIRES: the writers' turn is held from construction to Commit. Without Commit nothing happens.
class ChangeWriter {
 public:
  explicit ChangeWriter(InventoryState& state);
  ChangeWriter(const ChangeWriter&) = delete;
  ChangeWriter& operator=(const ChangeWriter&) = delete;

  // Each object at most once between Commits. Whether anything differs from what is stored.
  Result<bool> Put(const store::ObjectKey& key, std::string_view key_bytes,
                   const document::Value& object);
  Result<bool> Delete(const store::ObjectKey& key, std::string_view key_bytes);
  // Removes the marker of a kind that is wiped, and its counts.
  void DeleteMarker(std::string_view marker_bytes);
  void DeleteCounts(const KindKey& kind);

  void SetPosition(const document::GroupVersionKind& type,
                   const std::optional<ReplicationPosition>& position);

  // Adds the entries that `index` has for an object, which are counted as built.
  Result<void> BuildEntries(IndexId index, std::string_view key_bytes, std::string_view record);
  void SetCursor(IndexId index, std::string_view key_bytes);

  // For records that only the caller knows.
  store::Batch& batch() { return *batch_; }
  [[nodiscard]] std::size_t size_bytes() const { return batch_->size_bytes(); }

  // Writes, then makes it known and starts anew. ERRORS: store::Store::Write's; nothing has changed then.
  Result<void> Commit();

 private:
  KindCounts& Counts(const store::ObjectKey& key);
  BuildProgress& Progress(IndexId index);
  Result<void> EnsureMarker(std::string_view key_bytes, std::string_view name);
  Result<void> UpdateEntries(const store::ObjectKey& key, std::string_view key_bytes,
                             std::string_view old_record, const document::Value& object);
  void WriteEntry(std::string_view prefix, std::string_view key_bytes, bool present);
  void RecordObject(std::string_view key_bytes);
  void RecordMarker(std::string_view marker_bytes);
  void Record(std::string_view key_bytes, std::vector<ReadToken> touched);

  InventoryState& state_;
  std::unique_ptr<store::Batch> batch_;
  std::map<KindKey, std::optional<KindCounts>> counts_;  // As they will be.
  std::map<IndexId, BuildProgress> progress_;            // The same.
  std::map<document::GroupVersionKind, std::optional<ReplicationPosition>> positions_;
  std::vector<MarkerHash> added_markers_;
  bool deleted_markers_ = false;
  bool recorded_ = false;

  // Reused from object to object.
  document::Arena arena_;
  store::PinnedValue stored_;
  std::vector<std::string> old_prefixes_;
  std::vector<std::string> new_prefixes_;
  std::vector<ChangedEntry> changed_entries_;  // Of the object at hand.
  std::string bytes_;
};

}  // namespace portcullis::index
