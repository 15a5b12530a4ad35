#include "rules/rego/variables.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// The walk that finds what a unification binds.
constexpr VarWalk kBound = {.skip_ref_head = true, .skip_object_keys = true, .skip_closures = true};
constexpr VarWalk kCallOutputs = {
    .skip_ref_head = true, .skip_object_keys = true, .skip_closures = true, .skip_sets = true};

bool IsSafeTerm(const Term& term, const VarSet& safe) {
  return IsSubset(VarsOf(term, VarWalk::Safety()), safe);
}

bool IsRefSafe(const Term& ref, const VarSet& safe) {
  const Term& head = *ref.items[0];
  return head.IsVar() ? safe.contains(head.text) : IsSafeTerm(head, safe);
}

bool IsReferenceOrCall(const Term& term) {
  return term.kind == TermKind::kRef || term.kind == TermKind::kCall;
}

bool IsSafeSource(const Term& term, const VarSet& safe) {
  return term.kind == TermKind::kRef ? IsRefSafe(term, safe) : IsSafeTerm(term, safe);
}

bool IsArrayOrObject(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kObject;
}

class Unifier {
 public:
  explicit Unifier(const VarSet& safe) : safe_(safe) {}

  void Unify(const Term& a, const Term& b) {
    if (a.IsVar()) {
      return UnifyVar(a, b);
    }
    if (IsReferenceOrCall(a)) {
      if (!IsSafeSource(a, safe_)) {
        return;
      }
      if (b.IsVar()) {
        return MarkSafe(b.text);
      }
      if (IsArrayOrObject(b)) {
        MarkAllSafe(b);
      }
      return;
    }
    if (IsComprehension(a)) {
      if (b.IsVar()) {
        return MarkSafe(b.text);
      }
      if (a.kind == TermKind::kArrayComprehension && b.kind == TermKind::kArray) {
        MarkAllSafe(b);
      }
      if (a.kind == TermKind::kObjectComprehension && b.kind == TermKind::kObject) {
        MarkAllSafe(b);
      }
      return;
    }
    if (IsArrayOrObject(a)) {
      return UnifyCollection(a, b);
    }
    if (b.IsVar()) {
      MarkSafe(b.text);
    }
  }

  VarSet unified;

 private:
  [[nodiscard]] bool IsSafe(const std::string& var) const {
    return safe_.contains(var) || unified.contains(var);
  }

  void UnifyVar(const Term& a, const Term& b) {
    if (b.IsVar()) {
      if (IsSafe(b.text)) {
        return MarkSafe(a.text);
      }
      if (IsSafe(a.text)) {
        return MarkSafe(b.text);
      }
      unknown_[a.text].insert(b.text);
      unknown_[b.text].insert(a.text);
    } else if (IsArrayOrObject(b)) {
      UnifyAll(a.text, b);
    } else if (!IsReferenceOrCall(b) || IsSafeSource(b, safe_)) {
      MarkSafe(a.text);
    }
  }

  void UnifyCollection(const Term& a, const Term& b) {
    if (b.IsVar()) {
      return UnifyAll(b.text, a);
    }
    if (IsReferenceOrCall(b)) {
      if (IsSafeSource(b, safe_)) {
        MarkAllSafe(a);
      }
    } else if (a.kind == TermKind::kArray && IsComprehension(b)) {
      MarkAllSafe(a);
    } else if (a.kind == b.kind && a.items.size() == b.items.size()) {
      if (a.kind == TermKind::kArray) {
        for (std::size_t i = 0; i < a.items.size(); ++i) {
          Unify(*a.items[i], *b.items[i]);
        }
        return;
      }
      for (std::size_t i = 0; i + 1 < a.items.size(); i += 2) {
        for (std::size_t j = 0; j + 1 < b.items.size(); j += 2) {
          if (Compare(*a.items[i], *b.items[j]) == 0) {
            Unify(*a.items[i + 1], *b.items[j + 1]);
          }
        }
      }
    }
  }

  void UnifyAll(const std::string& a, const Term& b) {
    if (IsSafe(a)) {
      return MarkAllSafe(b);
    }
    VarSet unsafe = Difference(Difference(VarsOf(b, kBound), safe_), unified);
    if (unsafe.empty()) {
      return MarkSafe(a);
    }
    Insert(unknown_[a], unsafe);
  }

  void MarkAllSafe(const Term& term) {
    for (const std::string& var : VarsOf(term, kBound)) {
      MarkSafe(var);
    }
  }

  void MarkSafe(const std::string& var) {
    std::vector<std::string> queue = {var};
    while (!queue.empty()) {
      std::string next = std::move(queue.back());
      queue.pop_back();
      unified.insert(next);
      if (auto found = unknown_.find(next); found != unknown_.end()) {
        queue.insert(queue.end(), found->second.begin(), found->second.end());
        unknown_.erase(found);
      }
      for (auto& [dependant, needed] : unknown_) {
        if (needed.erase(next) != 0 && needed.empty()) {
          queue.push_back(dependant);
        }
      }
    }
  }

  const VarSet& safe_;
  std::map<std::string, VarSet, std::less<>> unknown_;
};

// What the references in a node bind: their variables, where their heads are bound.
void AddRefOutputs(const Term& term, const VarSet& safe, VarSet& output) {
  if (IsComprehension(term) || term.kind == TermKind::kTemplateString) {
    return;
  }
  if (term.kind == TermKind::kRef) {
    if (!IsRefSafe(term, safe)) {
      return;
    }
    if (!IsGround(term)) {
      Insert(output, VarsOf(term, {.skip_ref_head = true}));
    }
  }
  for (const TermPtr& item : term.items) {
    AddRefOutputs(*item, safe, output);
  }
}

void AddRefOutputs(const Expr& expr, const VarSet& safe, VarSet& output) {
  for (const TermPtr& term : expr.terms) {
    if (term) {
      AddRefOutputs(*term, safe, output);
    }
  }
  for (const ExprPtr& inner : expr.body) {
    AddRefOutputs(*inner, safe, output);
  }
  for (const ExprPtr& inner : expr.right) {
    AddRefOutputs(*inner, safe, output);
  }
  for (const With& with : expr.with) {
    AddRefOutputs(*with.target, safe, output);
    AddRefOutputs(*with.value, safe, output);
  }
}

// `output` gets what the references bind, and where all that the call needs is bound its results too.
VarSet CallOutputVars(const Expr& expr, int arity, const VarSet& safe, VarSet& output) {
  output.clear();
  AddRefOutputs(expr, safe, output);
  std::size_t inputs = static_cast<std::size_t>(arity) + 1;
  if (inputs >= expr.terms.size()) {
    return output;
  }
  VarCollector needed(kCallOutputs);
  for (std::size_t i = 0; i < inputs; ++i) {
    needed.Add(*expr.terms[i]);
  }
  VarSet bound = output;
  Insert(bound, safe);
  if (!IsSubset(needed.vars, bound)) {
    return {};
  }
  VarCollector outputs(kCallOutputs);
  for (std::size_t i = inputs; i < expr.terms.size(); ++i) {
    outputs.Add(*expr.terms[i]);
  }
  Insert(output, outputs.vars);
  return output;
}

// The bindings that a body of several expressions makes for itself: by equalities, and by results of calls.
VarSet InnerBindings(const Body& body, const Arity& arity, VarSet safe) {
  for (const ExprPtr& expr : body) {
    if (!IsEquality(*expr) || expr->terms.size() < 3) {
      continue;
    }
    for (int side : {1, 2}) {
      const Term& term = *expr->terms[static_cast<std::size_t>(side)];
      if (term.IsVar()) {
        safe.erase(term.text);
      }
    }
  }
  VarSet bindings;
  for (bool changed = true; changed;) {
    changed = false;
    for (const ExprPtr& expr : body) {
      if (!IsEquality(*expr)) {
        continue;
      }
      for (const std::string& var : EqualityOutputVars(*expr, safe)) {
        if (!bindings.insert(var).second) {
          continue;
        }
        safe.insert(var);
        changed = true;
      }
    }
  }
  for (const ExprPtr& expr : body) {
    if (expr->kind != ExprKind::kCall || IsEquality(*expr) ||
        expr->terms[0]->kind != TermKind::kRef) {
      continue;
    }
    int arguments = arity(*expr->terms[0]);
    if (arguments < 0) {
      continue;
    }
    VarCollector results(kCallOutputs);
    for (std::size_t i = static_cast<std::size_t>(arguments) + 1; i < expr->terms.size(); ++i) {
      results.Add(*expr->terms[i]);
    }
    Insert(bindings, results.vars);
  }
  return bindings;
}

// The variables of a body without braces that must be bound outside it.
VarSet OuterVars(const Body& body, const Arity& arity) {
  std::map<std::string, int, std::less<>> occurrences;
  for (const ExprPtr& expr : body) {
    for (const std::string& var : VarsOf(*expr, VarWalk::Safety())) {
      ++occurrences[var];
    }
  }
  VarSet all;
  for (const auto& [var, count] : occurrences) {
    all.insert(var);
  }
  if (body.size() <= 1) {
    return all;
  }
  VarSet safe = all;
  Insert(safe, RootVars());
  VarSet bindings = InnerBindings(body, arity, std::move(safe));
  VarSet outer;
  for (const auto& [var, count] : occurrences) {
    if (count == 1 || !bindings.contains(var)) {
      outer.insert(var);
    }
  }
  return outer;
}

}  // namespace

const VarSet& RootVars() {
  static const VarSet kRoots = {"data", "input"};
  return kRoots;
}

VarSet Difference(const VarSet& a, const VarSet& b) {
  VarSet result;
  std::ranges::set_difference(a, b, std::inserter(result, result.end()));
  return result;
}

VarSet Intersection(const VarSet& a, const VarSet& b) {
  VarSet result;
  std::ranges::set_intersection(a, b, std::inserter(result, result.end()));
  return result;
}

void Insert(VarSet& to, const VarSet& from) {
  to.insert(from.begin(), from.end());
}

bool IsSubset(const VarSet& a, const VarSet& of) {
  return std::ranges::includes(of, a);
}

bool Calls(const Expr& expr, std::string_view name) {
  if (expr.kind != ExprKind::kCall) {
    return false;
  }
  const Term& op = *expr.terms[0];
  return op.kind == TermKind::kRef && op.items.size() == 1 && op.items[0]->IsVar() &&
         op.items[0]->text == name;
}

void VarCollector::AddVar(const Term& term) {
  vars.insert(term.text);
  locations[term.text] = term.location;
}

void VarCollector::Add(const Term& term) {
  switch (term.kind) {
    case TermKind::kVar:
      return AddVar(term);
    case TermKind::kObject:
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        if (!walk_.skip_object_keys) {
          Add(*term.items[i]);
        }
        Add(*term.items[i + 1]);
      }
      return;
    case TermKind::kRef:
      for (std::size_t i = walk_.skip_ref_head ? 1 : 0; i < term.items.size(); ++i) {
        Add(*term.items[i]);
      }
      return;
    case TermKind::kCall: {
      const Term& op = *term.items[0];
      if (walk_.skip_call_operator && op.kind == TermKind::kRef) {
        for (std::size_t i = 1; i < op.items.size(); ++i) {
          Add(*op.items[i]);
        }
      } else {
        Add(op);
      }
      for (std::size_t i = 1; i < term.items.size(); ++i) {
        Add(*term.items[i]);
      }
      return;
    }
    case TermKind::kSet:
      if (walk_.skip_sets) {
        return;
      }
      break;
    case TermKind::kTemplateString:
      if (walk_.skip_closures || walk_.skip_templates) {
        return;
      }
      break;
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
      if (walk_.skip_closures) {
        return;
      }
      break;
    default:
      break;
  }
  for (const TermPtr& item : term.items) {
    Add(*item);
  }
  Add(term.body);
}

void VarCollector::Promote(const Body& body, bool explicit_body) {
  if (!explicit_body) {
    Insert(vars, OuterVars(body, *walk_.arity));
  }
}

void VarCollector::AddExprTerms(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNot:
    case ExprKind::kAnd:
    case ExprKind::kOr:
      if (walk_.arity != nullptr) {
        Promote(expr.body, expr.explicit_body);
        if (expr.kind != ExprKind::kNot) {
          Promote(expr.right, expr.explicit_right);
        }
        return;
      }
      if (walk_.skip_closures) {
        return;
      }
      Add(expr.body);
      Add(expr.right);
      return;
    case ExprKind::kCall: {
      const Term& op = *expr.terms[0];
      bool skip = walk_.skip_call_operator && op.kind == TermKind::kRef;
      for (std::size_t i = skip ? 1 : 0; skip && i < op.items.size(); ++i) {
        Add(*op.items[i]);
      }
      for (std::size_t i = skip ? 1 : 0; i < expr.terms.size(); ++i) {
        Add(*expr.terms[i]);
      }
      return;
    }
    default:
      for (const TermPtr& term : expr.terms) {
        if (term) {
          Add(*term);
        }
      }
      Add(expr.body);
  }
}

void VarCollector::Add(const Expr& expr) {
  if (walk_.skip_closures && expr.kind == ExprKind::kEvery) {
    return Add(*expr.terms[2]);
  }
  AddExprTerms(expr);
  for (const With& with : expr.with) {
    Add(with);
  }
}

void VarCollector::Add(const Body& body) {
  for (const ExprPtr& expr : body) {
    Add(*expr);
  }
}

void VarCollector::Add(const With& with) {
  if (!walk_.skip_call_operator) {
    Add(*with.target);
    Add(*with.value);
    return;
  }
  auto operands = [&](const Term& ref) {
    for (std::size_t i = 1; i < ref.items.size(); ++i) {
      Add(*ref.items[i]);
    }
  };
  if (with.target->kind == TermKind::kRef) {
    operands(*with.target);
  }
  if (with.value->kind == TermKind::kRef) {
    operands(*with.value);
  } else {
    Add(*with.value);
  }
}

VarSet EveryVars(const Expr& every) {
  VarCollector collector;
  if (every.terms[0]) {
    collector.Add(*every.terms[0]);
  }
  collector.Add(*every.terms[1]);
  return std::move(collector.vars);
}

VarSet Unify(const VarSet& safe, const Term& a, const Term& b) {
  Unifier unifier(safe);
  unifier.Unify(a, b);
  return std::move(unifier.unified);
}

VarSet EqualityOutputVars(const Expr& expr, const VarSet& safe) {
  if (expr.terms.size() != 3) {
    return safe;
  }
  VarSet bound;
  AddRefOutputs(expr, safe, bound);
  Insert(bound, safe);
  if (expr.from_assignment) {
    // What := binds is an output alone: its right side is not bound through it.
    for (const std::string& var : VarsOf(*expr.terms[1])) {
      bound.erase(var);
    }
  }
  Insert(bound, Unify(bound, *expr.terms[1], *expr.terms[2]));
  return Difference(bound, safe);
}

VarSet OutputVars(const Expr& expr, const Arity& arity, const VarSet& safe, VarSet& left_over) {
  if (IsNegated(expr)) {
    return {};
  }
  for (const With& with : expr.with) {
    if (!IsSubset(VarsOf(with, VarWalk::Safety()), safe)) {
      return {};
    }
  }
  switch (expr.kind) {
    case ExprKind::kTerm: {
      VarSet output;
      AddRefOutputs(expr, safe, output);
      return output;
    }
    case ExprKind::kEvery:
      AddRefOutputs(*expr.terms[2], safe, left_over);
      return left_over;
    case ExprKind::kCall:
      break;
    default:
      return {};
  }
  if (IsEquality(expr)) {
    if (expr.terms.size() == 3) {
      left_over.clear();
    }
    return EqualityOutputVars(expr, safe);
  }
  if (expr.terms[0]->kind != TermKind::kRef) {
    return {};
  }
  int arguments = arity(*expr.terms[0]);
  return arguments < 0 ? VarSet() : CallOutputVars(expr, arguments, safe, left_over);
}

VarSet OutputVars(const Expr& expr, const Arity& arity, const VarSet& safe) {
  VarSet left_over;
  return OutputVars(expr, arity, safe, left_over);
}

VarSet OutputVars(const Body& body, const Arity& arity, const VarSet& safe) {
  VarSet bound = safe;
  VarSet left_over;
  for (const ExprPtr& expr : body) {
    Insert(bound, OutputVars(*expr, arity, bound, left_over));
  }
  return Difference(bound, safe);
}

}  // namespace portcullis::rego
