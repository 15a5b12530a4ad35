#include "rules/rego/trace/topdown.h"

#include <algorithm>

#include "rules/rego/capture.h"
#include "rules/rego/compilation.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego::trace {
namespace {

// Of the native stack. Each expression on the way to a solution takes some of it, as OPA's takes of its own, which may grow
// to a gigabyte.
constexpr std::ptrdiff_t kStackBytes = std::ptrdiff_t{4} << 20;
// Steps between two looks at the clock.
constexpr std::uint64_t kTicks = 256;

// The document with `value` at the path below it.
Value Replace(const Value& document, std::span<const Value> path, const Value& value,
              document::Arena& arena) {
  if (path.empty()) {
    return value;
  }
  document::ObjectBuilder changed(arena);
  if (document.is_object()) {
    for (std::uint32_t i = 0; i < document.size(); ++i) {
      changed.Add(document.KeyAt(i), document.ValueAt(i));
    }
  }
  const Value inner = document.is_object() ? document.Find(path.front()) : Value();
  changed.Add(path.front(), Replace(inner, path.subspan(1), value, arena));
  return changed.Finish();
}

bool IsFunction(const Term& term, const CompiledPolicy& policy, const Definitions& definitions,
                Constants& constants) {
  if (term.kind != TermKind::kRef || !IsGround(term)) {
    return false;
  }
  if (term.items[0]->text != "data") {
    return policy.catalog->Find(ToString(term)) != nullptr;
  }
  std::vector<Value> path;
  for (std::size_t i = 1; i < term.items.size(); ++i) {
    path.push_back(constants.ValueOf(*term.items[i]));
  }
  const DefinitionNode* node = definitions.Find(path);
  return node != nullptr && !node->rules.empty() && node->rules.front()->IsFunction();
}

// Of the frame, not of a variable: under a sanitizer those may lie elsewhere.
const char* StackPointer() {
  return static_cast<const char*>(__builtin_frame_address(0));
}

}  // namespace

TopDown::TopDown(const CompiledPolicy& policy, const ValueQuery& query,
                 const EvaluationRequest& request, builtins::PreparedCache& prepared,
                 Release release, Sink& sink)
    : policy_(policy),
      query_(query.body),
      names_(query.written),
      request_(request),
      release_(release),
      sink_(sink),
      tells_unify_(sink.wants_unify()),
      arena_(*request.arena),
      constants_(arena_),
      definitions_(policy, constants_, release),
      comprehension_keys_(policy, query.body),
      call_(MakeCallContext(*request.arena, prepared, request)),
      data_(request.data) {
  for (const auto& [author, compiler] : query.tops) {
    tops_[compiler] = author;
  }
}

TopDown::~TopDown() = default;

std::vector<std::vector<Binding>> TopDown::Run() {
  stack_ = StackPointer();
  mocks_.emplace_back();
  Bindings bindings;
  Frame frame;
  frame.bindings = &bindings;
  frame.query = &query_;
  frame.id = next_id_++;
  frame.input = request_.input;
  std::vector<std::vector<Binding>> rows;
  Tell(frame, Op::kEnter, query_);
  const auto found = [&]() -> Status {
    TellExit(frame, query_);
    std::vector<Binding>& row = rows.emplace_back();
    for (const Bindings::Bound& bound : bindings.all()) {
      const auto top = tops_.find(bound.name);
      const std::string_view name = top == tops_.end() ? bound.name : top->second;
      const bool generated =
          name.starts_with("__local") || (name.starts_with('$') && !IsCapture(name));
      const Value value = generated ? Value() : Plugged(bound.to, bound.in);
      if (value.is_defined()) {
        row.push_back({.variable = name, .value = value});
      }
    }
    std::ranges::sort(row, {}, &Binding::variable);
    Tell(frame, Op::kRedo, query_);
    return nullptr;
  };
  Query(frame, found);
  if (builtin_error_ && !engine_error_) {
    error_ = std::move(builtin_error_);
  }
  if (error_ || engine_error_) {
    rows.clear();
  }
  return rows;
}

Status TopDown::Advance(Frame& frame, const Next& next) {
  ++frame.index;
  Status stop = Query(frame, next);
  --frame.index;
  return stop;
}

Status TopDown::Query(Frame& frame, const Next& next) {
  if (Status over = CheckLimits()) {
    return over;
  }
  if (frame.index >= frame.query->size()) {
    if (Status stop = next()) {
      if (IsFatal(stop)) {
        return stop;
      }
      return frame.find_one ? Early(std::move(stop)) : Deferred(std::move(stop));
    }
    return frame.find_one ? Early(nullptr) : nullptr;
  }
  const Expr& expr = *(*frame.query)[frame.index];
  Tell(frame, Op::kEval, expr);
  if (!expr.with.empty()) {
    return With(frame, expr, next);
  }
  return Expression(frame, expr, [&] { return Advance(frame, next); });
}

Status TopDown::Expression(Frame& frame, const Expr& expr, const Next& next) {
  return expr.negated ? Negated(frame, expr, next) : Positive(frame, expr, next);
}

Status TopDown::Positive(Frame& frame, const Expr& expr, const Next& next) {
  bool defined = false;
  const auto found = [&]() -> Status {
    defined = true;
    Status stop = next();
    Tell(frame, Op::kRedo, expr);
    return stop;
  };
  Status stop;
  switch (expr.kind) {
    case ExprKind::kCall:
      if (expr.terms.size() == 3 && ToString(*expr.terms[0]) == "eq") {
        stop = Unify(frame, Of(*expr.terms[1]), Of(*expr.terms[2]), frame.bindings, frame.bindings,
                     found);
      } else {
        stop = CallExpr(frame, *expr.terms[0], OperandsOf(std::span(expr.terms).subspan(1)), found);
      }
      break;
    case ExprKind::kTerm:
    case ExprKind::kSome:
      stop = TermHolds(frame, expr, found);
      break;
    case ExprKind::kEvery:
      stop = Every(frame, expr, found);
      break;
    case ExprKind::kNot:
      stop = NotBody(frame, expr, found);
      break;
    case ExprKind::kAnd:
    case ExprKind::kOr:
      stop = Logical(frame, expr, found);
      break;
  }
  if (!stop && !defined) {
    Tell(frame, Op::kFail, expr);
  }
  return stop;
}

Status TopDown::TermHolds(Frame& frame, const Expr& expr, const Next& next) {
  Term result = MakeTerm(TermKind::kVar,
                         "$_term_" + std::to_string(frame.id) + "_" + std::to_string(frame.index));
  const Operand variable{.term = &result, .value = {}};
  return Unify(
      frame, Of(*expr.terms[0]), variable, frame.bindings, frame.bindings,
      [&]() -> Status { return Plugged(variable, frame.bindings).is_false() ? nullptr : next(); });
}

const Body& TopDown::ComplementOf(const Expr& expr) {
  const auto [at, is_new] = complements_.try_emplace(&expr);
  if (is_new) {
    ExprPtr copy = Clone(expr);
    copy->negated = !copy->negated;
    copy->with.clear();
    copy->index = 0;
    at->second.push_back(std::move(copy));
  }
  return at->second;
}

Status TopDown::Negated(Frame& frame, const Expr& expr, const Next& next) {
  const Body& body = ComplementOf(expr);
  Frame child = frame.Closure(body, next_id_++);
  Tell(child, Op::kEnter, body);
  Status stop = Query(child, [&]() -> Status {
    TellExit(child, body);
    Tell(child, Op::kRedo, body);
    child.defined = true;
    return nullptr;
  });
  if (stop) {
    return stop;
  }
  if (!child.defined) {
    return next();
  }
  Tell(frame, Op::kFail, expr);
  return nullptr;
}

Status TopDown::NotBody(Frame& frame, const Expr& expr, const Next& next) {
  Frame child = frame.Closure(expr.body, next_id_++);
  Tell(child, Op::kEnter, expr.body);
  Status stop = Query(child, [&]() -> Status {
    TellExit(child, expr.body);
    Tell(child, Op::kRedo, expr.body);
    child.defined = true;
    return nullptr;
  });
  if (stop) {
    return stop;
  }
  return child.defined ? nullptr : next();
}

Status TopDown::LogicalOperand(Frame& frame, const Body& body, bool* defined) {
  Frame child = frame.Closure(body, next_id_++);
  child.find_one = true;
  Tell(child, Op::kEnter, body);
  Status stop = Query(child, [&]() -> Status {
    TellExit(child, body);
    Tell(child, Op::kRedo, body);
    child.defined = true;
    return nullptr;
  });
  *defined = child.defined;
  return Suppressed(stop);
}

Status TopDown::Logical(Frame& frame, const Expr& expr, const Next& next) {
  bool defined = false;
  if (Status stop = LogicalOperand(frame, expr.body, &defined)) {
    return stop;
  }
  if (defined == (expr.kind == ExprKind::kAnd)) {
    if (Status stop = LogicalOperand(frame, expr.right, &defined)) {
      return stop;
    }
  }
  return defined ? next() : nullptr;
}

// `value = domain[key]`
const Body& TopDown::GeneratorOf(const Expr& every) {
  const auto [at, is_new] = generators_.try_emplace(&every);
  if (is_new) {
    const Location& location = every.terms[2]->location;
    std::vector<TermPtr> items;
    items.push_back(Clone(*every.terms[2]));
    items.push_back(Clone(*every.terms[0]));
    at->second.push_back(
        NewCallExpr("eq", NewRef(std::move(items), location), Clone(*every.terms[1]), location));
  }
  return at->second;
}

Status TopDown::Every(Frame& frame, const Expr& expr, const Next& next) {
  const Value over = Plugged(Of(*expr.terms[2]), frame.bindings);
  if (!over.is_array() && !over.is_object() && !over.is_set()) {
    Tell(frame, Op::kFail, expr);
    return nullptr;
  }
  Frame domain = frame.Closure(GeneratorOf(expr), next_id_++);
  bool all = true;
  Tell(domain, Op::kEnter, expr);
  Status stop = Query(domain, [&]() -> Status {
    if (!all) {
      return nullptr;
    }
    Frame body = domain.Closure(expr.body, next_id_++);
    body.find_one = true;
    Tell(body, Op::kEnter, expr.body);
    bool done = false;
    const Status inner = Query(body, [&]() -> Status {
      TellExit(body, expr.body);
      Tell(body, Op::kRedo, expr.body);
      done = true;
      return nullptr;
    });
    all = all && done;
    Tell(domain, Op::kRedo, expr);
    return Suppressed(inner);
  });
  if (stop) {
    return stop;
  }
  if (!all) {
    Tell(domain, Op::kFail, expr);
    return nullptr;
  }
  stop = next();
  Tell(domain, Op::kExit, expr);
  return stop;
}

Status TopDown::With(Frame& frame, const Expr& expr, const Next& next) {
  std::vector<Path> targets;
  std::vector<Mock> mocks;
  Value input = frame.input;
  Value data = frame.data;
  for (const rego::With& with : expr.with) {
    const Term& target = *with.target;
    if (IsFunction(target, policy_, definitions_, constants_)) {
      Mock& mock = mocks.emplace_back();
      mock.function = ToString(target);
      if (IsFunction(*with.value, policy_, definitions_, constants_)) {
        mock.by_function = with.value.get();
      } else if (with.value->kind == TermKind::kRef) {
        mock.result = Of(*with.value);  // A rule: asked for where it is needed.
      } else {
        mock.result.value = Plugged(Of(*with.value), frame.bindings);
      }
      continue;
    }
    Path path;
    for (const TermPtr& item : target.items) {
      path.push_back(item->IsVar() ? Value::String(item->text) : constants_.ValueOf(*item));
    }
    Value& document = target.items[0]->text == "input" ? input : data;
    document = Replace(document, std::span(path).subspan(1),
                       Plugged(Of(*with.value), frame.bindings), arena_);
    targets.push_back(std::move(path));
  }
  const auto push = [&] {
    std::swap(frame.input, input);
    std::swap(frame.data, data);
    if (frame.comprehensions == nullptr) {
      frame.comprehensions = std::make_shared<ComprehensionCache>();
    }
    frame.comprehensions->frames.emplace_back();
    cache_.Push();
    replaced_.push_back(targets);
    mocks_.back().push_back(mocks);
  };
  const auto pop = [&] {
    std::swap(frame.input, input);
    std::swap(frame.data, data);
    frame.comprehensions->frames.pop_back();
    cache_.Pop();
    replaced_.pop_back();
    mocks_.back().pop_back();
  };
  push();
  Status stop = Expression(frame, expr, [&] {
    pop();
    Status inner = Advance(frame, next);
    push();
    return inner;
  });
  pop();
  return stop;
}

std::vector<Operand> TopDown::OperandsOf(std::span<const TermPtr> terms) {
  std::vector<Operand> operands;
  operands.reserve(terms.size());
  for (const TermPtr& term : terms) {
    operands.push_back(Of(*term));
  }
  return operands;
}

Status TopDown::CheckLimits() {
  if (error_ || engine_error_) {
    return std::make_shared<const Stop>();
  }
  if (stack_ - StackPointer() > kStackBytes) {
    return FailEvaluation("eval_internal_error", "trace: the evaluation goes too deep", {});
  }
  if (sink_is_full_) {
    return FailEvaluation("eval_internal_error", "trace: memory limit reached", {});
  }
  if (++ticks_ % kTicks != 0) {
    return nullptr;
  }
  if (request_.deadline != std::chrono::steady_clock::time_point::max() &&
      request_.clock->Now() >= request_.deadline) {
    return FailEvaluation("eval_cancel_error", "caller cancelled query execution", {});
  }
  if (arena_.over_limit()) {
    return FailEvaluation("eval_cancel_error", "memory limit reached", {});
  }
  return nullptr;
}

Status TopDown::FailEvaluation(std::string_view code, std::string message,
                               const Location& location) {
  if (!error_) {
    error_ = EvaluationError{
        .code = std::string(code), .message = std::move(message), .location = location};
  }
  return std::make_shared<const Stop>();
}

std::string TopDown::ConflictMessage(const Definition& definition) const {
  const bool is_function = definition.rule->IsFunction();
  if (request_.conflict_texts == ConflictTexts::kGatekeeper) {
    return is_function ? "functions must not produce multiple outputs for same inputs"
                       : "complete rules must not produce multiple outputs";
  }
  return (is_function ? "function " : "rule ") + definition.path + " produced conflicting values" +
         (is_function ? " for the same inputs" : "");
}

Status TopDown::Conflict(const Definition& definition, std::string message,
                         const Location& location) {
  FailEvaluation("eval_conflict_error", std::move(message), location);
  return std::make_shared<const Stop>(
      Stop{.kind = Stop::Kind::kError, .previous = nullptr, .conflict = definition.rule});
}

Status TopDown::Early(Status previous) {
  return std::make_shared<const Stop>(
      Stop{.kind = Stop::Kind::kEarly, .previous = std::move(previous), .conflict = nullptr});
}

Status TopDown::Deferred(Status previous) {
  return std::make_shared<const Stop>(
      Stop{.kind = Stop::Kind::kDeferred, .previous = std::move(previous), .conflict = nullptr});
}

Status TopDown::Suppressed(const Status& stop) {
  return stop && !IsFatal(stop) ? stop->previous : stop;
}

}  // namespace portcullis::rego::trace
