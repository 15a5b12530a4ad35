// Takes the statistics of one index by reading its entries at one moment, a bounded piece at a time. Inside index/ only.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "index/inventory_state.h"
#include "index/key_statistics.h"

namespace portcullis::index {

// Counts keys whose entries come one after the other.
class KeyCounter {
 public:
  // `key`: bytes as AppendKeyBytes makes them.
  void Add(std::string_view key);
  // All but `changes`.
  [[nodiscard]] KeyStatistics Finish();

 private:
  void EndRun();

  KeyStatistics statistics_;
  std::string key_;
  std::uint64_t run_ = 0;
};

// THREADS: one at a time. LIFETIME: not beyond the state.
class KeyAnalysis {
 public:
  // REQUIRES: the writers' turn; the index is ready. What follows needs no turn.
  KeyAnalysis(InventoryState& state, IndexId index);

  [[nodiscard]] IndexId index() const { return index_; }
  // Reads at most `entries` more. False: there are none any more. ERRORS: kCorruption.
  Result<bool> Step(std::uint64_t entries);
  // REQUIRES: Step returned false.
  [[nodiscard]] KeyStatistics Finish();

 private:
  const IndexId index_;
  const std::uint64_t changes_;
  const std::unique_ptr<store::Snapshot> snapshot_;
  const std::unique_ptr<store::Iterator> it_;
  std::string begin_;
  std::string key_;
  KeyCounter counter_;
};

// Takes all that is left at once.
[[nodiscard]] Result<KeyStatistics> TakeStatistics(KeyAnalysis& analysis);

}  // namespace portcullis::index
