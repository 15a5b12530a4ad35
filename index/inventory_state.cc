#include "index/inventory_state.h"

#include <functional>
#include <utility>

#include <xxhash.h>

#include "index/change_log.h"

namespace portcullis::index {
namespace {

using store::Family;

// Statistics are taken anew when a quarter of the entries has changed, and so many more.
constexpr std::uint64_t kLeastChanges = 64;

std::unexpected<Error> UnknownRecord(std::string_view family) {
  return Fail(ErrorCode::kCorruption, "the store's " + std::string(family) +
                                          " hold a record that this version does not know: move "
                                          "the folder away and let it be replicated again");
}

}  // namespace

std::size_t DefinitionHash::operator()(const Definition& definition) const {
  std::size_t hash =
      std::hash<std::string>()(definition.kind) + static_cast<std::size_t>(definition.scope);
  hash = hash * 31 + std::hash<std::string>()(definition.program);
  for (const PathStep& step : definition.path) {
    hash = hash * 31 + std::hash<std::string>()(step.field) + static_cast<std::size_t>(step.kind);
  }
  return hash;
}

MarkerHash HashBytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

bool IndexInfo::StatisticsAreOld() const {
  return record.state == IndexState::kReady &&
         (statistics == nullptr ||
          progress.changes - statistics->changes > statistics->entries / 4 + kLeastChanges);
}

Result<void> InventoryState::Load() {
  TRY(LoadDefinitions());
  TRY(LoadPositions());
  TRY(LoadChanges());
  PublishCatalog();
  return {};
}

Result<void> InventoryState::LoadDefinitions() {
  const std::unique_ptr<store::Iterator> it =
      store->NewIterator(Family::kDefinitions, store::Reading::kOrdered, nullptr);
  std::map<IndexId, BuildProgress> progress;
  std::map<IndexId, std::shared_ptr<const KeyStatistics>> statistics;
  for (it->Seek(""); it->Valid(); it->Next()) {
    if (const std::optional<IndexId> built = DecodeIndexKey(kProgressPrefix, it->key())) {
      progress[*built] = TRY(DecodeProgress(it->value()));
    } else if (const std::optional<IndexId> of = DecodeIndexKey(kStatisticsPrefix, it->key())) {
      const KeyStatistics of_keys = TRY(DecodeStatistics(it->value()));
      statistics[*of] = std::make_shared<const KeyStatistics>(of_keys);
    } else if (const std::optional<IndexId> id = DecodeIndexKey(kIndexPrefix, it->key())) {
      indexes[*id].record = TRY(DecodeIndex(it->value()));
    } else if (it->key() == kNextIdKey) {
      next_id = static_cast<IndexId>(TRY(DecodeNumber(it->value())));
    } else if (!it->key().starts_with(kWipePrefix) && it->key() != store::kFormatKey) {
      return UnknownRecord("definitions");
    }
  }
  TRY(it->Check());
  for (auto& [id, info] : indexes) {
    info.progress = progress[id];
    info.statistics = statistics[id];
    auto program = MakeProgram(info.record.definition);
    if (program) {
      info.program = std::move(*program);
    } else {
      // Nobody can keep it up to date: it goes, and is built anew if it is wanted and can be.
      info.record.state = IndexState::kDropping;
    }
  }
  return {};
}

Result<void> InventoryState::LoadPositions() {
  const std::unique_ptr<store::Iterator> it =
      store->NewIterator(Family::kPositions, store::Reading::kOrdered, nullptr);
  for (it->Seek(""); it->Valid(); it->Next()) {
    if (const auto type = DecodeTypeKey(kPositionPrefix, it->key())) {
      PublishPosition(*type, TRY(DecodePosition(it->value())));
    } else if (const auto kind = DecodeCountsKey(it->key())) {
      PublishCounts(*kind, TRY(DecodeCounts(it->value())));
    } else {
      return UnknownRecord("positions");
    }
  }
  return it->Check();
}

Result<std::shared_ptr<const KeyProgram>> InventoryState::MakeProgram(
    const Definition& definition) const {
  if (definition.program.empty()) {
    return nullptr;
  }
  if (key_programs == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "nothing here runs programs of indexes");
  }
  return key_programs->Make(definition.program);
}

std::shared_ptr<const Catalog> InventoryState::catalog() const {
  const std::scoped_lock lock(read_);
  return catalog_;
}

std::optional<ReplicationPosition> InventoryState::FindPosition(
    const document::GroupVersionKind& type) const {
  const std::scoped_lock lock(read_);
  const auto found = positions_.find(type);
  if (found == positions_.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::map<document::GroupVersionKind, ReplicationPosition> InventoryState::Positions() const {
  const std::scoped_lock lock(read_);
  return positions_;
}

std::uint64_t InventoryState::EstimateObjects(store::Scope scope, std::string_view kind) const {
  const std::scoped_lock lock(read_);
  const auto found = objects_.find(std::pair(scope, std::string(kind)));
  return found == objects_.end() ? 0 : found->second;
}

void InventoryState::PublishCatalog() {
  auto next = std::make_shared<Catalog>();
  for (const auto& [id, info] : indexes) {
    if (info.record.state == IndexState::kReady) {
      next->ids.emplace(info.record.definition, id);
      next->ready.emplace(id, Catalog::Ready{.lookups = info.lookups,
                                             .has_program = info.program != nullptr,
                                             .statistics = info.statistics});
    }
  }
  const std::scoped_lock lock(read_);
  catalog_ = std::move(next);
}

void InventoryState::PublishPosition(const document::GroupVersionKind& type,
                                     const std::optional<ReplicationPosition>& position) {
  const std::scoped_lock lock(read_);
  if (position) {
    positions_[type] = *position;
  } else {
    positions_.erase(type);
  }
}

void InventoryState::PublishCounts(const KindKey& kind, const std::optional<KindCounts>& now) {
  const auto before = counts.find(kind);
  const std::uint64_t old_objects = before == counts.end() ? 0 : before->second.objects;
  if (now) {
    counts[kind] = *now;
  } else {
    counts.erase(kind);
  }
  const std::scoped_lock lock(read_);
  for (const std::string& name : {kind.kind, std::string()}) {
    std::uint64_t& objects = objects_[std::pair(kind.scope, name)];
    objects += (now ? now->objects : 0) - old_objects;
  }
}

Result<void> InventoryState::PutStatistics(IndexId index, KeyStatistics statistics) {
  const auto found = indexes.find(index);
  if (found == indexes.end() || found->second.record.state != IndexState::kReady) {
    return {};
  }
  IndexInfo& info = found->second;
  if (info.statistics != nullptr && info.statistics->changes > statistics.changes) {
    return {};
  }
  if (!store->options().read_only) {
    const std::unique_ptr<store::Batch> batch = store->NewBatch();
    batch->Put(Family::kDefinitions, StatisticsKey(index), EncodeStatistics(statistics));
    TRY(store->Write(*batch));
  }
  info.statistics = std::make_shared<const KeyStatistics>(std::move(statistics));
  PublishCatalog();
  return {};
}

// Where changes are not recorded, what was derived from them stops being true: it goes.
Result<void> InventoryState::LoadChanges() {
  if (change_clock == nullptr) {
    if (store->options().read_only) {
      return {};
    }
    const std::unique_ptr<store::Batch> batch = store->NewBatch();
    for (const Family family : {Family::kChanges, Family::kVerdicts}) {
      const auto it = store->NewIterator(family, store::Reading::kOrdered, nullptr);
      it->Seek("");
      TRY(it->Check());
      if (it->Valid()) {
        batch->DeleteRange(family, "", std::string(64, '\xff'));
      }
    }
    return batch->empty() ? Result<void>() : store->Write(*batch);
  }
  const auto it = store->NewIterator(Family::kChanges, store::Reading::kOrdered, nullptr);
  for (it->Seek(""); it->Valid(); it->Next()) {
    next_change = TRY(DecodeChange(it->key(), it->value())).sequence + 1;
  }
  TRY(it->Check());
  const std::scoped_lock lock(read_);
  last_change_ = next_change - 1;
  return {};
}

std::int64_t InventoryState::NowMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             change_clock->WallNow().time_since_epoch())
      .count();
}

void InventoryState::PublishChanges() {
  {
    const std::scoped_lock lock(read_);
    last_change_ = next_change - 1;
  }
  change_recorded_.notify_all();
}

bool InventoryState::WaitForChangeAfter(std::uint64_t sequence, std::chrono::milliseconds timeout) {
  std::unique_lock lock(read_);
  return change_recorded_.wait_for(lock, timeout, [&] { return last_change_ > sequence; });
}

}  // namespace portcullis::index
