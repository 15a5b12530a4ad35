#include "index/change_writer.h"

#include <algorithm>
#include <utility>

#include "document/encoding.h"
#include "index/entries.h"

namespace portcullis::index {

using document::Value;
using store::Family;

ChangeWriter::ChangeWriter(InventoryState& state)
    : state_(state), batch_(state.store->NewBatch()) {}

KindCounts& ChangeWriter::Counts(const store::ObjectKey& key) {
  KindKey kind{.scope = key.scope, .group_version = key.group_version, .kind = key.kind};
  const auto known = counts_.find(kind);
  if (known != counts_.end()) {
    if (!known->second) {
      known->second = KindCounts();
    }
    return *known->second;
  }
  const auto stored = state_.counts.find(kind);
  const KindCounts now = stored == state_.counts.end() ? KindCounts() : stored->second;
  return *counts_.emplace(std::move(kind), now).first->second;
}

BuildProgress& ChangeWriter::Progress(IndexId index) {
  const auto known = progress_.find(index);
  if (known != progress_.end()) {
    return known->second;
  }
  return progress_.emplace(index, state_.indexes.at(index).progress).first->second;
}

Result<void> ChangeWriter::EnsureMarker(std::string_view key_bytes, std::string_view name) {
  const std::string_view marker = key_bytes.substr(0, key_bytes.size() - name.size());
  const MarkerHash hash = HashBytes(marker);
  if (state_.known_markers.contains(hash)) {
    return {};
  }
  if (!TRY(state_.store->Get(Family::kObjects, marker, nullptr, &stored_))) {
    batch_->Put(Family::kObjects, marker, "");
    RecordMarker(marker);
  }
  added_markers_.push_back(hash);
  return {};
}

void ChangeWriter::WriteEntry(std::string_view prefix, std::string_view key_bytes, bool present) {
  bytes_.assign(prefix);
  bytes_.append(key_bytes);
  if (present) {
    batch_->Put(Family::kIndex, bytes_, "");
  } else {
    batch_->Delete(Family::kIndex, bytes_);
  }
}

Result<void> ChangeWriter::UpdateEntries(const store::ObjectKey& key, std::string_view key_bytes,
                                         std::string_view old_record, const Value& object) {
  Value old_object;
  arena_.Reset();
  changed_entries_.clear();
  for (const auto& [id, info] : state_.indexes) {
    if (!info.record.definition.Covers(key) || !info.Maintains(key_bytes)) {
      continue;
    }
    if (!old_record.empty() && old_object.is_undefined()) {
      old_object = TRY(document::OpenTrusted(old_record, arena_));
    }
    const Definition& definition = info.record.definition;
    EntryPrefixes(id, definition, info.program.get(), old_object, arena_, &old_prefixes_);
    EntryPrefixes(id, definition, info.program.get(), object, arena_, &new_prefixes_);
    if (old_prefixes_ == new_prefixes_) {
      continue;
    }
    BuildProgress& progress = Progress(id);
    for (const std::string& prefix : old_prefixes_) {
      if (!std::ranges::binary_search(new_prefixes_, prefix)) {
        WriteEntry(prefix, key_bytes, false);
        changed_entries_.push_back({id, prefix});
        ++progress.changes;
      }
    }
    for (const std::string& prefix : new_prefixes_) {
      if (!std::ranges::binary_search(old_prefixes_, prefix)) {
        WriteEntry(prefix, key_bytes, true);
        changed_entries_.push_back({id, prefix});
        ++progress.changes;
      }
    }
    progress.entries += new_prefixes_.size() - old_prefixes_.size();
  }
  return {};
}

void ChangeWriter::RecordObject(std::string_view key_bytes) {
  const auto key = state_.change_clock != nullptr ? store::DecodeKey(key_bytes) : std::nullopt;
  if (key) {
    Record(key_bytes, TouchedByObject(*key, changed_entries_));
  }
}

void ChangeWriter::RecordMarker(std::string_view marker_bytes) {
  const auto marker =
      state_.change_clock != nullptr ? store::DecodeKey(marker_bytes) : std::nullopt;
  if (marker) {
    Record(marker_bytes, TouchedByMarker(*marker));
  }
}

void ChangeWriter::Record(std::string_view key_bytes, std::vector<ReadToken> touched) {
  const RecordedChange change{.sequence = state_.next_change++,
                              .time_ms = state_.NowMs(),
                              .key_bytes = std::string(key_bytes),
                              .touched = std::move(touched)};
  batch_->Put(Family::kChanges, EncodeChangeKey(change.sequence), EncodeChange(change));
  recorded_ = true;
}

Result<bool> ChangeWriter::Put(const store::ObjectKey& key, std::string_view key_bytes,
                               const Value& object) {
  TRY(EnsureMarker(key_bytes, key.name));
  const std::string record = TRY(document::Encode(object));
  const bool existed = TRY(state_.store->Get(Family::kObjects, key_bytes, nullptr, &stored_));
  const std::string_view old_record = existed ? stored_.bytes() : std::string_view();
  if (existed && old_record == record) {
    return false;
  }
  TRY(UpdateEntries(key, key_bytes, old_record, object));
  batch_->Put(Family::kObjects, key_bytes, record);
  RecordObject(key_bytes);
  KindCounts& counts = Counts(key);
  counts.objects += existed ? 0 : 1;
  counts.encoded_bytes += record.size() - old_record.size();
  return true;
}

Result<bool> ChangeWriter::Delete(const store::ObjectKey& key, std::string_view key_bytes) {
  if (!TRY(state_.store->Get(Family::kObjects, key_bytes, nullptr, &stored_))) {
    return false;
  }
  const std::string_view old_record = stored_.bytes();
  TRY(UpdateEntries(key, key_bytes, old_record, Value()));
  batch_->Delete(Family::kObjects, key_bytes);
  RecordObject(key_bytes);
  KindCounts& counts = Counts(key);
  counts.objects -= 1;
  counts.encoded_bytes -= old_record.size();
  return true;
}

void ChangeWriter::DeleteMarker(std::string_view marker_bytes) {
  batch_->Delete(Family::kObjects, marker_bytes);
  RecordMarker(marker_bytes);
  deleted_markers_ = true;
}

void ChangeWriter::DeleteCounts(const KindKey& kind) {
  counts_[kind] = std::nullopt;
}

void ChangeWriter::SetPosition(const document::GroupVersionKind& type,
                               const std::optional<ReplicationPosition>& position) {
  positions_[type] = position;
}

Result<void> ChangeWriter::BuildEntries(IndexId index, std::string_view key_bytes,
                                        std::string_view record) {
  arena_.Reset();
  const Value object = TRY(document::OpenTrusted(record, arena_));
  const IndexInfo& info = state_.indexes.at(index);
  EntryPrefixes(index, info.record.definition, info.program.get(), object, arena_, &new_prefixes_);
  for (const std::string& prefix : new_prefixes_) {
    WriteEntry(prefix, key_bytes, true);
  }
  BuildProgress& progress = Progress(index);
  progress.entries += new_prefixes_.size();
  progress.changes += new_prefixes_.size();
  progress.built_objects += 1;
  return {};
}

void ChangeWriter::SetCursor(IndexId index, std::string_view key_bytes) {
  Progress(index).cursor = key_bytes;
}

Result<void> ChangeWriter::Commit() {
  for (const auto& [kind, now] : counts_) {
    if (now) {
      batch_->Put(Family::kPositions, CountsKey(kind), EncodeCounts(*now));
    } else {
      batch_->Delete(Family::kPositions, CountsKey(kind));
    }
  }
  for (const auto& [id, progress] : progress_) {
    batch_->Put(Family::kDefinitions, ProgressKey(id), EncodeProgress(progress));
  }
  for (const auto& [type, position] : positions_) {
    if (position) {
      batch_->Put(Family::kPositions, PositionKey(type), EncodePosition(*position));
    } else {
      batch_->Delete(Family::kPositions, PositionKey(type));
    }
  }
  if (!batch_->empty()) {
    TRY(state_.store->Write(*batch_));
  }
  for (const auto& [kind, now] : counts_) {
    state_.PublishCounts(kind, now);
  }
  for (auto& [id, progress] : progress_) {
    state_.indexes.at(id).progress = std::move(progress);
  }
  for (const auto& [type, position] : positions_) {
    state_.PublishPosition(type, position);
  }
  if (deleted_markers_) {
    state_.known_markers.clear();
  } else {
    state_.known_markers.insert(added_markers_.begin(), added_markers_.end());
  }
  if (recorded_) {
    recorded_ = false;
    state_.PublishChanges();
  }
  batch_->Clear();
  counts_.clear();
  progress_.clear();
  positions_.clear();
  added_markers_.clear();
  deleted_markers_ = false;
  return {};
}

}  // namespace portcullis::index
