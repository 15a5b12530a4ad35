#include "rules/rego/rule_index.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace portcullis::rego {
namespace {

using document::Value;

// With fewer definitions to leave out, running into their conditions is as fast.
constexpr std::size_t kFewDefinitions = 4;
// A definition that is listed under more values than this costs more than it saves.
constexpr std::size_t kMostValues = 64;

bool IsScalar(const Value& value) {
  return value.is_defined() && !value.is_array() && !value.is_object() && !value.is_set();
}

}  // namespace

bool RuleIndex::Source::IsSame(const Source& other) const {
  return argument == other.argument && std::ranges::equal(keys, other.keys, document::Equal);
}

// Reads the conditions out of the steps of each definition.
class RuleIndex::Builder {
 public:
  explicit Builder(const Program& program) : program_(program) {}

  // What one block needs, whichever solution it finds: conditions on sources.
  std::vector<Condition> ConditionsOf(const Block& block, std::uint32_t argument_count) {
    std::map<Slot, Source> known;
    for (Slot slot = 0; slot < static_cast<Slot>(argument_count); ++slot) {
      known[slot] = {.argument = slot, .keys = {}, .definitions = {}};
    }
    std::vector<Condition> conditions;
    std::size_t in_with = 0;
    for (const Step& step : block.steps) {
      if (step.op == Op::kWith) {
        ++in_with;
      } else if (step.op == Op::kWithEnd) {
        --in_with;
      } else if (in_with == 0) {
        Look(step, &known, &conditions);
      }
    }
    return conditions;
  }

  std::vector<Source> sources;

 private:
  [[nodiscard]] std::optional<Value> ConstantAt(Operand operand) const {
    if (!operand.is_constant()) {
      return std::nullopt;
    }
    return program_.constants[static_cast<std::size_t>(~operand.at)];
  }

  // The part that `keys` lead to from `from`; none if a key is not constant.
  [[nodiscard]] std::optional<Source> Below(Source from, std::span<const Operand> keys) const {
    for (const Operand key : keys) {
      const auto constant = ConstantAt(key);
      if (!constant) {
        return std::nullopt;
      }
      from.keys.push_back(*constant);
    }
    return from;
  }

  void Look(const Step& step, std::map<Slot, Source>* known, std::vector<Condition>* conditions) {
    const auto source_of = [known](Operand operand) {
      const auto found = known->find(operand.at);
      return operand.is_constant() || found == known->end() ? nullptr : &found->second;
    };
    switch (step.op) {
      case Op::kWalkInput:
        if (auto source = Below({}, step.operands)) {
          known->insert_or_assign(step.to, std::move(*source));
        }
        return;
      case Op::kWalk:
      case Op::kMove:
        if (const Source* from = source_of(step.a)) {
          if (auto source =
                  step.op == Op::kMove ? std::optional(*from) : Below(*from, step.operands)) {
            known->insert_or_assign(step.to, std::move(*source));
          }
        }
        return;
      case Op::kUnpackArray:
        if (const Source* from = source_of(step.a)) {
          const Source array = *from;
          for (Slot i = 0; i < step.to2; ++i) {
            Source item = array;
            item.keys.push_back(Value::Int(i));
            known->insert_or_assign(step.to + i, std::move(item));
          }
        }
        return;
      case Op::kEqual:
        for (const auto& [side, other] : {std::pair(step.a, step.b), std::pair(step.b, step.a)}) {
          const Source* source = source_of(side);
          const auto constant = ConstantAt(other);
          if (source != nullptr && constant && IsScalar(*constant)) {
            conditions->push_back({.source = Number(*source), .values = {*constant}});
          }
        }
        return;
      case Op::kBuiltin:
        if (step.to == kNoSlot && step.builtin->name == "internal.member_2") {
          LookAtMember(source_of(step.operands[0]), ConstantAt(step.operands[1]), conditions);
        }
        return;
      default:
        return;
    }
  }

  // `source in collection`
  void LookAtMember(const Source* source, const std::optional<Value>& collection,
                    std::vector<Condition>* conditions) {
    if (source == nullptr || !collection || collection->size() > kMostValues) {
      return;
    }
    std::vector<Value> values;
    for (std::uint32_t i = 0; i < collection->size(); ++i) {
      values.push_back(collection->is_object() ? collection->ValueAt(i) : collection->ItemAt(i));
    }
    if (std::ranges::all_of(values, IsScalar)) {
      conditions->push_back({.source = Number(*source), .values = std::move(values)});
    }
  }

  std::size_t Number(const Source& source) {
    const auto found = std::ranges::find_if(
        sources, [&source](const Source& other) { return other.IsSame(source); });
    if (found != sources.end()) {
      return static_cast<std::size_t>(found - sources.begin());
    }
    sources.push_back(source);
    return sources.size() - 1;
  }

  const Program& program_;
};

std::unique_ptr<const RuleIndex> RuleIndex::Make(const Program& program,
                                                 const Procedure& procedure) {
  if (procedure.branches.size() < kFewDefinitions) {
    return nullptr;
  }
  // For each definition and each of its `else` parts, what it needs.
  Builder builder(program);
  std::vector<std::vector<std::vector<Condition>>> needs;
  for (const Branch* branch : procedure.branches) {
    auto& parts = needs.emplace_back();
    for (const Branch* part = branch; part != nullptr; part = part->otherwise) {
      parts.push_back(builder.ConditionsOf(*part->block, procedure.argument_count));
    }
  }
  // The more values a source is compared with, the better it tells definitions apart.
  std::vector<std::set<std::uint64_t>> values(builder.sources.size());
  for (const auto& parts : needs) {
    for (const auto& conditions : parts) {
      for (const Condition& condition : conditions) {
        for (const Value& value : condition.values) {
          values[condition.source].insert(document::Hash(value));
        }
      }
    }
  }
  std::vector<std::size_t> best(builder.sources.size());
  for (std::size_t i = 0; i < best.size(); ++i) {
    best[i] = i;
  }
  std::ranges::stable_sort(
      best, [&values](auto a, auto b) { return values[a].size() > values[b].size(); });
  best.resize(std::min(best.size(), kMostSources));

  auto index = std::make_unique<RuleIndex>();
  std::size_t told_apart = 0;
  for (std::uint32_t number = 0; number < needs.size(); ++number) {
    const auto& parts = needs[number];
    // A source serves a definition if all its parts have a condition on it.
    const auto serves = [&parts](std::size_t source) {
      return std::ranges::all_of(parts, [source](const auto& conditions) {
        return std::ranges::find(conditions, source, &Condition::source) != conditions.end();
      });
    };
    const auto chosen = std::ranges::find_if(best, serves);
    if (chosen == best.end()) {
      index->always_.push_back(number);
      continue;
    }
    ++told_apart;
    std::set<std::uint64_t> hashes;
    for (const auto& conditions : parts) {
      const auto condition = std::ranges::find(conditions, *chosen, &Condition::source);
      for (const Value& value : condition->values) {
        hashes.insert(document::Hash(value));
      }
    }
    for (const std::uint64_t hash : hashes) {
      builder.sources[*chosen].definitions[hash].push_back(number);
    }
  }
  if (told_apart < kFewDefinitions) {
    return nullptr;
  }
  for (const std::size_t source : best) {
    if (!builder.sources[source].definitions.empty()) {
      index->sources_.push_back(std::move(builder.sources[source]));
    }
  }
  index->branches_ = procedure.branches;
  return index;
}

std::span<const std::uint32_t> RuleIndex::Find(const Source& source, const Value& input,
                                               const Value* slots) {
  Value value = source.argument == kNoSlot ? input : slots[source.argument];
  for (const Value& key : source.keys) {
    value = value.Find(key);
  }
  // Equality with a composite is no condition that a source has: no definition matches one.
  if (!IsScalar(value)) {
    return {};
  }
  const auto found = source.definitions.find(document::Hash(value));
  return found == source.definitions.end() ? std::span<const std::uint32_t>() : found->second;
}

}  // namespace portcullis::rego
