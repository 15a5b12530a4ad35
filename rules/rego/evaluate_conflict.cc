// Errors that OPA tells otherwise than by where they are met: it lists all values of a conflict (v1/topdown/conflicts.go), has
// definitions left out that would fail (rule_out.h), and goes on with a first value before it tries the other definitions.

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/conflict_text.h"
#include "rules/rego/evaluator.h"
#include "rules/rego/rule_out.h"

namespace portcullis::rego {
namespace {

using document::Value;

bool IsSame(const Location& a, const Location& b) {
  return a.file == b.file && a.row == b.row && a.column == b.column;
}

}  // namespace

bool Evaluator::IsForgivable() const {
  return failed_ && !engine_error_ && error_ && error_->code == kConflict;
}

bool Evaluator::IsLeftOut(const Procedure& procedure, const Branch& branch,
                          const Value* slots) const {
  return branch.rule != nullptr &&
         IsRuledOut(*branch.rule, *program_.rules, procedure.one_solution,
                    {.input = context_->input,
                     .data = context_->data,
                     .has_inventory = context_->inventory != nullptr,
                     .arguments = procedure.is_function ? std::span(slots, procedure.argument_count)
                                                        : std::span<const Value>()});
}

void Evaluator::ForgetError(bool keep_builtin_error) {
  if (!keep_builtin_error && builtin_error_) {
    builtin_error_.reset();
    // What failed in it shall fail again where it is asked for elsewhere.
    context_->kept->Clear();
  }
  failed_ = false;
  error_.reset();
  conflict_ = nullptr;
}

bool Evaluator::ForgiveError(const Procedure& procedure, const Branch& branch, const Value* slots,
                             bool keep_builtin_error) {
  if ((failed_ && !IsForgivable()) || !IsLeftOut(procedure, branch, slots)) {
    return false;
  }
  ForgetError(keep_builtin_error);
  return true;
}

bool Evaluator::IsDecided(const Procedure& procedure, const Value* slots) const {
  if (failed_ && !IsForgivable()) {
    return false;
  }
  for (const Branch* branch : procedure.branches) {
    for (; branch != nullptr; branch = branch->otherwise) {
      const Operand value = branch->block->steps.back().a;
      if (!IsLeftOut(procedure, *branch, slots) &&
          !(value.is_constant() && document::Equal(Get(value, slots), slots[procedure.result]))) {
        return false;
      }
    }
  }
  return true;
}

Signal Evaluator::FailAfterwards(const Procedure& procedure, std::span<const Value> arguments,
                                 const std::function<Signal(const Value&)>& go_on) {
  const Value value = std::exchange(first_value_, Value());
  if (value.is_undefined()) {
    return Signal::kError;
  }
  const Location* const first_place = first_place_;
  std::optional<EvaluationError> error = std::exchange(error_, std::nullopt);
  failed_ = false;
  const FirstResult first{.procedure = &procedure,
                          .arguments = arguments,
                          .kept = context_->kept,
                          .value = value,
                          .next = first_results_};
  first_results_ = &first;
  const Signal signal = go_on(value);
  first_results_ = first.next;
  if (signal != Signal::kError) {
    failed_ = true;
    error_ = std::move(error);
  } else if (IsForgivable() && first_place != nullptr && IsSame(error_->location, *first_place)) {
    // OPA takes a conflict of the definition that gave the first value for its own, and lists the values again.
    error_->message +=
        error->message.substr(std::min(error->message.find(":\n"), error->message.size()));
  }
  return Signal::kError;
}

Signal Evaluator::FailAfterwards(const Step& step, Value* slots) {
  std::vector<Value> arguments;
  for (const Operand operand : step.operands) {
    arguments.push_back(Get(operand, slots));
  }
  return FailAfterwards(*step.procedure, arguments, [&](const Value& value) {
    if (step.to == kNoSlot) {
      return value.is_false() ? Signal::kContinue : Run(&step + 1, slots);
    }
    slots[step.to] = value;
    return Run(&step + 1, slots);
  });
}

const Value* Evaluator::FindFirstResult(const Procedure& procedure,
                                        std::span<const Value> arguments) const {
  for (const FirstResult* first = first_results_; first != nullptr; first = first->next) {
    if (first->procedure == &procedure && first->kept == context_->kept &&
        std::ranges::equal(first->arguments, arguments, document::Equal)) {
      return &first->value;
    }
  }
  return nullptr;
}

void Evaluator::PreferClash(std::size_t begin) {
  if (!IsForgivable()) {
    return;
  }
  EvaluationError error = *std::exchange(error_, std::nullopt);
  failed_ = false;
  Value ignored;
  if (FinishObject(begin, &ignored)) {
    failed_ = true;
    error_ = std::move(error);
  }
}

Signal Evaluator::GatherResult(const Step& step, const Value& value) {
  std::vector<ConflictingValue>& found = gathering_->found;
  if (!found.empty() && document::Equal(found[0].value, value)) {
    return step.stop ? Signal::kStop : Signal::kContinue;
  }
  if (found.size() == kMostConflicts) {
    gathering_->more = true;
    return Signal::kStop;
  }
  found.push_back({.value = value, .location = step.location});
  return found.size() > 1 || step.stop ? Signal::kStop : Signal::kContinue;
}

void Evaluator::ExplainConflict(const Procedure& procedure, Value* slots) {
  first_place_ = nullptr;
  std::optional<EvaluationError> conflict = std::exchange(error_, std::nullopt);
  std::optional<EvaluationError> builtin_error = builtin_error_;
  failed_ = false;
  Gathering gathering{.slots = slots, .found = {}, .more = false};
  Gathering* outer = std::exchange(gathering_, &gathering);
  ForEachBranch(procedure, slots, [&](const Branch* branch) {
    return RunBranch(procedure, branch, slots) != Signal::kError && !gathering.more;
  });
  gathering_ = outer;
  // Whatever else went wrong was not what ended the evaluation.
  error_ = std::move(conflict);
  builtin_error_ = std::move(builtin_error);
  failed_ = true;
  if (engine_error_ || gathering.found.size() < 2) {
    return;
  }
  first_place_ = gathering.found.front().location;
  AppendConflict(std::move(gathering.found), gathering.more, &error_->message);
}

}  // namespace portcullis::rego
