#include "rules/rego/evaluate_inventory.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "document/encoding.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego {
namespace {

using document::Value;

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

// What an index entry tells of its object: that the path reaches the key, and the object's name and namespace. The key of a path
// with a kEntry is a pair.
Value ObjectOfEntry(std::span<const index::PathStep> path, const Value& key,
                    const store::ObjectKeyView& of, document::Arena& arena) {
  const bool in_metadata = path.front().field == "metadata";
  Value below = key;
  Value entry;
  if (HasEntry(path)) {
    entry = key.ItemAt(0);
    below = key.ItemAt(1);
  }
  for (std::size_t i = path.size(); i-- > (in_metadata ? 2 : 1);) {
    if (path[i].kind == index::PathStep::Kind::kAnyItem) {
      const std::span<Value> array = arena.AllocateArray<Value>(1);
      array[0] = below;
      below = Value::Array(array);
    } else {
      const std::span<document::Member> object = arena.AllocateArray<document::Member>(1);
      object[0] = {
          path[i].kind == index::PathStep::Kind::kEntry ? entry : Value::String(path[i].field),
          below};
      below = Value::Object(object);
    }
  }
  const auto in_order = [](const document::Member& a, const document::Member& b) {
    return a.key.string() < b.key.string();
  };
  std::span<document::Member> metadata = arena.AllocateArray<document::Member>(3);
  std::size_t count = 0;
  metadata[count++] = {Value::String("name"), Value::String(arena.CopyString(of.name))};
  if (of.scope == store::Scope::kNamespaced) {
    metadata[count++] = {Value::String("namespace"),
                         Value::String(arena.CopyString(of.name_space))};
  }
  if (in_metadata) {
    metadata[count++] = {Value::String(path[1].field), below};
  }
  metadata = metadata.first(count);
  std::ranges::sort(metadata, in_order);
  const std::span<document::Member> root =
      arena.AllocateArray<document::Member>(in_metadata ? 1 : 2);
  root[0] = {Value::String("metadata"), Value::Object(metadata)};
  if (!in_metadata) {
    root[1] = {Value::String(path.front().field), below};
    std::ranges::sort(root, in_order);
  }
  return Value::Object(root);
}

}  // namespace

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

template <class Cursor, class Visit>
bool Evaluator::ForEachNext(Cursor& cursor, const Visit& visit) {
  for (;;) {
    auto next = cursor.Next();
    if (!next) {
      return FailEngine(std::move(next).error());
    }
    if (!next->has_value()) {
      return true;
    }
    if (!visit(**next)) {
      return false;
    }
  }
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
    const bool made = ForEachNext(**cursor, [&](const index::FoundObject& found) {
      ++statistics_.objects_visited;
      auto opened = document::OpenTrusted(found.record, *arena_, request_.inventory_numbers);
      if (!opened) {
        return FailEngine(std::move(opened).error());
      }
      object.Add(arena_->CopyString(found.key.name), *opened);
      return statistics_.objects_visited % 64 != 0 || CheckLimits();
    });
    *result = made ? object.Finish() : Value();
    return made;
  }
  auto cursor = context_->inventory->Segments(prefix);
  if (!cursor) {
    return FailEngine(std::move(cursor).error());
  }
  const bool made = ForEachNext(**cursor, [&](std::string_view segment) {
    segments.emplace_back(segment);
    Value below;
    if (!Materialise(scope, segments, &below)) {
      return false;
    }
    object.Add(arena_->CopyString(segments.back()), below);
    segments.pop_back();
    return true;
  });
  *result = made ? object.Finish() : Value();
  return made;
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
