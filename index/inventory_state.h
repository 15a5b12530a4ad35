// What the parts of the inventory share: the store, and in memory what every write must know. Inside index/ only.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "index/fair_lock.h"
#include "index/inventory.h"
#include "index/record.h"
#include "store/store.h"

namespace portcullis::index {

using LookupCount = std::atomic<std::uint64_t>;

struct IndexInfo {
  IndexRecord record;
  BuildProgress progress;
  std::shared_ptr<const KeyProgram> program;  // Of a definition with one.
  std::shared_ptr<LookupCount> lookups = std::make_shared<LookupCount>(0);
  std::shared_ptr<const KeyStatistics> statistics;  // Null: none were taken.

  // Whether a write of this object maintains its entries: not those that a build or a drop has yet to reach.
  [[nodiscard]] bool Maintains(std::string_view key_bytes) const {
    return record.state == IndexState::kReady ||
           (record.state == IndexState::kBuilding && key_bytes <= progress.cursor);
  }
  // So much has changed that statistics are worth taking.
  [[nodiscard]] bool StatisticsAreOld() const;
};

struct DefinitionHash {
  std::size_t operator()(const Definition& definition) const;
};

// The complete indexes at one moment; never changed once published.
struct Catalog {
  struct Ready {
    std::shared_ptr<LookupCount> lookups;
    bool has_program = false;
    std::shared_ptr<const KeyStatistics> statistics = nullptr;
  };
  std::unordered_map<Definition, IndexId, DefinitionHash> ids;
  std::unordered_map<IndexId, Ready> ready;
};

using MarkerHash = std::array<std::uint64_t, 2>;
[[nodiscard]] MarkerHash HashBytes(std::string_view bytes);
struct MarkerHashHash {
  std::size_t operator()(const MarkerHash& hash) const { return static_cast<std::size_t>(hash[0]); }
};

class InventoryState {
 public:
  InventoryState(std::unique_ptr<store::Store> opened, std::shared_ptr<const KeyPrograms> means)
      : store(std::move(opened)), key_programs(std::move(means)) {}

  // Reads everything but objects and entries. ERRORS: kCorruption.
  Result<void> Load();

  // For readers, without the writers' turn.
  [[nodiscard]] std::shared_ptr<const Catalog> catalog() const;
  [[nodiscard]] std::optional<ReplicationPosition> FindPosition(
      const document::GroupVersionKind& type) const;
  [[nodiscard]] std::map<document::GroupVersionKind, ReplicationPosition> Positions() const;
  [[nodiscard]] std::uint64_t EstimateObjects(store::Scope scope, std::string_view kind) const;

  // Each REQUIRES the writers' turn, and follows a write that made it true.
  void PublishCatalog();
  void PublishPosition(const document::GroupVersionKind& type,
                       const std::optional<ReplicationPosition>& position);
  void PublishCounts(const KindKey& kind, const std::optional<KindCounts>& now);
  // Writes them first, unless the store is read-only. Nothing happens if the index is gone, or newer ones are there.
  Result<void> PutStatistics(IndexId index, KeyStatistics statistics);

  // The program of a definition; null where it has none. ERRORS: kInvalidArgument: it cannot be made.
  [[nodiscard]] Result<std::shared_ptr<const KeyProgram>> MakeProgram(
      const Definition& definition) const;

  const std::unique_ptr<store::Store> store;
  const std::shared_ptr<const KeyPrograms> key_programs;

  // Whoever writes holds it, from the first read that the write depends on.
  FairLock turn;
  std::condition_variable_any changed;  // With turn: an index, or a wish to stop.
  // Guarded by turn.
  std::map<KindKey, KindCounts> counts;
  std::map<IndexId, IndexInfo> indexes;
  IndexId next_id = 1;
  std::unordered_set<MarkerHash, MarkerHashHash> known_markers;
  std::uint64_t next_change = 1;  // The sequence of the next recorded change.

  // Constant once the inventory is open. Null: changes are not recorded.
  Clock* change_clock = nullptr;

  // Milliseconds since 1970. REQUIRES: change_clock.
  [[nodiscard]] std::int64_t NowMs() const;
  // REQUIRES: the writers' turn. What was recorded so far is in the store.
  void PublishChanges();
  // True when changes after `sequence` are in the store; waits at most `timeout` for them.
  bool WaitForChangeAfter(std::uint64_t sequence, std::chrono::milliseconds timeout);

 private:
  Result<void> LoadChanges();
  Result<void> LoadDefinitions();
  Result<void> LoadPositions();

  mutable std::mutex read_;
  std::condition_variable change_recorded_;
  // Guarded by read_.
  std::uint64_t last_change_ = 0;
  std::shared_ptr<const Catalog> catalog_ = std::make_shared<Catalog>();
  std::map<document::GroupVersionKind, ReplicationPosition> positions_;
  std::map<std::pair<store::Scope, std::string>, std::uint64_t, std::less<>>
      objects_;  // "" is every kind.
};

}  // namespace portcullis::index
