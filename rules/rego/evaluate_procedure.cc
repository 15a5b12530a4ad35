#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "rules/rego/evaluator.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego {
namespace {

using document::Member;
using document::Value;

// Items that a set is made of while it grows, before equal ones are merged: bounds what duplicates cost.
constexpr std::size_t kShort = 24;

constexpr std::string_view kConflict = "eval_conflict_error";

const Step* StepOf(const Value& mark) {
  return reinterpret_cast<const Step*>(static_cast<std::uintptr_t>(mark.integer()));
}

std::string ConflictMessage(const Procedure& procedure, ConflictTexts texts) {
  if (texts == ConflictTexts::kGatekeeper) {
    return procedure.is_function ? "functions must not produce multiple outputs for same inputs"
                                 : "complete rules must not produce multiple outputs";
  }
  return (procedure.is_function ? "function " : "rule ") + procedure.name +
         " produced conflicting values" + (procedure.is_function ? " for the same inputs" : "");
}

constexpr std::string_view kKeysConflict = "object keys must be unique";

}  // namespace

bool Evaluator::Call(const Procedure& procedure, std::span<const Value> arguments, bool keep,
                     Value* result) {
  if (context_->masks != nullptr && !procedure.is_function && IsMasked(procedure.path)) {
    if (!BaseAt(procedure.path, result)) {
      return false;
    }
    if (procedure.kind == Procedure::Kind::kEntry) {
      *result = result->Find(arguments[0]);
    }
    return true;
  }
  if (procedure.argument_count == 0 && !procedure.is_function) {
    if (const KeptResults::Result& kept = context_->kept->Of(procedure.id); kept.known) {
      *result = kept.value;
      return true;
    }
  } else if (keep && procedure.keep_by_arguments && MayKeep(arguments)) {
    if (const Value* kept = context_->kept->Find(procedure.id, arguments)) {
      *result = *kept;
      return true;
    }
  }

  Frame saved;
  Value* slots = PushFrame(procedure.frame_size, &saved);
  std::ranges::copy(arguments, slots);
  const std::uint64_t yields = yields_;
  const bool ran = RunBranches(procedure, slots, result);
  yields_ = yields;
  PopFrame(saved);
  if (!ran) {
    return false;
  }

  if (procedure.argument_count == 0 && !procedure.is_function) {
    context_->kept->Of(procedure.id) = {.value = *result, .known = true};
    ++keeps_;
  } else if (keep && procedure.keep_by_arguments && MayKeep(arguments) &&
             context_->kept->Keep(procedure.id, arguments, *result)) {
    ++keeps_;
  }
  return true;
}

bool Evaluator::MayKeep(std::span<const Value> arguments) const {
  return arena_ == request_.arena || std::ranges::none_of(arguments, [](const Value& argument) {
           return argument.is_array() || argument.is_object() || argument.is_set();
         });
}

bool Evaluator::RunBranches(const Procedure& procedure, Value* slots, Value* result) {
  const std::size_t begin = collected_.size();
  if (procedure.result != kNoSlot) {
    slots[procedure.result] = Value();
  }
  for (const Branch* branch : procedure.branches) {
    const Signal signal = RunBranch(branch, slots);
    if (signal == Signal::kError) {
      return false;
    }
    if (signal == Signal::kStop && procedure.one_solution) {
      break;
    }
  }
  switch (procedure.kind) {
    case Procedure::Kind::kValue:
    case Procedure::Kind::kEntry:
      if (slots[procedure.result].is_undefined() && procedure.default_block != nullptr &&
          Run(procedure.default_block->steps.data(), slots) == Signal::kError) {
        return false;
      }
      *result = slots[procedure.result];
      return true;
    case Procedure::Kind::kSet:
      return FinishSet(begin, result);
    case Procedure::Kind::kObject:
      return FinishObject(begin, result);
    case Procedure::Kind::kNested:
      return FinishNested(begin, result);
  }
  return true;
}

Signal Evaluator::RunBranch(const Branch* branch, Value* slots) {
  for (; branch != nullptr; branch = branch->otherwise) {
    const std::uint64_t before = yields_;
    const Signal signal = Run(branch->block->steps.data(), slots);
    if (signal == Signal::kError || yields_ != before) {
      return signal;
    }
  }
  return Signal::kContinue;
}

Signal Evaluator::YieldResult(const Step& step, Value* slots) {
  ++yields_;
  const Value& value = Get(step.a, slots);
  Value& result = slots[step.to];
  if (result.is_undefined()) {
    result = value;
  } else if (!document::Equal(result, value)) {
    if (step.procedure->kind == Procedure::Kind::kEntry) {
      FailEvaluation(kConflict, std::string(kKeysConflict), step.location);
    } else {
      FailEvaluation(kConflict, ConflictMessage(*step.procedure, request_.conflict_texts),
                     step.location);
    }
    return Signal::kError;
  }
  return step.stop ? Signal::kStop : Signal::kContinue;
}

bool Evaluator::FinishSet(std::size_t begin, Value* result) {
  const std::span<Value> items(collected_.begin() + static_cast<std::ptrdiff_t>(begin),
                               collected_.end());
  const auto less = [](const Value& a, const Value& b) { return document::Compare(a, b) < 0; };
  std::size_t count = 0;
  if (items.size() <= kShort) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item = items[i];
      const auto at = std::lower_bound(
          items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count), item, less);
      if (at != items.begin() + static_cast<std::ptrdiff_t>(count) && document::Equal(*at, item)) {
        continue;
      }
      std::move_backward(at, items.begin() + static_cast<std::ptrdiff_t>(count),
                         items.begin() + static_cast<std::ptrdiff_t>(count) + 1);
      *at = item;
      ++count;
    }
  } else {
    std::stable_sort(items.begin(), items.end(), less);
    const auto end = std::unique(items.begin(), items.end(), document::Equal);
    count = static_cast<std::size_t>(end - items.begin());
  }
  const auto copy = arena_->AllocateArray<Value>(count);
  std::uninitialized_copy_n(items.begin(), count, copy.begin());
  collected_.resize(begin);
  *result = Value::Set(copy);
  return true;
}

bool Evaluator::FinishObject(std::size_t begin, Value* result) {
  struct Entry {
    Member member;
    const Step* step;
  };
  const std::size_t most = (collected_.size() - begin) / 3;
  std::vector<Entry> entries;
  entries.reserve(most);
  for (std::size_t i = begin; i < collected_.size(); i += 3) {
    entries.push_back({.member = {.key = collected_[i], .value = collected_[i + 1]},
                       .step = StepOf(collected_[i + 2])});
  }
  collected_.resize(begin);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return document::Compare(a.member.key, b.member.key) < 0;
  });
  const auto members = arena_->AllocateArray<Member>(most);
  std::size_t count = 0;
  for (const Entry& entry : entries) {
    if (count > 0 && document::Equal(members[count - 1].key, entry.member.key)) {
      if (!document::Equal(members[count - 1].value, entry.member.value)) {
        return FailEvaluation(kConflict, std::string(kKeysConflict), entry.step->location);
      }
      continue;
    }
    members[count++] = entry.member;
  }
  *result = Value::Object(members.first(count));
  return true;
}

// An object under construction from the paths that rules with several free keys give.
struct Evaluator::NestedNode {
  struct Less {
    bool operator()(const Value& a, const Value& b) const { return document::Compare(a, b) < 0; }
  };
  enum class Kind : std::uint8_t { kObject, kSet, kValue };
  Kind kind = Kind::kObject;
  std::map<Value, NestedNode, Less> children;
  std::vector<Value> items;
  Value value;
  bool ends_here = false;  // Some rule gave a value or an item for just this path.

  [[nodiscard]] Value ToValue(document::Arena& arena) const {
    switch (kind) {
      case Kind::kValue:
        return value;
      case Kind::kSet: {
        document::SetBuilder set(arena);
        for (const Value& item : items) {
          set.Add(item);
        }
        return set.Finish();
      }
      case Kind::kObject:
        break;
    }
    document::ObjectBuilder object(arena);
    for (const auto& [key, child] : children) {
      object.Add(key, child.ToValue(arena));
    }
    return object.Finish();
  }
};

bool Evaluator::FinishNested(std::size_t begin, Value* result) {
  NestedNode root;
  for (std::size_t i = begin; i < collected_.size(); i += 3) {
    const Value path = collected_[i];
    const Value value = collected_[i + 1];
    const Step& step = *StepOf(collected_[i + 2]);
    const auto conflict = [&] {
      collected_.resize(begin);
      return FailEvaluation(kConflict, std::string(kKeysConflict), step.location);
    };
    NestedNode* node = &root;
    for (std::uint32_t j = 0; j < path.size(); ++j) {
      // Nothing hangs below a value that a rule gave, not even where that value is an object.
      if (node->ends_here) {
        return conflict();
      }
      node = &node->children[path.ItemAt(j)];
    }
    const bool is_new = !node->ends_here && node->children.empty();
    if (step.to == 1) {
      if (!is_new && node->kind != NestedNode::Kind::kSet) {
        return conflict();
      }
      node->kind = NestedNode::Kind::kSet;
      node->items.push_back(value);
    } else if (is_new) {
      node->kind = NestedNode::Kind::kValue;
      node->value = value;
    } else if (node->kind == NestedNode::Kind::kSet || !node->ends_here) {
      // Objects that other rules made of longer paths may equal this value.
      if (!document::Equal(node->ToValue(*arena_), value)) {
        return conflict();
      }
    } else if (!document::Equal(node->value, value)) {
      return conflict();
    }
    node->ends_here = true;
  }
  collected_.resize(begin);
  *result = root.ToValue(*arena_);
  return true;
}

bool Evaluator::CallMock(const Context::Mock& mock, std::span<const Value> arguments,
                         const Location* location, Value* result) {
  if (mock.mock->by_builtin == nullptr && mock.mock->by_procedure == nullptr) {
    *result = mock.value;
    return true;
  }
  // What replaces a function may call it: it then gets the real one.
  Context bare = *context_;
  bare.mocks = nullptr;
  Context* outer = std::exchange(context_, &bare);
  const bool called = mock.mock->by_builtin != nullptr
                          ? Invoke(*mock.mock->by_builtin, arguments, location, result)
                          : Call(*mock.mock->by_procedure, arguments, false, result);
  context_ = outer;
  return called;
}

}  // namespace portcullis::rego
