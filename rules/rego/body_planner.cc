#include "rules/rego/body_planner.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rules/rego/capture.h"
#include "rules/rego/grouping.h"

namespace portcullis::rego {
namespace {

using builtins::Builtin;

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};
constexpr std::array kComparisons = {
    ComparisonName{.name = "equal", .comparison = Comparison::kEqual},
    ComparisonName{.name = "neq", .comparison = Comparison::kNotEqual},
    ComparisonName{.name = "lt", .comparison = Comparison::kLess},
    ComparisonName{.name = "lte", .comparison = Comparison::kLessOrEqual},
    ComparisonName{.name = "gt", .comparison = Comparison::kGreater},
    ComparisonName{.name = "gte", .comparison = Comparison::kGreaterOrEqual},
};

// The number of arguments that a builtin's type names; `variadic` if its last may repeat.
std::size_t ArityOf(std::string_view type, bool* variadic) {
  int nested = 0;
  std::size_t count = 0;
  bool some = false;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const char c = type[i];
    if (c == '(' || c == '[' || c == '{') {
      ++nested;
    } else if (c == ')' || c == ']' || c == '}') {
      if (--nested == 0) {
        break;
      }
    } else if (c == ',' && nested == 1) {
      ++count;
    } else if (c != ' ') {
      some = true;
    }
  }
  *variadic = type.substr(0, type.find("->")).find("...") != std::string_view::npos;
  return some ? count + 1 : 0;
}

// "regex.match" of a kRef of names, "plus" of a kVar.
std::string NameOf(const Term& op) {
  if (op.kind != TermKind::kRef) {
    return op.text;
  }
  std::string name;
  for (const TermPtr& item : op.items) {
    if (!name.empty()) {
      name.push_back('.');
    }
    name.append(item->text);
  }
  return name;
}

bool IsDataReference(const Term& term) {
  return term.kind == TermKind::kRef && term.items[0]->IsVar() && term.items[0]->text == "data";
}

// The node of rules that a constant reference names; `path` gets its names.
const RuleTree* RulesAt(const RuleTree& root, const Term& reference,
                        std::vector<std::string>* path) {
  const RuleTree* node = &root;
  for (std::size_t i = 1; i < reference.items.size(); ++i) {
    if (reference.items[i]->kind != TermKind::kString) {
      return nullptr;
    }
    node = node->Child(reference.items[i]->text);
    if (node == nullptr) {
      return nullptr;
    }
    path->push_back(reference.items[i]->text);
  }
  return node->rules != nullptr ? node : nullptr;
}

}  // namespace

BodyPlanner::BodyPlanner(Planner& planner, Block* block, Slot first_slot,
                         RuleExplanation* explanation)
    : planner_(planner), block_(block), next_slot_(first_slot), explanation_(explanation) {}

Step& BodyPlanner::Add(Op op, const Location* location) {
  Step& step = block_->steps.emplace_back();
  step.op = op;
  step.location = location;
  return step;
}

void BodyPlanner::Bind(const std::string& name, Operand operand) {
  if (bound_.emplace(name, operand).second) {
    trail_.push_back(name);
  }
}

std::vector<std::string> BodyPlanner::BoundVariables() const {
  std::vector<std::string> names;
  for (const auto& [name, operand] : bound_) {
    if (IsCapture(name) || (!name.starts_with('$') && !name.starts_with("__local"))) {
      names.push_back(name);
    }
  }
  return names;
}

std::optional<Operand> BodyPlanner::OperandOf(const Term& variable) const {
  const auto found = bound_.find(variable.text);
  if (found == bound_.end()) {
    return std::nullopt;
  }
  return found->second;
}

void BodyPlanner::MoveTo(Operand from, Slot to) {
  Step& step = Add(Op::kMove);
  step.a = from;
  step.to = to;
}

std::string BodyPlanner::Describe(const Location& location,
                                  const std::function<std::string()>& otherwise) const {
  const std::string_view text = planner_.SourceText(location);
  return text.empty() || text.find('\n') != std::string_view::npos ? otherwise()
                                                                   : std::string(text);
}

std::string BodyPlanner::DescribeTerm(const Term& term) const {
  return Describe(term.location, [&term] { return ToString(term); });
}

void BodyPlanner::Explain(std::string text) {
  if (explanation_ != nullptr) {
    explanation_->steps.push_back(
        {.depth = depth_, .text = std::move(text), .access_path = {}, .indexes = {}, .reason = {}});
  }
}

void BodyPlanner::ExplainAccess(PlanStep step) {
  if (explanation_ != nullptr) {
    step.depth = depth_ + 1;
    explanation_->steps.push_back(std::move(step));
  }
}

const Block* BodyPlanner::SubBlock(const std::function<void()>& plan) {
  Block* outer = std::exchange(block_, planner_.NewBlock());
  const Body* outer_body = body_;
  const std::size_t outer_expression = expression_;
  const std::size_t mark = trail_.size();
  const bool outer_dead = dead_;
  const bool outer_repeats_matter = repeats_matter_;
  ++depth_;
  plan();
  --depth_;
  dead_ = outer_dead;
  repeats_matter_ = outer_repeats_matter;
  for (; trail_.size() > mark; trail_.pop_back()) {
    bound_.erase(trail_.back());
  }
  body_ = outer_body;
  expression_ = outer_expression;
  return std::exchange(block_, outer);
}

const Block* BodyPlanner::ExistsBlock(const Body& body) {
  return SubBlock([&] {
    repeats_matter_ = false;
    PlanBody(body);
    Add(Op::kYieldExists);
  });
}

void BodyPlanner::PlanBody(const Body& body) {
  body_ = &body;
  for (std::size_t i = 0; i < body.size(); ++i) {
    expression_ = i;
    PlanExpr(*body[i]);
    if (dead_) {
      return;
    }
  }
}

void BodyPlanner::End() {
  if (!dead_) {
    Add(Op::kFail);
    dead_ = true;
  }
}

void BodyPlanner::PlanRuleBody(const Rule& rule) {
  rule_ = &rule;
  repeats_matter_ = false;
  if (auto body = planner_.SeeThrough(rule)) {
    PlanBody(planner_.program().written.emplace_back(std::move(*body)));
    return;
  }
  PlanBody(rule.body);
}

void BodyPlanner::PlanExpr(const Expr& expr) {
  if (hoisted_.contains(&expr)) {
    return;
  }
  if (!expr.generated) {
    Explain(Describe(expr.location, [&expr] { return ToString(expr); }));
  }
  if (!expr.with.empty()) {
    PlanWith(expr);
    return;
  }
  if (expr.negated) {
    const Block* block = SubBlock([&] {
      repeats_matter_ = false;
      PlanPlain(expr);
      Add(Op::kYieldExists);
    });
    Add(Op::kNot, &expr.location).block = block;
    return;
  }
  PlanPlain(expr);
}

// An expression without `with` and `not`.
void BodyPlanner::PlanPlain(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kTerm:
      PlanStatement(*expr.terms[0]);
      return;
    case ExprKind::kCall:
      PlanCallStatement(expr);
      return;
    case ExprKind::kSome:
      // Declarations bind nothing.
      return;
    case ExprKind::kEvery:
      PlanEvery(expr);
      return;
    case ExprKind::kNot: {
      const Block* block = ExistsBlock(expr.body);
      Add(Op::kNot, &expr.location).block = block;
      return;
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      const Block* left = ExistsBlock(expr.body);
      const Block* right = ExistsBlock(expr.right);
      Step& step = Add(expr.kind == ExprKind::kAnd ? Op::kBoth : Op::kEither, &expr.location);
      step.block = left;
      step.other_block = right;
      return;
    }
  }
}

void BodyPlanner::PlanStatement(const Term& term) {
  if (term.kind == TermKind::kCall) {
    EvalCall(*term.items[0], std::span(term.items).subspan(1), nullptr, true, term.location);
    return;
  }
  const Operand value =
      term.kind == TermKind::kRef ? EvalReference(term, Need::kExistence) : Eval(term);
  Step& step = Add(Op::kTrue, &term.location);
  step.a = value;
}

void BodyPlanner::PlanCallStatement(const Expr& expr) {
  const std::string name = NameOf(*expr.terms[0]);
  if ((name == "eq" || name == "assign") && expr.terms.size() == 3) {
    Unify(*expr.terms[1], *expr.terms[2]);
    return;
  }
  EvalCall(*expr.terms[0], std::span(expr.terms).subspan(1), nullptr, true, expr.location);
}

void BodyPlanner::PlanEvery(const Expr& expr) {
  const Operand domain = Eval(*expr.terms[2]);
  const Slot key = expr.terms[0] != nullptr ? NewSlot() : kNoSlot;
  const Slot value = NewSlot();
  const Block* block = SubBlock([&] {
    repeats_matter_ = false;
    if (expr.terms[0] != nullptr) {
      Match({.at = key}, *expr.terms[0]);
    }
    Match({.at = value}, *expr.terms[1]);
    PlanBody(expr.body);
    Add(Op::kYieldExists);
  });
  Step& step = Add(Op::kEvery, &expr.location);
  step.a = domain;
  step.to = key;
  step.to2 = value;
  step.block = block;
}

void BodyPlanner::PlanWith(const Expr& expr) {
  WithTargets& targets = planner_.program().with_targets.emplace_back();
  for (const With& with : expr.with) {
    const Term& target = *with.target;
    const Term& head = target.kind == TermKind::kRef ? *target.items[0] : target;
    std::vector<std::string> path;
    if (IsDataReference(target)) {
      const RuleTree* rules = RulesAt(planner_.policy().root, target, &path);
      if (rules != nullptr && rules->rules->kind == RuleKind::kFunction) {
        WithTargets::Mock mock;
        mock.procedure = planner_.Whole(planner_.GroupOf(*rules, path));
        PlanMock(with, mock, &targets);
        continue;
      }
    } else if (head.text != "input" && head.text != "data") {
      WithTargets::Mock mock;
      mock.builtin = planner_.policy().catalog->Find(NameOf(target));
      if (mock.builtin == nullptr) {
        planner_.Fail("unknown target of with: " + ToString(target), with.location);
        return;
      }
      PlanMock(with, mock, &targets);
      continue;
    }
    WithTargets::Document document;
    document.is_input = head.text == "input";
    for (std::size_t i = 1; i < target.items.size(); ++i) {
      document.path.push_back(planner_.ValueOf(*target.items[i]));
    }
    document.value = Eval(*with.value);
    targets.documents.push_back(std::move(document));
  }
  Add(Op::kWith, &expr.location).with = &targets;
  if (expr.negated) {
    const Block* block = SubBlock([&] {
      repeats_matter_ = false;
      PlanPlain(expr);
      Add(Op::kYieldExists);
    });
    Add(Op::kNot, &expr.location).block = block;
  } else {
    PlanPlain(expr);
  }
  Add(Op::kWithEnd);
}

void BodyPlanner::PlanMock(const With& with, std::optional<WithTargets::Mock> mock,
                           WithTargets* targets) {
  const Term& value = *with.value;
  if (IsDataReference(value)) {
    std::vector<std::string> path;
    const RuleTree* rules = RulesAt(planner_.policy().root, value, &path);
    if (rules != nullptr && rules->rules->kind == RuleKind::kFunction) {
      mock->by_procedure = planner_.Whole(planner_.GroupOf(*rules, path));
    }
  } else if ((value.kind == TermKind::kRef && value.items[0]->IsVar() &&
              !IsBound(value.items[0]->text)) ||
             (value.IsVar() && !IsBound(value.text))) {
    mock->by_builtin = planner_.policy().catalog->Find(NameOf(value));
  }
  if (mock->by_procedure == nullptr && mock->by_builtin == nullptr) {
    mock->value = Eval(value);
  }
  targets->mocks.push_back(*mock);
}

bool BodyPlanner::CanEval(const Term& term) const {
  switch (term.kind) {
    case TermKind::kVar:
      return IsBound(term.text) || term.text == "input" || term.text == "data";
    case TermKind::kRef:
      return CanEval(*term.items[0]);
    case TermKind::kCall:
      return std::all_of(term.items.begin() + 1, term.items.end(),
                         [this](const TermPtr& item) { return CanEval(*item); });
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
      return std::ranges::all_of(term.items,
                                 [this](const TermPtr& item) { return CanEval(*item); });
    default:
      return true;
  }
}

void BodyPlanner::Unify(const Term& a, const Term& b) {
  std::vector<std::pair<const Term*, const Term*>> pairs = {{&a, &b}};
  while (!pairs.empty()) {
    std::vector<std::pair<const Term*, const Term*>> later;
    bool progress = false;
    for (const auto& [left, right] : pairs) {
      progress = TryUnify(*left, *right, &later) || progress;
    }
    if (!progress) {
      // [x.a, y[x]]: a variable that has its first value from the same expression, too late for one of its uses.
      End();
      return;
    }
    pairs = std::move(later);
  }
}

bool BodyPlanner::TryUnify(const Term& a, const Term& b,
                           std::vector<std::pair<const Term*, const Term*>>* later) {
  const bool can_a = CanEval(a);
  const bool can_b = CanEval(b);
  if (can_a && can_b) {
    const Operand left = Eval(a);
    const Operand right = Eval(b);
    Step& step = Add(Op::kEqual, &a.location);
    step.a = left;
    step.b = right;
    step.stop = a.kind == TermKind::kRef && b.kind == TermKind::kRef;
    return true;
  }
  if (can_b || can_a) {
    const Operand value = Eval(can_b ? b : a);
    Match(value, can_b ? a : b);
    return true;
  }
  if (a.kind == TermKind::kArray && b.kind == TermKind::kArray) {
    if (a.items.size() != b.items.size()) {
      Add(Op::kFail);
      return true;
    }
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      later->emplace_back(a.items[i].get(), b.items[i].get());
    }
    return true;
  }
  if (a.kind == TermKind::kObject && b.kind == TermKind::kObject) {
    if (a.items.size() != b.items.size()) {
      Add(Op::kFail);
      return true;
    }
    for (std::size_t i = 0; i < a.items.size(); i += 2) {
      const Term* other = nullptr;
      for (std::size_t j = 0; j < b.items.size(); j += 2) {
        if (Compare(*a.items[i], *b.items[j]) == 0) {
          other = b.items[j + 1].get();
        }
      }
      if (other == nullptr) {
        Add(Op::kFail);
        return true;
      }
      later->emplace_back(a.items[i + 1].get(), other);
    }
    return true;
  }
  if (a.IsVar() && b.IsVar() && a.text == b.text) {
    return true;
  }
  // An array or object is never equal to a thing of another kind, whatever its variables are.
  if (!a.IsVar() && !b.IsVar() && a.kind != b.kind) {
    Add(Op::kFail);
    return true;
  }
  later->emplace_back(&a, &b);
  return false;
}

void BodyPlanner::Match(Operand value, const Term& pattern) {
  if (pattern.IsVar() && !CanEval(pattern)) {
    Bind(pattern.text, value);
    return;
  }
  if (CanEval(pattern)) {
    const Operand other = Eval(pattern);
    Step& step = Add(Op::kEqual, &pattern.location);
    step.a = value;
    step.b = other;
    return;
  }
  std::vector<std::pair<Slot, const Term*>> parts;
  if (pattern.kind == TermKind::kArray) {
    const Slot first = next_slot_;
    next_slot_ += static_cast<Slot>(pattern.items.size());
    Step& step = Add(Op::kUnpackArray, &pattern.location);
    step.a = value;
    step.to = first;
    step.to2 = static_cast<Slot>(pattern.items.size());
    for (std::size_t i = 0; i < pattern.items.size(); ++i) {
      parts.emplace_back(first + static_cast<Slot>(i), pattern.items[i].get());
    }
  } else if (pattern.kind == TermKind::kObject) {
    std::vector<Operand> keys;
    for (std::size_t i = 0; i < pattern.items.size(); i += 2) {
      if (!CanEval(*pattern.items[i])) {
        return End();
      }
      keys.push_back(Eval(*pattern.items[i]));
    }
    const Slot first = next_slot_;
    next_slot_ += static_cast<Slot>(keys.size());
    Step& step = Add(Op::kUnpackObject, &pattern.location);
    step.a = value;
    step.to = first;
    step.operands = planner_.Operands(keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      parts.emplace_back(first + static_cast<Slot>(i), pattern.items[2 * i + 1].get());
    }
  } else {
    planner_.Fail("cannot unify with " + ToString(pattern), pattern.location);
    return;
  }
  // First what binds, since a reference among the parts may need it.
  for (const bool references : {false, true}) {
    for (const auto& [slot, part] : parts) {
      const bool is_reference = part->kind == TermKind::kRef || part->kind == TermKind::kCall;
      if (is_reference == references) {
        Match({.at = slot}, *part);
      }
    }
  }
}

void BodyPlanner::MatchShape(const Term& head, const std::string& shape, std::size_t* at,
                             Slot* argument) {
  const char kind = shape[(*at)++];
  if (kind == 'f') {
    return;
  }
  if (kind == 'b') {
    const Slot slot = (*argument)++;
    Match({.at = slot}, head);
    return;
  }
  // A composite. Where the head is one of the same form, its parts are matched; else the caller does it with the result.
  const bool is_object = kind == '{';
  const bool same = head.kind == (is_object ? TermKind::kObject : TermKind::kArray);
  std::size_t index = 0;
  while (shape[*at] != (is_object ? '}' : ']')) {
    const Term* part = nullptr;
    if (is_object) {
      // A key is text as ToString prints it and may hold any character, so it is found among the head's own keys.
      for (std::size_t i = 0; same && i < head.items.size(); i += 2) {
        const std::string key = ToString(*head.items[i]) + ":";
        if (shape.compare(*at, key.size(), key) == 0) {
          part = head.items[i + 1].get();
          *at += key.size();
          break;
        }
      }
      if (part == nullptr) {
        *at = std::string::npos;
        return;
      }
    } else {
      part = same && index < head.items.size() ? head.items[index].get() : nullptr;
      if (part == nullptr) {
        *at = std::string::npos;
        return;
      }
    }
    MatchShape(*part, shape, at, argument);
    if (*at == std::string::npos) {
      return;
    }
    ++*at;  // The comma.
    ++index;
  }
  ++*at;
}

Operand BodyPlanner::Eval(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
    case TermKind::kBoolean:
    case TermKind::kNumber:
    case TermKind::kString:
      return planner_.ConstantOf(term);
    case TermKind::kVar:
      if (const auto operand = OperandOf(term)) {
        return *operand;
      }
      if (term.text == "input" || term.text == "data") {
        return EvalReference(term, Need::kValue);
      }
      End();
      return planner_.Constant(document::Value::Null());
    case TermKind::kRef:
      return EvalReference(term, Need::kValue);
    case TermKind::kCall:
      return EvalCall(*term.items[0], std::span(term.items).subspan(1), nullptr, false,
                      term.location);
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
      return IsGround(term) ? planner_.ConstantOf(term) : EvalComposite(term);
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
      return EvalComprehension(term);
    case TermKind::kTemplateString:
    case TermKind::kTemplateExpression:
      break;
  }
  planner_.Fail("cannot evaluate " + ToString(term), term.location);
  return planner_.Constant(document::Value::Null());
}

Operand BodyPlanner::EvalComposite(const Term& term) {
  std::vector<Operand> operands;
  for (const TermPtr& item : term.items) {
    operands.push_back(Eval(*item));
  }
  const Slot slot = NewSlot();
  Step& step = Add(term.kind == TermKind::kArray    ? Op::kArray
                   : term.kind == TermKind::kObject ? Op::kObject
                                                    : Op::kSet,
                   &term.location);
  step.operands = planner_.Operands(operands);
  step.to = slot;
  return {.at = slot};
}

Operand BodyPlanner::EvalComprehension(const Term& term) {
  const Slot first_inner = next_slot_;
  const Block* block = SubBlock([&] {
    repeats_matter_ = term.kind == TermKind::kArrayComprehension;
    PlanBody(term.body);
    const Operand first = Eval(*term.items[0]);
    if (term.kind == TermKind::kObjectComprehension) {
      const Operand value = Eval(*term.items[1]);
      Step& step = Add(Op::kYieldMember, &term.items[0]->location);
      step.a = first;
      step.b = value;
    } else {
      Add(Op::kYieldItem, &term.location).a = first;
    }
  });
  const Slot slot = NewSlot();
  Step& step = Add(term.kind == TermKind::kArrayComprehension ? Op::kArrayOf
                   : term.kind == TermKind::kSetComprehension ? Op::kSetOf
                                                              : Op::kObjectOf,
                   &term.location);
  step.block = block;
  step.grouping = FindGrouping(planner_.program(), *block, first_inner);
  step.to = slot;
  return {.at = slot};
}

Operand BodyPlanner::EvalCall(const Term& op, std::span<const TermPtr> arguments,
                              const Term* output, bool statement, const Location& location) {
  std::vector<Operand> operands;
  const auto eval_arguments = [&](std::size_t arity) {
    if (statement && arguments.size() == arity + 1) {
      output = arguments.back().get();
      statement = false;
      arguments = arguments.first(arity);
    }
    for (const TermPtr& argument : arguments) {
      operands.push_back(Eval(*argument));
    }
  };
  const auto finish = [&](Slot slot) {
    if (output != nullptr) {
      Match({.at = slot}, *output);
    }
    return Operand{.at = slot};
  };

  if (IsDataReference(op)) {
    std::vector<std::string> path;
    const RuleTree* rules = RulesAt(planner_.policy().root, op, &path);
    if (rules == nullptr || rules->rules->kind != RuleKind::kFunction) {
      planner_.Fail("undefined function " + ToString(op), location);
      return planner_.Constant(document::Value::Null());
    }
    RuleGroup& group = planner_.GroupOf(*rules, path);
    eval_arguments(group.definitions.front().rule->arguments.size());
    const Procedure* procedure = planner_.Whole(group);
    const Slot slot = statement ? kNoSlot : NewSlot();
    Step& step = Add(Op::kCall, &location);
    step.procedure = procedure;
    step.operands = planner_.Operands(operands);
    step.to = slot;
    return slot == kNoSlot ? Operand{} : finish(slot);
  }

  const std::string name = NameOf(op);
  const Builtin* builtin = planner_.policy().catalog->Find(name);
  if (builtin == nullptr) {
    planner_.Fail("undefined function " + name, location);
    return planner_.Constant(document::Value::Null());
  }
  bool variadic = false;
  const std::size_t arity = ArityOf(builtin->type, &variadic);
  eval_arguments(variadic ? arguments.size() : arity);
  if (name == "print" || name == "internal.print") {
    Operand value;
    if (name == "print") {
      const Slot slot = NewSlot();
      Step& array = Add(Op::kArray, &location);
      array.operands = planner_.Operands(operands);
      array.to = slot;
      value = {.at = slot};
    } else {
      value = operands.at(0);
    }
    Add(Op::kPrint, &location).a = value;
    return planner_.Constant(document::Value::Boolean(true));
  }
  if (const auto folded = planner_.Fold(*builtin, operands)) {
    if (statement) {
      if (folded->is_constant() && planner_.ConstantAt(*folded).is_false()) {
        Add(Op::kFail, &location);
      }
    } else if (output != nullptr) {
      Match(*folded, *output);
    }
    return *folded;
  }
  const Slot slot = statement ? kNoSlot : NewSlot();
  const auto comparison = std::ranges::find(kComparisons, name, &ComparisonName::name);
  if (comparison != kComparisons.end()) {
    Step& step = Add(Op::kCompare, &location);
    step.comparison = comparison->comparison;
    step.builtin = builtin;
    step.a = operands.at(0);
    step.b = operands.at(1);
    step.to = slot;
  } else if (builtin->function == nullptr) {
    planner_.Fail("undefined function " + name, location);
  } else {
    Step& step = Add(builtin->relation ? Op::kRelation : Op::kBuiltin, &location);
    step.builtin = builtin;
    step.operands = planner_.Operands(operands);
    step.to = slot;
  }
  return slot == kNoSlot ? Operand{} : finish(slot);
}

}  // namespace portcullis::rego
