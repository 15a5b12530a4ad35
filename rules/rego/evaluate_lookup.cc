// Which of an access path's look-ups serves, and by which keys.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/key_codec.h"
#include "rules/rego/evaluate_inventory.h"

namespace portcullis::rego {
namespace {

using document::Value;

// No string of so many bytes is cut in an index entry: index/key_codec.h at most doubles it.
constexpr std::size_t kMaxExactKeyBytes = 100;
// With more keys than this a scan is not slower.
constexpr std::size_t kMostKeys = 256;
// Entries that are counted to tell which of several look-ups has the fewest.
constexpr std::uint64_t kMostCounted = 256;
// A look-up that statistics expect to find so few is taken without a count.
constexpr std::uint64_t kFewEntries = 8;
// Keys whose entries are estimated before they are counted.
constexpr std::size_t kMostEstimated = 8;
static_assert(2 * kMaxExactKeyBytes + 8 <= index::kMaxKeyBytes);

// A short string is in its entry as it is, and so are two; other keys may share theirs with unequal ones.
bool IsExact(std::span<const index::PathStep> path, const Value& key) {
  if (HasEntry(path)) {
    return key.is_array() && key.size() == 2 && key.ItemAt(0).is_string() &&
           key.ItemAt(1).is_string() &&
           key.ItemAt(0).string().size() + key.ItemAt(1).string().size() <= kMaxExactKeyBytes;
  }
  return key.is_string() && key.string().size() <= kMaxExactKeyBytes;
}

}  // namespace

// A choice of which every index is there, with its keys.
struct Evaluator::LookUp {
  std::vector<index::IndexKeys> wanted;
  std::vector<std::size_t> counts;  // Keys of each.
  std::size_t first_key = 0;        // In collected_.
  std::size_t key_count = 0;
};

bool Evaluator::CollectKeys(const InventoryWalk& walk,
                            const std::vector<InventoryAccess::Probe>& choice, LookUp* look_up,
                            bool* ready) {
  *ready = false;
  look_up->first_key = collected_.size();
  for (const InventoryAccess::Probe& probe : choice) {
    const auto index = context_->inventory->FindIndex(probe.definition);
    if (!index || (!probe.definition.program.empty() &&
                   request_.inventory_numbers != document::NumberMode::kFloat64)) {
      return true;
    }
    if (probe.guard != nullptr) {
      const Signal holds = RunBlock(*probe.guard, walk.slots);
      if (holds != Signal::kStop) {
        return holds != Signal::kError;
      }
    }
    const std::size_t begin = collected_.size();
    if (RunBlock(*probe.keys, walk.slots) == Signal::kError) {
      return false;
    }
    if (probe.extra.is_defined()) {
      collected_.push_back(probe.extra);
    }
    look_up->wanted.push_back({.index = *index, .keys = {}});
    look_up->counts.push_back(collected_.size() - begin);
  }
  look_up->key_count = collected_.size() - look_up->first_key;
  *ready = look_up->key_count <= kMostKeys;
  return true;
}

bool Evaluator::CollectChoices(const InventoryWalk& walk, std::vector<LookUp>* ready) {
  for (const auto& choice : walk.access.choices) {
    const std::size_t begin = collected_.size();
    LookUp look_up;
    bool is_ready = false;
    if (!CollectKeys(walk, choice, &look_up, &is_ready)) {
      return false;
    }
    if (is_ready) {
      ready->push_back(std::move(look_up));
    } else {
      collected_.resize(begin);
    }
  }
  for (LookUp& each : *ready) {
    std::span<const Value> keys = std::span<const Value>(collected_).subspan(each.first_key);
    for (std::size_t i = 0; i < each.counts.size(); ++i) {
      each.wanted[i].keys = keys.first(each.counts[i]);
      keys = keys.subspan(each.counts[i]);
    }
  }
  return true;
}

Result<const Evaluator::LookUp*> Evaluator::WithFewest(const std::vector<LookUp>& ready,
                                                       const index::TreePrefix& within) {
  if (ready.size() < 2) {
    return ready.empty() ? nullptr : ready.data();
  }
  // What statistics expect to be few is not counted.
  const LookUp* best = nullptr;
  std::uint64_t fewest = kFewEntries + 1;
  for (const LookUp& each : ready) {
    const std::optional<std::uint64_t> estimate = EstimateEntries(each.wanted);
    if (estimate && *estimate < fewest) {
      fewest = *estimate;
      best = &each;
    }
  }
  if (best != nullptr) {
    return best;
  }
  // A few of each are counted first: one that has no more is found without going through a hot key.
  for (const std::uint64_t most : {kFewEntries + 1, kMostCounted}) {
    fewest = std::numeric_limits<std::uint64_t>::max();
    for (const LookUp& each : ready) {
      const std::uint64_t counted = TRY(CountEntries(each.wanted, within, std::min(fewest, most)));
      if (counted < fewest) {
        fewest = counted;
        best = &each;
      }
    }
    if (fewest <= kFewEntries) {
      break;
    }
  }
  return best;
}

Signal Evaluator::LookUpObjects(InventoryWalk& walk, bool* answered) {
  const InventoryAccess& access = walk.access;
  std::size_t leading = 0;
  for (std::size_t i = 0; i < access.levels.size(); ++i) {
    if (access.levels[i].kind != Level::Kind::kKey) {
      continue;
    }
    const Value& key = Get(access.levels[i].key, walk.slots);
    if (!key.is_string()) {
      *answered = true;
      return Signal::kContinue;
    }
    walk.segments[i] = key.string();
    leading += leading == i ? 1 : 0;
  }
  const index::TreePrefix within{.scope = access.scope,
                                 .segments = std::span(walk.segments).first(leading)};
  const std::size_t begin = collected_.size();
  std::vector<LookUp> ready;
  if (!CollectChoices(walk, &ready)) {
    return Signal::kError;
  }
  auto cursor = [&]() -> Result<std::unique_ptr<index::ObjectCursor>> {
    const StoreTimer timer(*this, walk.cost);
    const LookUp* best = TRY(WithFewest(ready, within));
    if (best == nullptr) {
      return nullptr;
    }
    ++statistics_.lookups;
    if (access.index_only && access.value != kNoSlot && best->key_count == 1) {
      const Value& key = collected_[best->first_key];
      walk.from_entries = IsExact(access.choices[0][0].definition.path, key);
      walk.entry_key = key;
    }
    return context_->inventory->LookupAny(best->wanted, within);
  }();
  collected_.resize(begin);
  if (cursor && *cursor == nullptr) {
    return Signal::kContinue;
  }
  *answered = true;
  return Candidates(walk, std::move(cursor), 0);
}

std::optional<std::uint64_t> Evaluator::EstimateEntries(
    std::span<const index::IndexKeys> wanted) const {
  std::uint64_t entries = 0;
  std::string bytes;
  for (const index::IndexKeys& each : wanted) {
    const index::KeyStatistics* statistics = context_->inventory->Statistics(each.index);
    if (statistics == nullptr || each.keys.size() > kMostEstimated) {
      return std::nullopt;
    }
    for (const Value& key : each.keys) {
      bytes.clear();
      index::AppendKeyBytes(key, &bytes);
      entries += statistics->EstimateEntries(bytes);
    }
  }
  return entries;
}

Result<std::uint64_t> Evaluator::CountEntries(std::span<const index::IndexKeys> wanted,
                                              const index::TreePrefix& within, std::uint64_t most) {
  // Statistics know of no namespaces.
  const std::optional<std::uint64_t> estimate =
      within.segments.empty() ? EstimateEntries(wanted) : std::nullopt;
  if (estimate && *estimate >= kMostCounted) {
    return *estimate;
  }
  const std::uint64_t counted = TRY(CountUpTo(wanted, within, most));
  return counted == most ? std::max(counted, estimate.value_or(0)) : counted;
}

Result<std::uint64_t> Evaluator::CountUpTo(std::span<const index::IndexKeys> wanted,
                                           const index::TreePrefix& within, std::uint64_t most) {
  const auto cursor = TRY(context_->inventory->LookupAny(wanted, within));
  std::uint64_t count = 0;
  while (count < most && TRY(cursor->Next())) {
    ++count;
  }
  return count;
}

}  // namespace portcullis::rego
