// Calls of functions and builtins.

#include <algorithm>
#include <functional>

#include "rules/rego/check.h"
#include "rules/rego/print_text.h"
#include "rules/rego/trace/topdown.h"

namespace portcullis::rego::trace {
namespace {

// walk(…, [_, value])
bool SkipsPath(std::span<const Operand> operands) {
  if (operands.size() != 2 || operands[1].is_value()) {
    return false;
  }
  const Term& pair = *operands[1].term;
  return pair.kind == TermKind::kArray && pair.items.size() == 2 && pair.items[0]->IsWildcard();
}

}  // namespace

Status TopDown::CallExpr(Frame& frame, const Term& function, std::vector<Operand> operands,
                         const Next& next) {
  const std::string name = ToString(function);
  const Mock* mock = nullptr;
  for (const std::vector<Mock>& mocks : mocks_.back()) {
    for (const Mock& each : mocks) {
      mock = each.function == name ? &each : mock;
    }
  }
  if (mock != nullptr && mock->by_function != nullptr) {
    const Term& replacement = *mock->by_function;
    // What replaces a function may call it: it then gets the real one.
    mocks_.emplace_back();
    Status stop = CallExpr(frame, replacement, std::move(operands), [&] {
      std::vector<std::vector<Mock>> top = std::move(mocks_.back());
      mocks_.pop_back();
      Status inner = next();
      mocks_.push_back(std::move(top));
      return inner;
    });
    mocks_.pop_back();
    return stop;
  }
  const builtins::Builtin* builtin = nullptr;
  const DefinitionNode* node = nullptr;
  Path path = {Value::String("data")};
  std::size_t arity = 0;
  if (function.items[0]->text == "data") {
    for (std::size_t i = 1; i < function.items.size(); ++i) {
      path.push_back(constants_.ValueOf(*function.items[i]));
    }
    node = definitions_.Find({path.begin() + 1, path.end()});
    if (node == nullptr || node->index == nullptr) {
      return nullptr;
    }
    arity = node->rules.front()->arguments.size();
  } else {
    builtin = policy_.catalog->Find(name);
    if (builtin == nullptr) {
      return FailEvaluation("eval_internal_error", "unsupported built-in function: " + name, {});
    }
    arity = static_cast<std::size_t>(std::max(ArityOf(*builtin), 0));
  }
  if (mock != nullptr) {
    const Operand result = mock->result;
    return TakeResult(frame, arity, false, operands, result, next);
  }
  if (builtin != nullptr) {
    return CallBuiltin(frame, *builtin, operands, next);
  }
  Candidates candidates;
  Candidate(frame, *node, path, path.size(), operands, &candidates);
  Call call{.frame = &frame,
            .key = {{Value::String(arena_.CopyString(name))}, {}},
            .operands = operands,
            .candidates = &candidates,
            .arity = arity};
  return CallFunction(call, next);
}

Status TopDown::TakeResult(Frame& frame, std::size_t arity, bool nothing,
                           std::span<const Operand> operands, const Operand& result,
                           const Next& next) {
  if (nothing) {
    return next();
  }
  if (operands.size() == arity) {
    return result.is_value() && result.value.is_false() ? nullptr : next();
  }
  return Unify(frame, operands.back(), result, frame.bindings, frame.bindings, next);
}

Status TopDown::CallFunction(Call& call, const Next& next) {
  const Candidates& candidates = *call.candidates;
  if (candidates.empty()) {
    return nullptr;
  }
  Frame& frame = *call.frame;
  for (const Operand& operand : call.operands.first(std::min(call.arity, call.operands.size()))) {
    call.key.path.push_back(Plugged(operand, frame.bindings));
  }
  if (const Value known = cache_.Find(call.key).value; known.is_defined()) {
    return TakeResult(frame, call.arity, false, call.operands, {.term = nullptr, .value = known},
                      next);
  }
  const auto attempt = [&](const Definition& definition, ConflictList& list, bool* produced) {
    return TryCall(call, definition, list, produced);
  };
  Value previous;
  Status deferred;
  for (const Candidates::Chain& chain : candidates.chains) {
    Value result;
    const auto run = [&](const Definition& definition) -> Status {
      Status stop = CallDefinition(call, definition, previous, &result, next);
      if (Is(stop, Stop::Kind::kDeferred)) {
        deferred = deferred ? deferred : stop;
        return nullptr;
      }
      return stop ? ListConflicts(stop, definition, candidates, attempt) : nullptr;
    };
    if (Status stop = run(*chain.first)) {
      return Suppressed(stop);
    }
    for (std::size_t i = 0; result.is_undefined() && i < chain.otherwise.size(); ++i) {
      if (Status stop = run(*chain.otherwise[i])) {
        return Suppressed(stop);
      }
    }
    previous = result.is_defined() ? result : previous;
  }
  if (candidates.by_default != nullptr && previous.is_undefined()) {
    Value result;
    return Suppressed(CallDefinition(call, *candidates.by_default, previous, &result, next));
  }
  return Suppressed(deferred);
}

// The terms that a call's operands meet.
std::vector<Operand> TopDown::HeadOf(const Call& call, const Definition& definition) {
  std::vector<Operand> head = OperandsOf(definition.rule->arguments);
  if (call.operands.size() == head.size() + 1) {
    head.push_back(Of(*definition.rule->value));
  }
  return head;
}

Status TopDown::CallDefinition(Call& call, const Definition& definition, Value previous,
                               Value* result, const Next& next) {
  Bindings own;
  Frame child = call.frame->Child(definition.rule->body, next_id_++, own);
  child.find_one = call.candidates->early_exit;
  const std::vector<Operand> head = HeadOf(call, definition);
  const bool captured = call.operands.size() != definition.rule->arguments.size();
  Tell(child, Op::kEnter, definition);
  const auto done = [&]() -> Status {
    TellExit(child, definition);
    const Value value = Plugged(Of(*definition.rule->value), &own);
    if (value.is_undefined()) {
      return nullptr;  // A variable of the compiler's own, written in the policy.
    }
    *result = value;
    cache_.Put(call.key, *result);
    const bool fails = !captured && result->is_false();
    if (previous.is_defined() && !document::Equal(previous, *result)) {
      return Conflict(definition, ConflictMessage(definition), definition.rule->location);
    }
    if (fails) {
      previous = *result;
      return nullptr;
    }
    if (previous.is_undefined()) {
      previous = *result;
      if (Status stop = next()) {
        return stop;
      }
    }
    Tell(child, Op::kRedo, definition);
    return nullptr;
  };
  return UnifyAll(child, call.operands, head, call.frame->bindings, &own,
                  [&] { return Query(child, done); });
}

Status TopDown::TryCall(Call& call, const Definition& definition, ConflictList& list,
                        bool* produced) {
  Bindings own;
  Frame child = call.frame->Child(definition.rule->body, next_id_++, own);
  child.find_one = call.candidates->early_exit;
  const std::vector<Operand> head = HeadOf(call, definition);
  Tell(child, Op::kEnter, definition);
  return UnifyAll(child, call.operands, head, call.frame->bindings, &own, [&] {
    return Query(child, [&] { return NoteValue(child, definition, list, produced); });
  });
}

Status TopDown::CallBuiltin(Frame& frame, const builtins::Builtin& builtin,
                            std::span<const Operand> operands, const Next& next) {
  const Expr& expr = *(*frame.query)[frame.index];
  const bool nothing = builtin.type.ends_with("-> nothing");
  const auto arity = static_cast<std::size_t>(std::max(ArityOf(builtin), 0));
  std::vector<Value> arguments;
  for (const Operand& operand :
       operands.first(nothing ? operands.size() : std::min(arity, operands.size()))) {
    arguments.push_back(Plugged(operand, frame.bindings));
    if (arguments.back().is_undefined()) {
      return FailEvaluation("eval_internal_error",
                            std::string(builtin.name) + ": an operand is not evaluated",
                            expr.location);
    }
  }
  if (builtin.name == "internal.print" || builtin.name == "print") {
    if (request_.prints != nullptr && !arguments.empty() &&
        !AppendPrinted(
            arguments[0], [this] { return CheckLimits() == nullptr; }, request_.prints)) {
      return CheckLimits();
    }
    return next();
  }
  if (builtin.name == "trace" && arguments[0].is_string()) {
    TellNote(frame, expr, arguments[0].string());
  }
  if (builtin.function == nullptr) {
    return FailEvaluation("eval_internal_error",
                          "unsupported built-in function: " + std::string(builtin.name),
                          expr.location);
  }
  const Value result = builtin.function(*call_, arguments);
  if (call_->failure != builtins::FailureKind::kNone) {
    const auto failure = std::exchange(call_->failure, builtins::FailureKind::kNone);
    if (failure == builtins::FailureKind::kHalt) {
      return FailEvaluation("eval_cancel_error", std::move(call_->failure_message), expr.location);
    }
    if (request_.strict_builtin_errors && !builtin_error_) {
      builtin_error_ =
          EvaluationError{.code = failure == builtins::FailureKind::kType ? "eval_type_error"
                                                                          : "eval_builtin_error",
                          .message = std::string(builtin.name) + ": " + call_->failure_message,
                          .location = expr.location};
    }
    return nullptr;
  }
  if (!builtin.relation) {
    return result.is_undefined() && !nothing ? nullptr
                                             : TakeResult(frame, arity, nothing, operands,
                                                          {.term = nullptr, .value = result}, next);
  }
  // Of a path that nobody asks for, OPA makes none.
  const bool no_path = builtin.name == "walk" && SkipsPath(operands);
  for (std::uint32_t i = 0; i < result.size(); ++i) {
    Value item = result.ItemAt(i);
    if (no_path) {
      document::ArrayBuilder pair(arena_);
      pair.Add(document::ArrayBuilder(arena_).Finish());
      pair.Add(item.ItemAt(1));
      item = pair.Finish();
    }
    if (Status stop =
            TakeResult(frame, arity, nothing, operands, {.term = nullptr, .value = item}, next)) {
      return stop;
    }
  }
  return nullptr;
}

bool TopDown::ConflictList::Add(const Value& value, const Location& location) {
  if (!values.empty() && document::Equal(values.front().value, value)) {
    return true;
  }
  if (values.size() == kMostConflicts) {
    full = true;
    return false;
  }
  values.push_back({.value = value, .location = &location});
  return values.size() == 1;
}

Status TopDown::NoteValue(Frame& child, const Definition& definition, ConflictList& list,
                          bool* produced) {
  TellExit(child, definition);
  *produced = true;
  if (!list.Add(Plugged(Of(*definition.rule->value), child.bindings), definition.rule->location)) {
    return std::make_shared<const Stop>(
        Stop{.kind = Stop::Kind::kConflict, .previous = nullptr, .conflict = definition.rule});
  }
  Tell(child, Op::kRedo, definition);
  return nullptr;
}

Status TopDown::ListConflicts(
    Status stop, const Definition& definition, const Candidates& candidates,
    const std::function<Status(const Definition&, ConflictList&, bool*)>& attempt) {
  if (stop->conflict != definition.rule || !Is(stop, Stop::Kind::kError) ||
      release_ == Release::k1_17) {
    return stop;
  }
  std::optional<EvaluationError> error = std::exchange(error_, std::nullopt);
  std::optional<EvaluationError> builtin_error = builtin_error_;
  ConflictList list;
  const auto tried = [&](const Definition& each, bool* produced) -> Status {
    Status end = attempt(each, list, produced);
    const bool goes_on =
        Is(end, Stop::Kind::kDeferred) || (Is(end, Stop::Kind::kConflict) && !list.full);
    return goes_on ? nullptr : end;
  };
  for (const Candidates::Chain& chain : candidates.chains) {
    bool produced = false;
    Status end = tried(*chain.first, &produced);
    for (std::size_t i = 0; !end && !produced && i < chain.otherwise.size(); ++i) {
      end = tried(*chain.otherwise[i], &produced);
    }
    if (end) {
      break;
    }
  }
  error_ = std::move(error);
  builtin_error_ = std::move(builtin_error);
  if (list.values.size() > 1 && request_.conflict_texts == ConflictTexts::kCurrent) {
    AppendConflict(std::move(list.values), list.full, &error_->message);
  }
  return stop;
}

}  // namespace portcullis::rego::trace
