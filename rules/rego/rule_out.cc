#include "rules/rego/rule_out.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "document/json.h"

namespace portcullis::rego {
namespace {

using document::Value;

bool IsCollection(const Value& value) {
  return value.is_array() || value.is_object() || value.is_set();
}

bool Holds(const Value& collection, const Value& member) {
  for (std::uint32_t i = 0; i < collection.size(); ++i) {
    const Value item = collection.is_object() ? collection.ValueAt(i) : collection.ItemAt(i);
    if (document::Equal(item, member)) {
      return true;
    }
  }
  return false;
}

bool IsWalk(const Step& step) {
  return step.op == Op::kWalk || step.op == Op::kWalkInput || step.op == Op::kWalkBase;
}

// True for a step of either of two references that are compared with each other: OPA tells definitions apart by neither. Their
// steps stand together before the comparison, whose place is that of the first.
bool ComparesReferences(std::span<const Step> steps, std::size_t at) {
  const auto is_part = [](const Step& step) { return IsWalk(step) || step.op == Op::kEach; };
  std::size_t end = at;
  while (end < steps.size() && is_part(steps[end])) {
    ++end;
  }
  if (end == at || end == steps.size() || steps[end].op != Op::kEqual || !steps[end].stop) {
    return false;
  }
  for (std::size_t i = at + 1; i-- > 0 && is_part(steps[i]);) {
    if (steps[i].location == steps[end].location) {
      return true;
    }
  }
  return false;
}

// Follows the steps as far as they are about values that do not hang on the run.
class Reader {
 public:
  explicit Reader(const RuleOutDocuments& documents) : documents_(documents) {
    for (std::size_t i = 0; i < documents.arguments.size(); ++i) {
      known_[static_cast<Slot>(i)] = documents.arguments[i];
      arguments_.insert(static_cast<Slot>(i));
    }
  }

  // False: the step has no solution.
  bool Look(const Step& step) {
    // What is iterated over need not be there: only references without variables count, and constants among the items.
    if (absent_ != kNoSlot && (step.op != Op::kEach || step.a.at != absent_)) {
      return false;
    }
    const bool absent = std::exchange(absent_, kNoSlot) != kNoSlot;
    switch (step.op) {
      case Op::kFail:
        return false;
      case Op::kMove:
        if (const Value value = At(step.a); value.is_defined()) {
          known_[step.to] = value;
        }
        if (IsArgument(step.a)) {
          arguments_.insert(step.to);
        }
        return true;
      case Op::kWalkInput:
        return Walk(step, documents_.input, true);
      case Op::kWalkBase:
        return Walk(step, documents_.data, true);
      case Op::kWalk:
        // What hangs below an argument rules nothing out.
        return IsArgument(step.a) || Walk(step, At(step.a), false);
      case Op::kEqual:
        return LookAtEqual(step);
      case Op::kEach:
        // `input.x[_] == "v"`
        each_ = &step;
        iterates_nothing_ = absent;
        return true;
      case Op::kBuiltin:
        return step.to != kNoSlot || LookAtBuiltin(step);
      default:
        return true;
    }
  }

 private:
  [[nodiscard]] bool IsArgument(Operand operand) const { return arguments_.contains(operand.at); }

  // Undefined: not known.
  [[nodiscard]] Value At(Operand operand) const {
    if (operand.is_constant()) {
      return documents_.constants[static_cast<std::size_t>(~operand.at)];
    }
    const auto found = known_.find(operand.at);
    return found == known_.end() ? Value() : found->second;
  }

  bool Walk(const Step& step, Value value, bool from_root) {
    if (!from_root && value.is_undefined()) {
      return true;
    }
    for (const Operand operand : step.operands) {
      const Value key = At(operand);
      if (key.is_undefined()) {
        return true;
      }
      const Value child = value.Find(key);
      value = child.is_undefined() && key.is_number() && value.is_object()
                  ? value.Find(document::NumberText(key))
                  : child;
    }
    if (value.is_defined()) {
      known_[step.to] = value;
    } else {
      absent_ = step.to;
    }
    return true;
  }

  bool LookAtEqual(const Step& step) {
    const Value a = At(step.a);
    const Value b = At(step.b);
    if (each_ != nullptr && each_->to2 != kNoSlot) {
      const Value collection = At(each_->a);
      const bool absent = std::exchange(iterates_nothing_, false);
      for (const auto& [side, other] : {std::pair(step.a, b), std::pair(step.b, a)}) {
        if (side.at == each_->to2 && (absent || IsCollection(collection)) && other.is_defined() &&
            !IsCollection(other)) {
          return !absent && Holds(collection, other);
        }
      }
    }
    return a.is_undefined() || b.is_undefined() || document::Equal(a, b);
  }

  bool LookAtBuiltin(const Step& step) const {
    const std::string_view name = step.builtin->name;
    if (step.operands.size() != 2) {
      return true;
    }
    const Value a = At(step.operands[0]);
    const Value b = At(step.operands[1]);
    if (a.is_undefined() || b.is_undefined()) {
      return true;
    }
    if (name == "internal.member_2") {
      return !IsCollection(b) || Holds(b, a);
    }
    if (!a.is_string() || !b.is_string()) {
      return true;
    }
    return name == "startswith" ? a.string().starts_with(b.string())
           : name == "endswith" ? a.string().ends_with(b.string())
                                : true;
  }

  const RuleOutDocuments& documents_;
  std::map<Slot, Value> known_;
  std::set<Slot> arguments_;  // And other names of them.
  const Step* each_ = nullptr;
  bool iterates_nothing_ = false;  // each_ does, its collection is not there.
  Slot absent_ = kNoSlot;          // Where the step before has found nothing.
};

}  // namespace

bool IsRuledOut(const Block& block, const RuleOutDocuments& documents) {
  Reader reader(documents);
  std::size_t in_with = 0;
  for (std::size_t i = 0; i < block.steps.size(); ++i) {
    const Step& step = block.steps[i];
    if (ComparesReferences(block.steps, i)) {
      continue;
    }
    if (step.op == Op::kWith) {
      ++in_with;
    } else if (step.op == Op::kWithEnd) {
      --in_with;
    } else if (in_with == 0 && !reader.Look(step)) {
      return true;
    }
  }
  return false;
}

}  // namespace portcullis::rego
