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

std::string ConflictMessage(const Procedure& procedure, ConflictTexts texts) {
  if (texts == ConflictTexts::kGatekeeper) {
    return procedure.is_function ? "functions must not produce multiple outputs for same inputs"
                                 : "complete rules must not produce multiple outputs";
  }
  return (procedure.is_function ? "function " : "rule ") + procedure.name +
         " produced conflicting values" + (procedure.is_function ? " for the same inputs" : "");
}

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

  if (first_results_ != nullptr) {
    if (const Value* first = FindFirstResult(procedure, arguments)) {
      *result = *first;
      return true;
    }
  }

  Frame saved;
  Value* slots = PushFrame(procedure.frame_size, &saved);
  std::ranges::copy(arguments, slots);
  const std::uint64_t yields = yields_;
  const bool ran = RunBranches(procedure, slots, result);
  if (!ran) {
    // The caller goes on with the first value before it fails: OPA learns of the others only then.
    first_value_ = procedure.kind == Procedure::Kind::kValue && IsForgivable()
                       ? slots[procedure.result]
                       : Value();
  }
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
  Signal signal = Signal::kContinue;
  ForEachBranch(procedure, slots, [&](const Branch* branch) {
    signal = RunBranch(procedure, branch, slots);
    return signal != Signal::kError && !(signal == Signal::kStop && procedure.one_solution);
  });
  if (signal == Signal::kError) {
    if (conflict_ == slots) {
      conflict_ = nullptr;
      ExplainConflict(procedure, slots);
    }
    if (procedure.kind == Procedure::Kind::kObject) {
      PreferClash(begin);
    }
    collected_.resize(begin);
    return false;
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

Signal Evaluator::RunBranch(const Procedure& procedure, const Branch* branch, Value* slots) {
  const bool only_one = branch->only_first && branch->otherwise != nullptr;
  while (only_one && branch != nullptr && IsLeftOut(procedure, *branch, slots)) {
    branch = branch->otherwise;
  }
  for (; branch != nullptr; branch = only_one ? nullptr : branch->otherwise) {
    const std::uint64_t before = yields_;
    const std::size_t begin = collected_.size();
    const bool had_error = builtin_error_.has_value();
    const bool had_value =
        procedure.kind == Procedure::Kind::kValue && slots[procedure.result].is_defined();
    const Signal signal = Run(branch->block->steps.data(), slots);
    const bool failed = signal == Signal::kError || (builtin_error_ && !had_error);
    if (failed && yields_ == before && ForgiveError(procedure, *branch, slots, had_error)) {
      collected_.resize(begin);
      continue;
    }
    if (failed && had_value && IsDecided(procedure, slots)) {
      ForgetError(had_error);
      return Signal::kStop;
    }
    if (signal == Signal::kError || yields_ != before) {
      return signal;
    }
  }
  return Signal::kContinue;
}

Signal Evaluator::YieldResult(const Step& step, Value* slots) {
  ++yields_;
  const Value& value = Get(step.a, slots);
  if (gathering_ != nullptr && gathering_->slots == slots) {
    return GatherResult(step, value);
  }
  Value& result = slots[step.to];
  if (result.is_undefined()) {
    result = value;
  } else if (!document::Equal(result, value)) {
    if (step.procedure->kind == Procedure::Kind::kEntry) {
      FailEvaluation(kConflict, std::string(kKeysConflict), step.location);
    } else {
      FailEvaluation(kConflict, ConflictMessage(*step.procedure, request_.conflict_texts),
                     step.location);
      if (request_.conflict_texts == ConflictTexts::kCurrent) {
        conflict_ = slots;
      }
    }
    return Signal::kError;
  }
  // One solution is enough, but a later one may fail, which strict errors tell.
  const bool stops = step.stop && (!request_.strict_builtin_errors || step.procedure->one_solution);
  return stops ? Signal::kStop : Signal::kContinue;
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
