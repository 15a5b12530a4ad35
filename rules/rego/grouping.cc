#include "rules/rego/grouping.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

namespace portcullis::rego {
namespace {

using document::Value;

// Reads the steps of a comprehension's body: what they take from outside, and whether running them for other outer values
// than those at hand could be observed.
class Reader {
 public:
  explicit Reader(Slot first_inner) : first_inner_(first_inner) {}

  // False: the step must not run but for the outer values at hand.
  bool Read(const Step& step) {
    switch (step.op) {
      case Op::kWalkInput:
      case Op::kWalkBase:
      case Op::kArray:
      case Op::kSet:
      case Op::kObject:
        return ReadAll(step.operands);
      case Op::kBuiltin:
      case Op::kRelation:
        return !step.builtin->nondeterministic && ReadAll(step.operands);
      case Op::kMove:
      case Op::kTrue:
      case Op::kUnpackArray:
      case Op::kEach:
      case Op::kYieldItem:
        return ReadOne(step.a);
      case Op::kWalk:
      case Op::kUnpackObject:
        return ReadOne(step.a) && ReadAll(step.operands);
      case Op::kEqual:
      case Op::kCompare:
      case Op::kYieldMember:
        return ReadOne(step.a) && ReadOne(step.b);
      case Op::kEvery:
        return ReadOne(step.a) && ReadBlock(*step.block);
      case Op::kNot:
      case Op::kArrayOf:
      case Op::kSetOf:
        return ReadBlock(*step.block);
      case Op::kBoth:
      case Op::kEither:
        return ReadBlock(*step.block) && ReadBlock(*step.other_block);
      case Op::kFail:
      case Op::kYieldExists:
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] bool IsOuter(Operand operand) const {
    return !operand.is_constant() && operand.at < first_inner_;
  }
  [[nodiscard]] bool IsInner(Operand operand) const { return operand.at >= first_inner_; }
  // Outer operands read so far.
  [[nodiscard]] const std::vector<Operand>& outer() const { return outer_; }

 private:
  bool ReadOne(Operand operand) {
    if (IsOuter(operand) && std::ranges::find(outer_, operand) == outer_.end()) {
      outer_.push_back(operand);
    }
    return true;
  }
  bool ReadAll(std::span<const Operand> operands) {
    return std::ranges::all_of(operands, [this](Operand operand) { return ReadOne(operand); });
  }
  bool ReadBlock(const Block& block) {
    return std::ranges::all_of(block.steps, [this](const Step& step) { return Read(step); });
  }

  Slot first_inner_;
  std::vector<Operand> outer_;
};

std::span<const Operand> Copy(std::span<const Operand> operands, document::Arena& arena) {
  const auto copy = arena.AllocateArray<Operand>(operands.size());
  std::uninitialized_copy(operands.begin(), operands.end(), copy.begin());
  return copy;
}

std::uint64_t HashOf(std::span<const Value> keys) {
  std::uint64_t hash = keys.size();
  for (const Value& key : keys) {
    hash = (hash ^ document::Hash(key)) * 0x9e3779b97f4a7c15;
  }
  return hash ^ (hash >> 29);
}

}  // namespace

bool SameHandle(const Value& a, const Value& b) {
  return std::memcmp(&a, &b, sizeof(Value)) == 0;
}

const Grouping* FindGrouping(Program& program, const Block& block, Slot first_inner) {
  if (block.steps.empty() ||
      (block.steps.back().op != Op::kYieldItem && block.steps.back().op != Op::kYieldMember)) {
    return nullptr;
  }
  Reader reader(first_inner);
  std::vector<Step> rest;
  std::vector<Operand> outer_keys;
  std::vector<Operand> inner_keys;
  bool loops = false;
  for (const Step& step : block.steps) {
    const bool a_is_outer = reader.IsOuter(step.a);
    if (step.op == Op::kEqual && loops && a_is_outer != reader.IsOuter(step.b) &&
        reader.IsInner(a_is_outer ? step.b : step.a)) {
      outer_keys.push_back(a_is_outer ? step.a : step.b);
      inner_keys.push_back(a_is_outer ? step.b : step.a);
      continue;
    }
    if (!reader.Read(step)) {
      return nullptr;
    }
    loops = loops || step.op == Op::kEach || step.op == Op::kRelation;
    rest.push_back(step);
  }
  // A key that is read in another way too is no free choice.
  const bool reads_key = std::ranges::any_of(outer_keys, [&reader](Operand key) {
    return std::ranges::find(reader.outer(), key) != reader.outer().end();
  });
  if (outer_keys.empty() || reads_key) {
    return nullptr;
  }
  Step& yield = rest.back();
  const bool is_member = yield.op == Op::kYieldMember;
  yield.op = Op::kYieldGroup;
  yield.to = is_member ? 1 : 0;
  yield.stop = false;
  yield.operands = Copy(inner_keys, program.arena);
  Block& grouped = program.blocks.emplace_back();
  grouped.steps = std::move(rest);
  Grouping& grouping = program.groupings.emplace_back();
  grouping.id = static_cast<std::uint32_t>(program.groupings.size() - 1);
  grouping.block = &grouped;
  grouping.keys = Copy(outer_keys, program.arena);
  grouping.fixed = Copy(reader.outer(), program.arena);
  grouping.yield_width = is_member ? 3 : 1;
  return &grouping;
}

GroupedSolutions::Advice GroupedSolutions::Ask(std::span<const Value> fixed,
                                               document::Arena& arena) {
  if (asked_ && std::ranges::equal(fixed, fixed_, SameHandle)) {
    return ready_ ? Advice::kReady : Advice::kBuild;
  }
  if (!asked_) {
    fixed_ = arena.AllocateArray<Value>(fixed.size());
    std::ranges::uninitialized_fill(fixed_, Value());
  }
  std::ranges::copy(fixed, fixed_.begin());
  asked_ = true;
  ready_ = false;
  return Advice::kRunAlone;
}

GroupedSolutions::Group& GroupedSolutions::Place(std::span<const Value> keys, std::uint64_t hash,
                                                 const Grouping& grouping) {
  const std::size_t mask = groups_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    Group& group = groups_[i];
    if (!group.used ||
        (group.hash == hash &&
         std::ranges::equal(At(group.first, grouping).first(keys.size()), keys, document::Equal))) {
      return group;
    }
  }
}

void GroupedSolutions::Build(std::span<const Value> solutions, const Grouping& grouping,
                             document::Arena& arena) {
  solutions_ = arena.AllocateArray<Value>(solutions.size());
  std::ranges::uninitialized_copy(solutions, solutions_);
  const std::size_t count = solutions.size() / (grouping.keys.size() + grouping.yield_width);
  next_ = arena.AllocateArray<std::uint32_t>(count);
  groups_ = arena.AllocateArray<Group>(std::bit_ceil(2 * count + 1));
  std::ranges::uninitialized_fill(groups_, Group{});
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto keys = At(i, grouping).first(grouping.keys.size());
    const std::uint64_t hash = HashOf(keys);
    Group& group = Place(keys, hash, grouping);
    if (group.used) {
      next_[group.last] = i;
    } else {
      group = {.first = i, .last = i, .hash = hash, .result = {}, .used = true};
    }
    group.last = i;
    next_[i] = kEnd;
  }
  ready_ = true;
}

GroupedSolutions::Group* GroupedSolutions::Find(std::span<const Value> keys,
                                                const Grouping& grouping) {
  Group& group = Place(keys, HashOf(keys), grouping);
  return group.used ? &group : nullptr;
}

}  // namespace portcullis::rego
