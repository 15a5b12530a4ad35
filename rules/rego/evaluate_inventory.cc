#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "document/encoding.h"
#include "index/key_codec.h"
#include "rules/rego/evaluator.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego {
namespace {

using document::Value;

constexpr std::size_t kMostLevels = 4;
// No string of so many bytes is cut in an index entry: index/key_codec.h at most doubles it.
constexpr std::size_t kMaxExactKeyBytes = 100;
// With more keys than this a scan is not slower.
constexpr std::size_t kMostKeys = 256;
// Entries that are counted to tell which of several look-ups has the fewest.
constexpr std::uint64_t kMostCounted = 256;
// Keys whose entries are estimated before they are counted.
constexpr std::size_t kMostEstimated = 8;
static_assert(2 * kMaxExactKeyBytes + 8 <= index::kMaxKeyBytes);

std::string_view ScopeKey(store::Scope scope) {
  return scope == store::Scope::kNamespaced ? "namespace" : "cluster";
}

// The keys of an object by level of the tree.
std::array<std::string_view, kMostLevels> LevelsOf(const store::ObjectKeyView& key) {
  if (key.scope == store::Scope::kNamespaced) {
    return {key.name_space, key.group_version, key.kind, key.name};
  }
  return {key.group_version, key.kind, key.name, {}};
}

store::ObjectKeyView KeyOf(store::Scope scope, std::span<const std::string_view> levels) {
  if (scope == store::Scope::kNamespaced) {
    return {.scope = scope,
            .name_space = levels[0],
            .group_version = levels[1],
            .kind = levels[2],
            .name = levels[3]};
  }
  return {.scope = scope,
          .name_space = {},
          .group_version = levels[0],
          .kind = levels[1],
          .name = levels[2]};
}

// What an index entry tells of its object: that the path reaches the key, and the object's name and namespace.
Value ObjectOfEntry(std::span<const index::PathStep> path, Value key,
                    const store::ObjectKeyView& of, document::Arena& arena) {
  const std::span<document::Member> metadata = arena.AllocateArray<document::Member>(2);
  metadata[0] = {Value::String("name"), Value::String(arena.CopyString(of.name))};
  metadata[1] = {Value::String("namespace"), Value::String(arena.CopyString(of.name_space))};
  for (std::size_t i = path.size(); i-- > 1;) {
    if (path[i].kind == index::PathStep::Kind::kField) {
      const std::span<document::Member> object = arena.AllocateArray<document::Member>(1);
      object[0] = {Value::String(path[i].field), key};
      key = Value::Object(object);
    } else {
      const std::span<Value> array = arena.AllocateArray<Value>(1);
      array[0] = key;
      key = Value::Array(array);
    }
  }
  const std::span<document::Member> root = arena.AllocateArray<document::Member>(2);
  const bool metadata_first = path.front().field > "metadata";
  root[metadata_first ? 0 : 1] = {
      Value::String("metadata"),
      Value::Object(of.scope == store::Scope::kNamespaced ? metadata : metadata.first(1))};
  root[metadata_first ? 1 : 0] = {Value::String(path.front().field), key};
  return Value::Object(root);
}

}  // namespace

// One pass of a kInventory step.
struct Evaluator::InventoryWalk {
  const Step& step;
  const InventoryAccess& access;
  Value* slots;
  std::array<std::string_view, kMostLevels> segments;
  AccessCost* cost = nullptr;  // Null: it is not measured.
  bool from_entries = false;   // Entries stand for the objects; see InventoryAccess::index_only.
  Value entry_key = {};        // Then: under which key they are.
};

// What happens during its life is the cost of one access.
class Evaluator::StoreTimer {
 public:
  StoreTimer(const Evaluator& evaluator, AccessCost* cost) : evaluator_(evaluator), cost_(cost) {
    if (cost_ != nullptr) {
      started_ = evaluator_.request_.clock->Now();
      before_ = evaluator_.statistics_;
      bytes_before_ = evaluator_.context_->inventory->bytes_read();
    }
  }
  StoreTimer(const StoreTimer&) = delete;
  StoreTimer& operator=(const StoreTimer&) = delete;
  ~StoreTimer() {
    if (cost_ != nullptr) {
      const EvaluationStatistics& now = evaluator_.statistics_;
      cost_->time += evaluator_.request_.clock->Now() - started_;
      cost_->bytes += evaluator_.context_->inventory->bytes_read() - bytes_before_;
      cost_->reads += {.gets = now.gets - before_.gets,
                       .lookups = now.lookups - before_.lookups,
                       .scans = now.scans - before_.scans,
                       .objects_visited = now.objects_visited - before_.objects_visited};
    }
  }

 private:
  const Evaluator& evaluator_;
  AccessCost* const cost_;
  std::chrono::steady_clock::time_point started_;
  EvaluationStatistics before_;
  std::uint64_t bytes_before_ = 0;
};

Signal Evaluator::RunFound(const InventoryWalk& walk) {
  if (walk.cost != nullptr) {
    ++walk.cost->rows;
  }
  return Run(&walk.step + 1, walk.slots);
}

Signal Evaluator::TryFilter(const InventoryWalk& walk, std::size_t level) {
  if (level >= walk.access.filters.size() || walk.access.filters[level] == nullptr) {
    return Signal::kContinue;
  }
  switch (RunBlock(*walk.access.filters[level], walk.slots)) {
    case Signal::kStop:
      return Signal::kContinue;
    case Signal::kContinue:
      return Signal::kStop;
    case Signal::kError:
      break;
  }
  return Signal::kError;
}

Signal Evaluator::Inventory(const Step& step, Value* slots) {
  InventoryWalk walk{.step = step, .access = *step.inventory, .slots = slots, .segments = {}};
  if (context_->inventory == nullptr) {
    const Value tree = context_->data.Find("inventory").Find(ScopeKey(walk.access.scope));
    return tree.is_undefined() ? Signal::kContinue : InventoryInValue(walk, tree, 0);
  }
  if (request_.accesses != nullptr) {
    walk.cost = &(*request_.accesses)[walk.access.id];
    ++walk.cost->runs;
  }
  // What an index leaves out cannot end in an error, unless builtins' errors count. What its keys are made by must be what the
  // policy says.
  if (!walk.access.choices.empty() && request_.index_use == IndexUse::kUse &&
      !request_.strict_builtin_errors && context_->mocks == nullptr && context_->masks == nullptr) {
    bool answered = false;
    const Signal signal = LookUpObjects(walk, &answered);
    if (answered || signal == Signal::kError) {
      return signal;
    }
  }
  return InventoryLevel(walk, 0);
}

Signal Evaluator::InventoryLevel(InventoryWalk& walk, std::size_t level) {
  const InventoryAccess& access = walk.access;
  if (level == access.levels.size()) {
    return InventoryEnd(walk);
  }
  const Level& at = access.levels[level];
  if (at.kind == Level::Kind::kKey) {
    const Value& key = Get(at.key, walk.slots);
    if (!key.is_string()) {
      return Signal::kContinue;
    }
    walk.segments[level] = key.string();
    const Signal tried = TryFilter(walk, level);
    return tried != Signal::kContinue ? (tried == Signal::kStop ? Signal::kContinue : tried)
                                      : InventoryLevel(walk, level + 1);
  }
  const bool free_to_the_end =
      access.reaches_objects() &&
      std::all_of(access.levels.begin() + static_cast<std::ptrdiff_t>(level), access.levels.end(),
                  [](const Level& other) { return other.kind == Level::Kind::kFree; });
  const bool filtered_above_objects = std::any_of(
      access.filters.begin() + static_cast<std::ptrdiff_t>(std::min(level, access.filters.size())),
      access.filters.end(), [](const Block* filter) { return filter != nullptr; });
  if (free_to_the_end && (level + 1 == access.depth() || !filtered_above_objects)) {
    return ScanObjects(walk, level);
  }
  auto cursor = context_->inventory->Segments(
      {.scope = access.scope, .segments = std::span(walk.segments).first(level)});
  if (!cursor) {
    FailEngine(std::move(cursor).error());
    return Signal::kError;
  }
  CandidateMemory memory(*this);
  for (;;) {
    auto next = [&] {
      const StoreTimer timer(*this, walk.cost);
      return (*cursor)->Next();
    }();
    if (!next) {
      FailEngine(std::move(next).error());
      return Signal::kError;
    }
    if (!next->has_value()) {
      return Signal::kContinue;
    }
    memory.Begin();
    walk.segments[level] = arena_->CopyString(**next);
    if (at.slot != kNoSlot) {
      walk.slots[at.slot] = Value::String(walk.segments[level]);
    }
    Signal signal = TryFilter(walk, level);
    if (signal == Signal::kContinue) {
      signal = InventoryLevel(walk, level + 1);
    } else if (signal == Signal::kStop) {
      signal = Signal::kContinue;
    }
    memory.End();
    if (signal != Signal::kContinue) {
      return signal;
    }
  }
}

// All keys of the reference are bound, down to an object or to a node above the objects.
Signal Evaluator::InventoryEnd(InventoryWalk& walk) {
  const InventoryAccess& access = walk.access;
  Value value;
  std::optional<StoreTimer> timer;
  timer.emplace(*this, walk.cost);
  if (access.reaches_objects()) {
    ++statistics_.gets;
    auto object = context_->inventory->Get(KeyOf(access.scope, walk.segments), *arena_,
                                           request_.inventory_numbers);
    if (!object) {
      FailEngine(std::move(object).error());
      return Signal::kError;
    }
    value = *object;
    if (value.is_undefined()) {
      return Signal::kContinue;
    }
  } else {
    const auto prefix = std::span(walk.segments).first(access.levels.size());
    ++statistics_.gets;
    auto exists = context_->inventory->Exists({.scope = access.scope, .segments = prefix});
    if (!exists) {
      FailEngine(std::move(exists).error());
      return Signal::kError;
    }
    if (!*exists) {
      return Signal::kContinue;
    }
    if (access.value != kNoSlot) {
      std::vector<std::string> segments(prefix.begin(), prefix.end());
      if (!Materialise(access.scope, segments, &value)) {
        return Signal::kError;
      }
    }
  }
  timer.reset();
  if (access.value != kNoSlot) {
    walk.slots[access.value] = value;
  }
  return RunFound(walk);
}

Signal Evaluator::ScanObjects(InventoryWalk& walk, std::size_t level) {
  {
    const StoreTimer timer(*this, walk.cost);
    ++(walk.access.first_only ? statistics_.gets : statistics_.scans);
  }
  return Candidates(
      walk,
      context_->inventory->Objects(
          {.scope = walk.access.scope, .segments = std::span(walk.segments).first(level)}),
      level);
}

// A choice of which every index is there, with its keys.
struct Evaluator::LookUp {
  std::vector<index::IndexKeys> wanted;  // Valid until more is collected.
  std::size_t first_key = 0;             // In collected_.
  std::size_t key_count = 0;
};

bool Evaluator::CollectKeys(const InventoryWalk& walk,
                            const std::vector<InventoryAccess::Probe>& choice, LookUp* look_up,
                            bool* ready) {
  *ready = false;
  look_up->first_key = collected_.size();
  std::vector<std::size_t> counts;  // Keys of each probe.
  for (const InventoryAccess::Probe& probe : choice) {
    const auto index = context_->inventory->FindIndex(probe.definition);
    if (!index || (!probe.definition.program.empty() &&
                   request_.inventory_numbers != document::NumberMode::kFloat64)) {
      collected_.resize(look_up->first_key);
      return true;
    }
    if (probe.guard != nullptr) {
      const Signal holds = RunBlock(*probe.guard, walk.slots);
      if (holds != Signal::kStop) {
        collected_.resize(look_up->first_key);
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
    counts.push_back(collected_.size() - begin);
  }
  std::span<const Value> keys = std::span<const Value>(collected_).subspan(look_up->first_key);
  look_up->key_count = keys.size();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    look_up->wanted[i].keys = keys.first(counts[i]);
    keys = keys.subspan(counts[i]);
  }
  *ready = look_up->key_count <= kMostKeys;
  return true;
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
  std::unique_ptr<index::ObjectCursor> best;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  const std::size_t begin = collected_.size();
  for (const auto& choice : access.choices) {
    LookUp look_up;
    bool ready = false;
    if (!CollectKeys(walk, choice, &look_up, &ready)) {
      return Signal::kError;
    }
    if (!ready) {
      continue;
    }
    std::uint64_t found = 0;
    const StoreTimer timer(*this, walk.cost);
    if (access.choices.size() > 1) {
      const auto counted = CountEntries(look_up.wanted, within, std::min(fewest, kMostCounted));
      if (!counted) {
        FailEngine(counted.error());
        return Signal::kError;
      }
      found = *counted;
    }
    if (best != nullptr && found >= fewest) {
      continue;
    }
    fewest = found;
    auto cursor = context_->inventory->LookupAny(look_up.wanted, within);
    if (!cursor) {
      FailEngine(std::move(cursor).error());
      return Signal::kError;
    }
    best = std::move(*cursor);
    // A short string is in the entry as it is; other keys may share theirs with unequal ones.
    if (access.index_only && access.value != kNoSlot && look_up.key_count == 1) {
      const Value& key = collected_[look_up.first_key];
      walk.from_entries = key.is_string() && key.string().size() <= kMaxExactKeyBytes;
      walk.entry_key = key;
    }
  }
  collected_.resize(begin);
  if (best == nullptr) {
    return Signal::kContinue;
  }
  *answered = true;
  {
    const StoreTimer timer(*this, walk.cost);
    ++statistics_.lookups;
  }
  return Candidates(walk, std::move(best), 0);
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

// Each object of the cursor in turn.
Signal Evaluator::Candidates(InventoryWalk& walk,
                             Result<std::unique_ptr<index::ObjectCursor>> cursor,
                             std::size_t free_from) {
  if (!cursor) {
    FailEngine(std::move(cursor).error());
    return Signal::kError;
  }
  CandidateMemory memory(*this);
  for (;;) {
    auto next = [&] {
      const StoreTimer timer(*this, walk.cost);
      auto found = (*cursor)->Next();
      if (found && found->has_value() && !(*found)->record.empty()) {
        ++statistics_.objects_visited;
      }
      return found;
    }();
    if (!next) {
      FailEngine(std::move(next).error());
      return Signal::kError;
    }
    if (!next->has_value()) {
      return Signal::kContinue;
    }
    if (--ticks_ <= 0 && !CheckLimits()) {
      return Signal::kError;
    }
    memory.Begin();
    const Signal signal = Candidate(walk, **next, free_from);
    memory.End();
    if (signal != Signal::kContinue || walk.access.first_only) {
      return signal;
    }
  }
}

// One object: its keys must be those that are bound and pass the filters; then it is read.
Signal Evaluator::Candidate(InventoryWalk& walk, const index::FoundObject& object,
                            std::size_t free_from) {
  const InventoryAccess& access = walk.access;
  const auto levels = LevelsOf(object.key);
  for (std::size_t i = free_from; i < access.levels.size(); ++i) {
    const Level& at = access.levels[i];
    if (at.kind == Level::Kind::kKey) {
      if (levels[i] != walk.segments[i]) {
        return Signal::kContinue;
      }
    } else if (at.slot != kNoSlot) {
      walk.slots[at.slot] = Value::String(arena_->CopyString(levels[i]));
    }
  }
  for (std::size_t i = free_from; i < access.filters.size(); ++i) {
    if (const Signal tried = TryFilter(walk, i); tried != Signal::kContinue) {
      return tried == Signal::kStop ? Signal::kContinue : tried;
    }
  }
  if (walk.from_entries) {
    walk.slots[access.value] =
        ObjectOfEntry(access.choices[0][0].definition.path, walk.entry_key, object.key, *arena_);
  } else if (access.value != kNoSlot) {
    std::optional<StoreTimer> timer;
    timer.emplace(*this, walk.cost);
    auto opened = object.record.empty()
                      ? context_->inventory->Get(object.key, *arena_, request_.inventory_numbers)
                      : document::OpenTrusted(object.record, *arena_, request_.inventory_numbers);
    if (!opened) {
      FailEngine(std::move(opened).error());
      return Signal::kError;
    }
    if (object.record.empty()) {
      ++statistics_.objects_visited;
    }
    timer.reset();
    if (opened->is_undefined()) {
      return Signal::kContinue;
    }
    walk.slots[access.value] = *opened;
  }
  return RunFound(walk);
}

// The same walk where data.inventory is an ordinary document: `with data.inventory as …`, or no store.
Signal Evaluator::InventoryInValue(InventoryWalk& walk, const Value& node, std::size_t level) {
  const InventoryAccess& access = walk.access;
  if (level == access.levels.size()) {
    if (access.value != kNoSlot) {
      walk.slots[access.value] = node;
    } else if (node.is_false()) {
      return Signal::kContinue;
    }
    return Run(&walk.step + 1, walk.slots);
  }
  const Level& at = access.levels[level];
  const auto below = [&](const Value& child) {
    const Signal tried = TryFilter(walk, level);
    return tried != Signal::kContinue ? (tried == Signal::kStop ? Signal::kContinue : tried)
                                      : InventoryInValue(walk, child, level + 1);
  };
  if (at.kind == Level::Kind::kKey) {
    const Value child = node.Find(Get(at.key, walk.slots));
    return child.is_undefined() ? Signal::kContinue : below(child);
  }
  for (std::uint32_t i = 0; i < node.size(); ++i) {
    const Value child = node.is_object() ? node.ValueAt(i) : node.ItemAt(i);
    if (at.slot != kNoSlot) {
      walk.slots[at.slot] = node.is_object()  ? node.KeyAt(i)
                            : node.is_array() ? Value::Int(i)
                                              : child;
    }
    if (const Signal signal = below(child); signal != Signal::kContinue) {
      return signal;
    }
  }
  return Signal::kContinue;
}

bool Evaluator::Materialise(store::Scope scope, std::vector<std::string>& segments, Value* result) {
  const std::size_t depth = scope == store::Scope::kNamespaced ? 4 : 3;
  std::vector<std::string_view> views(segments.begin(), segments.end());
  const index::TreePrefix prefix{.scope = scope, .segments = views};
  document::ObjectBuilder object(*arena_);
  if (segments.size() + 1 == depth) {
    ++statistics_.scans;
    auto cursor = context_->inventory->Objects(prefix);
    if (!cursor) {
      return FailEngine(std::move(cursor).error());
    }
    for (;;) {
      auto next = (*cursor)->Next();
      if (!next) {
        return FailEngine(std::move(next).error());
      }
      if (!next->has_value()) {
        break;
      }
      ++statistics_.objects_visited;
      auto opened = document::OpenTrusted((*next)->record, *arena_, request_.inventory_numbers);
      if (!opened) {
        return FailEngine(std::move(opened).error());
      }
      object.Add(arena_->CopyString((*next)->key.name), *opened);
      if (statistics_.objects_visited % 64 == 0 && !CheckLimits()) {
        return false;
      }
    }
    *result = object.Finish();
    return true;
  }
  auto cursor = context_->inventory->Segments(prefix);
  if (!cursor) {
    return FailEngine(std::move(cursor).error());
  }
  for (;;) {
    auto next = (*cursor)->Next();
    if (!next) {
      return FailEngine(std::move(next).error());
    }
    if (!next->has_value()) {
      break;
    }
    segments.emplace_back(**next);
    Value below;
    const bool made = Materialise(scope, segments, &below);
    if (!made) {
      return false;
    }
    object.Add(arena_->CopyString(segments.back()), below);
    segments.pop_back();
  }
  *result = object.Finish();
  return true;
}

bool Evaluator::MaterialiseInventory(Value* result) {
  document::ObjectBuilder object(*arena_);
  for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
    auto exists = context_->inventory->Exists({.scope = scope, .segments = {}});
    if (!exists) {
      return FailEngine(std::move(exists).error());
    }
    if (!*exists) {
      continue;
    }
    std::vector<std::string> segments;
    Value tree;
    if (!Materialise(scope, segments, &tree)) {
      return false;
    }
    object.Add(ScopeKey(scope), tree);
  }
  *result = object.Finish();
  return true;
}

}  // namespace portcullis::rego
