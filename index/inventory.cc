#include "index/inventory.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "index/change_log.h"
#include "index/change_set.h"
#include "index/change_writer.h"
#include "index/check.h"
#include "index/index_builder.h"
#include "index/inventory_state.h"
#include "index/inventory_view.h"
#include "index/key_analysis.h"
#include "index/object_walk.h"
#include "index/reads.h"
#include "index/reconciliation.h"
#include "store/entry_key.h"

namespace portcullis::index {
namespace {

using document::GroupVersionKind;
using store::Family;

constexpr std::size_t kBytesAWipeBatch = std::size_t{4} << 20;

struct Change {
  std::string key_bytes;
  store::ObjectKey key;
  const document::Value* put = nullptr;  // Null: a delete.
};

// The last change of each object, in the order of keys.
Result<std::vector<Change>> SortChanges(const ChangeSet& set) {
  std::vector<Change> changes;
  changes.reserve(set.puts.size() + set.deletes.size());
  for (const document::Value& object : set.puts) {
    const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
    store::ObjectKey key = TRY(KeyOfType(identity, set.type));
    std::string key_bytes = store::EncodeKey(key);
    changes.push_back({.key_bytes = std::move(key_bytes), .key = std::move(key), .put = &object});
  }
  for (const store::ObjectKey& key : set.deletes) {
    std::string key_bytes = store::EncodeKey(key);
    const auto decoded = store::DecodeKey(key_bytes);
    if (!decoded || decoded->name.empty() || !IsOfType(*decoded, set.type)) {
      return Fail(ErrorCode::kInvalidArgument, "a delete among changes of " + set.type.ToString() +
                                                   " names no object of that type");
    }
    changes.push_back({.key_bytes = std::move(key_bytes), .key = key, .put = nullptr});
  }
  std::ranges::stable_sort(changes, {}, &Change::key_bytes);
  std::vector<Change> last;
  last.reserve(changes.size());
  for (Change& change : changes) {
    if (!last.empty() && last.back().key_bytes == change.key_bytes) {
      last.pop_back();
    }
    last.push_back(std::move(change));
  }
  return last;
}

class StoreInventory final : public Inventory {
 public:
  StoreInventory(std::unique_ptr<store::Store> store, const InventoryOptions& options,
                 std::shared_ptr<Logger> logger, Metrics& metrics)
      : state_(std::move(store), options.key_programs),
        logger_(std::move(logger)),
        writes_(metrics.GetCounter("portcullis_inventory_writes_total",
                                   "Objects written to or deleted from the inventory")) {}

  Result<void> Start(const InventoryOptions& options, Clock& clock) {
    state_.change_clock = options.record_changes ? &clock : nullptr;
    TRY(state_.Load());
    if (options.store.read_only) {
      return {};
    }
    TRY(FinishWipes());
    builder_ =
        std::make_unique<IndexBuilder>(state_, clock, logger_, options.build_objects_per_second);
    return {};
  }

  Result<void> Apply(const ChangeSet& set) override {
    const std::vector<Change> changes = TRY(SortChanges(set));
    const std::scoped_lock turn(state_.turn);
    ChangeWriter writer(state_);
    for (const Change& change : changes) {
      TRY(change.put != nullptr ? writer.Put(change.key, change.key_bytes, *change.put)
                                : writer.Delete(change.key, change.key_bytes));
    }
    if (set.position) {
      writer.SetPosition(set.type, set.position);
    }
    TRY(writer.Commit());
    writes_.Increment(static_cast<double>(changes.size()));
    return {};
  }

  Result<std::unique_ptr<Reconciliation>> BeginList(const GroupVersionKind& type) override {
    auto list = std::make_unique<ListReconciliation>(state_, type);
    TRY(list->Begin());
    return list;
  }

  Result<void> Wipe(const GroupVersionKind& type) override {
    const std::scoped_lock turn(state_.turn);
    return WipeInTurn(type);
  }

  std::unique_ptr<InventoryView> View() override { return std::make_unique<StoreView>(state_); }
  std::unique_ptr<InventoryView> View(ReadSet& reads) override { return NoteReads(View(), reads); }

  Result<std::vector<RecordedChange>> Changes(std::uint64_t sequence, std::size_t limit) override {
    std::vector<RecordedChange> changes;
    const auto it = state_.store->NewIterator(Family::kChanges, store::Reading::kOrdered, nullptr);
    for (it->Seek(EncodeChangeKey(sequence + 1)); it->Valid() && changes.size() < limit;
         it->Next()) {
      changes.push_back(TRY(DecodeChange(it->key(), it->value())));
    }
    TRY(it->Check());
    return changes;
  }

  bool WaitForChangeAfter(std::uint64_t sequence, std::chrono::milliseconds timeout) override {
    return state_.WaitForChangeAfter(sequence, timeout);
  }

  Result<std::optional<ReplicationPosition>> Position(const GroupVersionKind& type) override {
    return state_.FindPosition(type);
  }

  Result<std::vector<KindStatistics>> Kinds() override {
    const std::scoped_lock turn(state_.turn);
    std::map<GroupVersionKind, KindStatistics> kinds;
    for (const auto& [kind, counts] : state_.counts) {
      KindStatistics& statistics =
          kinds[document::MakeGroupVersionKind(kind.group_version, kind.kind)];
      statistics.objects += counts.objects;
      statistics.encoded_bytes += counts.encoded_bytes;
    }
    for (const auto& [type, position] : state_.Positions()) {
      kinds[type].position = position;
    }
    std::vector<KindStatistics> result;
    for (auto& [type, statistics] : kinds) {
      statistics.type = type;
      result.push_back(std::move(statistics));
    }
    return result;
  }

  Result<void> SetWantedIndexes(std::vector<IndexRequest> wanted) override;

  std::vector<IndexStatus> Indexes() override {
    std::vector<IndexStatus> result;
    {
      const std::scoped_lock turn(state_.turn);
      for (const auto& [id, info] : state_.indexes) {
        IndexStatus& status =
            result.emplace_back(IndexStatus{.id = id,
                                            .definition = info.record.definition,
                                            .state = info.record.state,
                                            .users = info.record.users,
                                            .entries = info.progress.entries,
                                            .built_objects = info.progress.built_objects,
                                            .lookups = info.lookups->load()});
        if (info.statistics != nullptr) {
          status.keys = *info.statistics;
        }
      }
    }
    for (IndexStatus& each : result) {
      each.total_objects = state_.EstimateObjects(each.definition.scope, each.definition.kind);
      std::string begin;
      std::string end;
      store::AppendIndexPrefix(each.id, &begin);
      store::AppendIndexPrefix(each.id + 1, &end);
      each.bytes = state_.store->ApproximateBytes(Family::kIndex, begin, end);
    }
    return result;
  }

  bool WaitUntilIndexesReady(std::chrono::milliseconds timeout) override {
    std::unique_lock turn(state_.turn);
    return state_.changed.wait_for(turn, timeout, [&] {
      return !unbuildable_ && std::ranges::none_of(state_.indexes, [](const auto& entry) {
        return entry.second.record.state == IndexState::kBuilding;
      });
    });
  }

  Result<void> UpdateStatistics() override;

  Result<CheckReport> Check(const Progress& progress) override {
    return CheckInventory(state_, progress);
  }

  store::Store& store() override { return *state_.store; }

 private:
  Result<void> FinishWipes();
  Result<void> WipeInTurn(const GroupVersionKind& type);
  Result<void> WipeScope(ChangeWriter& writer, const GroupVersionKind& type, store::Scope scope);

  InventoryState state_;
  const std::shared_ptr<Logger> logger_;
  Counter& writes_;
  bool unbuildable_ =
      false;  // Read-only, and an index is wanted that the store lacks. Guarded by state_.turn.
  std::unique_ptr<IndexBuilder> builder_;
};

// The marks of wipes stay until the kind is gone, so that what a crash leaves of it goes at the next start.
Result<void> StoreInventory::FinishWipes() {
  std::vector<GroupVersionKind> unfinished;
  {
    const auto it =
        state_.store->NewIterator(Family::kDefinitions, store::Reading::kOrdered, nullptr);
    for (it->Seek(kWipePrefix); it->Valid() && it->key().starts_with(kWipePrefix); it->Next()) {
      const auto type = DecodeTypeKey(kWipePrefix, it->key());
      if (!type) {
        return Fail(ErrorCode::kCorruption, "the store's mark of a wipe is damaged");
      }
      unfinished.push_back(*type);
    }
    TRY(it->Check());
  }
  for (const GroupVersionKind& type : unfinished) {
    TRY(Wipe(type));
  }
  return {};
}

Result<void> StoreInventory::WipeInTurn(const GroupVersionKind& type) {
  ChangeWriter writer(state_);
  writer.SetPosition(type, std::nullopt);
  for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
    TRY(WipeScope(writer, type, scope));
    writer.DeleteCounts({.scope = scope, .group_version = type.group_version(), .kind = type.kind});
  }
  writer.batch().Delete(Family::kDefinitions, WipeKey(type));
  return writer.Commit();
}

Result<void> StoreInventory::WipeScope(ChangeWriter& writer, const GroupVersionKind& type,
                                       store::Scope scope) {
  ObjectWalk walk(*state_.store, nullptr, store::Reading::kScanOnce, scope, {},
                  [&](const store::ObjectKeyView& key) { return IsOfType(key, type); });
  while (const std::optional<ObjectWalk::Step> step = TRY(walk.Next())) {
    if (step->key.name.empty()) {
      writer.DeleteMarker(step->key_bytes);
    } else {
      TRY(writer.Delete(step->key.ToKey(), step->key_bytes));
    }
    if (writer.size_bytes() > kBytesAWipeBatch) {
      writer.batch().Put(Family::kDefinitions, WipeKey(type), EncodeMark());
      TRY(writer.Commit());
    }
  }
  return {};
}

Result<void> StoreInventory::SetWantedIndexes(std::vector<IndexRequest> wanted) {
  std::map<Definition, std::set<std::string>> users;
  for (IndexRequest& request : wanted) {
    const Result<Definition> reread = Definition::Parse(request.definition.ToString());
    if (!reread || *reread != request.definition) {
      return Fail(ErrorCode::kInvalidArgument,
                  "no index can be made of \"" + request.definition.ToString() + "\"");
    }
    users[std::move(request.definition)].insert(std::move(request.user));
  }
  std::map<Definition, std::shared_ptr<const KeyProgram>> programs;
  for (auto entry = users.begin(); entry != users.end();) {
    auto program = state_.MakeProgram(entry->first);
    if (!program) {
      logger_->Error("index left out",
                     {{"index", entry->first.Summary()}, {"error", program.error().message}});
      entry = users.erase(entry);
      continue;
    }
    programs.emplace(entry->first, std::move(*program));
    ++entry;
  }
  const std::scoped_lock turn(state_.turn);
  const bool read_only = state_.store->options().read_only;
  const std::unique_ptr<store::Batch> batch = state_.store->NewBatch();
  std::map<IndexId, IndexRecord> records;
  for (const auto& [id, info] : state_.indexes) {
    if (info.record.state == IndexState::kDropping) {
      continue;
    }
    IndexRecord record = info.record;
    const auto found = users.find(record.definition);
    if (found != users.end()) {
      record.users.assign(found->second.begin(), found->second.end());
      users.erase(found);
    } else {
      record.users.clear();
      record.state = IndexState::kDropping;
    }
    if (record.state != info.record.state || record.users != info.record.users) {
      batch->Put(Family::kDefinitions, IndexKey(id), EncodeIndex(record));
      records.emplace(id, std::move(record));
    }
  }
  if (read_only) {
    // What is there serves; nothing can be built or dropped.
    unbuildable_ = !users.empty();
    return {};
  }
  IndexId next_id = state_.next_id;
  for (const auto& [definition, names] : users) {
    IndexRecord record{.definition = definition,
                       .state = IndexState::kBuilding,
                       .users = {names.begin(), names.end()}};
    batch->Put(Family::kDefinitions, IndexKey(next_id), EncodeIndex(record));
    records.emplace(next_id++, std::move(record));
  }
  if (next_id != state_.next_id) {
    batch->Put(Family::kDefinitions, kNextIdKey, EncodeNumber(next_id));
  }
  if (batch->empty()) {
    return {};
  }
  TRY(state_.store->Write(*batch));
  state_.next_id = next_id;
  for (auto& [id, record] : records) {
    IndexInfo& info = state_.indexes[id];
    if (const auto made = programs.find(record.definition); made != programs.end()) {
      info.program = made->second;
    }
    info.record = std::move(record);
  }
  state_.PublishCatalog();
  state_.changed.notify_all();
  return {};
}

Result<void> StoreInventory::UpdateStatistics() {
  std::vector<IndexId> ready;
  {
    const std::scoped_lock turn(state_.turn);
    for (const auto& [id, info] : state_.indexes) {
      if (info.record.state == IndexState::kReady) {
        ready.push_back(id);
      }
    }
  }
  for (const IndexId id : ready) {
    std::optional<KeyAnalysis> analysis;
    {
      const std::scoped_lock turn(state_.turn);
      const auto found = state_.indexes.find(id);
      if (found == state_.indexes.end() || found->second.record.state != IndexState::kReady) {
        continue;
      }
      analysis.emplace(state_, id);
    }
    KeyStatistics statistics = TRY(TakeStatistics(*analysis));
    const std::scoped_lock turn(state_.turn);
    TRY(state_.PutStatistics(id, std::move(statistics)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Inventory>> Inventory::Open(const InventoryOptions& options, Clock& clock,
                                                   std::shared_ptr<Logger> logger,
                                                   Metrics& metrics) {
  auto inventory = std::make_unique<StoreInventory>(TRY(store::Store::Open(options.store)), options,
                                                    std::move(logger), metrics);
  TRY(inventory->Start(options, clock));
  return inventory;
}

}  // namespace portcullis::index
