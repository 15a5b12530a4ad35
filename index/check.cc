#include "index/check.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "document/encoding.h"
#include "document/object.h"
#include "index/entries.h"
#include "index/inventory_state.h"
#include "index/key_analysis.h"
#include "index/object_walk.h"
#include "index/record.h"
#include "store/entry_key.h"

namespace portcullis::index {
namespace {

using document::Value;
using store::Family;

constexpr std::size_t kMaxProblems = 1000;
constexpr std::uint64_t kProgressEvery = 1000;

// Of a set of entries: their number and the sum of their hashes, so that two sets compare in constant memory.
struct EntrySum {
  std::uint64_t count = 0;
  MarkerHash sum{};
  void Add(std::string_view entry) {
    const MarkerHash hash = HashBytes(entry);
    sum[0] += hash[0];
    sum[1] += hash[1];
    ++count;
  }
  friend bool operator==(const EntrySum&, const EntrySum&) = default;
};

struct CheckedIndex {
  IndexRecord record;
  BuildProgress progress;
  std::shared_ptr<const KeyProgram> program;
  std::optional<KeyStatistics> statistics;
  EntrySum expected;
  EntrySum found;
  KeyCounter keys;
  // Of the frequent keys of `statistics`, as they are now.
  std::map<std::string, std::uint64_t, std::less<>> frequent;
  [[nodiscard]] bool Expects(const store::ObjectKeyView& key, std::string_view key_bytes) const {
    return record.definition.scope == key.scope &&
           (record.definition.kind.empty() || record.definition.kind == key.kind) &&
           (record.state == IndexState::kReady || key_bytes <= progress.cursor);
  }
};

class Checker {
 public:
  Checker(const InventoryState& state, const Progress& progress)
      : state_(state),
        store_(*state.store),
        progress_(progress),
        snapshot_(store_.TakeSnapshot()) {}

  Result<CheckReport> Run() {
    TRY(ReadDefinitions());
    TRY(ReadCounts());
    for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
      TRY(CheckObjects(scope));
    }
    TRY(SumEntries());
    CheckCounts();
    for (auto& [id, index] : indexes_) {
      if (index.found.count != index.progress.entries) {
        Problem(Name(id) + ": has " + std::to_string(index.found.count) + " entries, and " +
                std::to_string(index.progress.entries) + " were counted");
      }
      CheckStatistics(id, index);
      if (index.expected != index.found) {
        TRY(FindMissing(id, index));
        TRY(FindExtra(id, index));
      }
    }
    return std::move(report_);
  }

 private:
  void Problem(std::string text) {
    ++report_.problem_count;
    if (report_.problems.size() < kMaxProblems) {
      report_.problems.push_back(std::move(text));
    }
  }

  [[nodiscard]] std::string Name(IndexId id) const {
    return "index " + indexes_.at(id).record.definition.Summary();
  }

  static std::string Name(const store::ObjectKeyView& key) {
    std::string name(key.group_version);
    name += '/';
    name += key.kind;
    name += ' ';
    if (key.scope == store::Scope::kNamespaced) {
      name += key.name_space;
      name += '/';
    }
    return name += key.name;
  }

  Result<void> ReadDefinitions() {
    const auto it =
        store_.NewIterator(Family::kDefinitions, store::Reading::kOrdered, snapshot_.get());
    for (it->Seek(""); it->Valid(); it->Next()) {
      if (const auto id = DecodeIndexKey(kIndexPrefix, it->key())) {
        indexes_[*id].record = TRY(DecodeIndex(it->value()));
      } else if (const auto built = DecodeIndexKey(kProgressPrefix, it->key())) {
        indexes_[*built].progress = TRY(DecodeProgress(it->value()));
      } else if (const auto of = DecodeIndexKey(kStatisticsPrefix, it->key())) {
        CheckedIndex& index = indexes_[*of];
        index.statistics = TRY(DecodeStatistics(it->value()));
        for (const KeyCount& each : index.statistics->frequent) {
          index.frequent.emplace(each.key, 0);
        }
      }
    }
    TRY(it->Check());
    // What a dropped index still holds matters to nobody.
    std::erase_if(indexes_, [](const auto& entry) {
      return entry.second.record.state == IndexState::kDropping;
    });
    for (auto& [id, index] : indexes_) {
      auto program = state_.MakeProgram(index.record.definition);
      if (!program) {
        Problem(Name(id) + ": its program cannot be made: " + program.error().message);
        continue;
      }
      index.program = std::move(*program);
    }
    return {};
  }

  Result<void> ReadCounts() {
    const auto it =
        store_.NewIterator(Family::kPositions, store::Reading::kOrdered, snapshot_.get());
    for (it->Seek(kCountsPrefix); it->Valid() && it->key().starts_with(kCountsPrefix); it->Next()) {
      const auto kind = DecodeCountsKey(it->key());
      if (!kind) {
        Problem("counts under bytes that are no key");
        continue;
      }
      counted_[*kind] = TRY(DecodeCounts(it->value()));
      total_ += counted_[*kind].objects;
    }
    return it->Check();
  }

  Result<void> CheckObjects(store::Scope scope) {
    ObjectWalk walk(store_, snapshot_.get(), store::Reading::kScanOnce, scope, {},
                    [](const store::ObjectKeyView&) { return true; });
    std::string marker;
    while (const std::optional<ObjectWalk::Step> step = TRY(walk.Next())) {
      KindCounts& counts = seen_[{.scope = scope,
                                  .group_version = std::string(step->key.group_version),
                                  .kind = std::string(step->key.kind)}];
      if (step->key.name.empty()) {
        marker = step->key_bytes;
        continue;
      }
      if (step->key_bytes.substr(0, step->key_bytes.size() - step->key.name.size()) != marker) {
        Problem(Name(step->key) + ": its kind has no parent marker");
      }
      ++counts.objects;
      counts.encoded_bytes += step->record.size();
      CheckObject(*step);
      if (++report_.objects % kProgressEvery == 0 && progress_) {
        progress_(report_.objects, total_);
      }
    }
    return {};
  }

  void CheckObject(const ObjectWalk::Step& step) {
    arena_.Reset();
    const Result<Value> object = document::OpenUntrusted(step.record, arena_);
    if (!object) {
      Problem(Name(step.key) + ": its record is damaged: " + object.error().message);
      return;
    }
    const Result<document::ObjectIdentity> identity = document::IdentityOf(*object);
    const Result<store::ObjectKey> key =
        identity ? store::KeyOf(*identity) : std::unexpected(identity.error());
    if (!key || store::EncodeKey(*key) != step.key_bytes) {
      Problem(Name(step.key) + ": its record is another object's");
    }
    for (auto& [id, index] : indexes_) {
      if (!index.Expects(step.key, step.key_bytes)) {
        continue;
      }
      for (const std::string& entry : Entries(id, index, *object, step.key_bytes)) {
        index.expected.Add(entry);
      }
    }
  }

  std::set<std::string> Entries(IndexId id, const CheckedIndex& index, const Value& object,
                                std::string_view key_bytes) {
    std::vector<std::string> prefixes;
    EntryPrefixes(id, index.record.definition, index.program.get(), object, arena_, &prefixes);
    std::set<std::string> entries;
    for (std::string& prefix : prefixes) {
      entries.insert(std::move(prefix.append(key_bytes)));
    }
    return entries;
  }

  Result<void> SumEntries() {
    const auto it = store_.NewIterator(Family::kIndex, store::Reading::kScanOnce, snapshot_.get());
    std::string key;
    for (it->Seek(""); it->Valid(); it->Next()) {
      const auto entry = store::DecodeEntryKey(it->key());
      const auto index = entry ? indexes_.find(entry->index) : indexes_.end();
      if (!entry) {
        Problem("an entry under bytes that are no key");
      } else if (index != indexes_.end()) {
        index->second.found.Add(it->key());
        store::UnescapeValueBytes(*entry, &key);
        index->second.keys.Add(key);
        if (const auto known = index->second.frequent.find(key);
            known != index->second.frequent.end()) {
          ++known->second;
        }
        ++report_.entries;
      }
    }
    return it->Check();
  }

  void CheckCounts() {
    for (const auto& [kind, counts] : seen_) {
      const auto counted = counted_.find(kind);
      if (counted == counted_.end() || counted->second.objects != counts.objects ||
          counted->second.encoded_bytes != counts.encoded_bytes) {
        Problem(kind.group_version + "/" + kind.kind + ": has " + std::to_string(counts.objects) +
                " objects, and another number was counted");
      }
    }
    for (const auto& [kind, counts] : counted_) {
      if (counts.objects != 0 && !seen_.contains(kind)) {
        Problem(kind.group_version + "/" + kind.kind + ": was counted and is not there");
      }
    }
  }

  // Each entry that was added or removed since they were taken may have changed them by one, and nothing else may.
  void CheckStatistics(IndexId id, CheckedIndex& index) {
    if (!index.statistics) {
      return;
    }
    const KeyStatistics& known = *index.statistics;
    const KeyStatistics now = index.keys.Finish();
    const auto differ = [](std::uint64_t a, std::uint64_t b) { return a < b ? b - a : a - b; };
    const std::uint64_t changes = index.progress.changes - known.changes;
    bool right = known.changes <= index.progress.changes &&
                 differ(known.entries, now.entries) <= changes &&
                 differ(known.distinct_keys, now.distinct_keys) <= changes;
    for (const KeyCount& each : known.frequent) {
      right = right && differ(each.entries, index.frequent.at(each.key)) <= changes;
    }
    if (!right) {
      Problem(Name(id) + ": its statistics are not those of its entries");
    }
  }

  Result<void> FindMissing(IndexId id, const CheckedIndex& index) {
    ObjectWalk walk(store_, snapshot_.get(), store::Reading::kScanOnce,
                    index.record.definition.scope, {},
                    [](const store::ObjectKeyView&) { return true; });
    store::PinnedValue value;
    while (const std::optional<ObjectWalk::Step> step = TRY(walk.Next())) {
      if (step->key.name.empty() || !index.Expects(step->key, step->key_bytes)) {
        continue;
      }
      arena_.Reset();
      const Result<Value> object = document::OpenUntrusted(step->record, arena_);
      if (!object) {
        continue;
      }
      for (const std::string& entry : Entries(id, index, *object, step->key_bytes)) {
        if (!TRY(store_.Get(Family::kIndex, entry, snapshot_.get(), &value))) {
          Problem(Name(id) + ": has no entry for " + Name(step->key));
        }
      }
    }
    return {};
  }

  Result<void> FindExtra(IndexId id, const CheckedIndex& index) {
    std::string begin;
    store::AppendIndexPrefix(id, &begin);
    const auto it = store_.NewIterator(Family::kIndex, store::Reading::kScanOnce, snapshot_.get());
    store::PinnedValue value;
    for (it->Seek(begin); it->Valid() && it->key().starts_with(begin); it->Next()) {
      const auto entry = store::DecodeEntryKey(it->key());
      const auto key = entry ? store::DecodeKey(entry->object_key) : std::nullopt;
      if (!key || key->name.empty()) {
        Problem(Name(id) + ": has an entry for no object");
        continue;
      }
      if (!index.Expects(*key, entry->object_key) ||
          !TRY(store_.Get(Family::kObjects, entry->object_key, snapshot_.get(), &value))) {
        Problem(Name(id) + ": has an entry for " + Name(*key) + ", which is not there");
        continue;
      }
      arena_.Reset();
      const Result<Value> object = document::OpenUntrusted(value.bytes(), arena_);
      if (object &&
          !Entries(id, index, *object, entry->object_key).contains(std::string(it->key()))) {
        Problem(Name(id) + ": has an entry for " + Name(*key) +
                " under a value that it does not have");
      }
    }
    return it->Check();
  }

  const InventoryState& state_;
  store::Store& store_;
  const Progress& progress_;
  const std::unique_ptr<store::Snapshot> snapshot_;
  std::map<IndexId, CheckedIndex> indexes_;
  std::map<KindKey, KindCounts> counted_;
  std::map<KindKey, KindCounts> seen_;
  std::uint64_t total_ = 0;
  CheckReport report_;
  document::Arena arena_;
};

}  // namespace

Result<CheckReport> CheckInventory(const InventoryState& state, const Progress& progress) {
  return Checker(state, progress).Run();
}

}  // namespace portcullis::index
