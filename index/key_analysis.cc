#include "index/key_analysis.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/entry_key.h"

namespace portcullis::index {

using store::Family;

void KeyCounter::Add(std::string_view key) {
  if (run_ == 0 || key != key_) {
    EndRun();
    key_ = key;
  }
  ++run_;
}

void KeyCounter::EndRun() {
  if (run_ == 0) {
    return;
  }
  statistics_.entries += run_;
  ++statistics_.distinct_keys;
  std::vector<KeyCount>& frequent = statistics_.frequent;
  if (run_ > 1 && (frequent.size() < kFrequentKeys || frequent.back().entries < run_)) {
    if (frequent.size() == kFrequentKeys) {
      frequent.pop_back();
    }
    const auto after = std::ranges::find_if(
        frequent, [this](const KeyCount& each) { return each.entries < run_; });
    frequent.insert(after, {.key = std::move(key_), .entries = run_});
  }
  run_ = 0;
}

KeyStatistics KeyCounter::Finish() {
  EndRun();
  return std::move(statistics_);
}

KeyAnalysis::KeyAnalysis(InventoryState& state, IndexId index)
    : index_(index),
      changes_(state.indexes.at(index).progress.changes),
      snapshot_(state.store->TakeSnapshot()),
      it_(state.store->NewIterator(Family::kIndex, store::Reading::kScanOnce, snapshot_.get())) {
  store::AppendIndexPrefix(index, &begin_);
  it_->Seek(begin_);
}

Result<bool> KeyAnalysis::Step(std::uint64_t entries) {
  for (; entries > 0; --entries, it_->Next()) {
    if (!it_->Valid() || !it_->key().starts_with(begin_)) {
      TRY(it_->Check());
      return false;
    }
    const auto entry = store::DecodeEntryKey(it_->key());
    if (!entry) {
      return Fail(ErrorCode::kCorruption, "the store holds an entry under bytes that are no key");
    }
    store::UnescapeValueBytes(*entry, &key_);
    counter_.Add(key_);
  }
  return true;
}

KeyStatistics KeyAnalysis::Finish() {
  KeyStatistics statistics = counter_.Finish();
  statistics.changes = changes_;
  return statistics;
}

Result<KeyStatistics> TakeStatistics(KeyAnalysis& analysis) {
  while (TRY(analysis.Step(std::numeric_limits<std::uint64_t>::max()))) {
  }
  return analysis.Finish();
}

}  // namespace portcullis::index
