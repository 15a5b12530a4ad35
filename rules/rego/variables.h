// Sets of variables: which ones a node mentions, which ones an expression binds. What the compiler's notion of safety rests on.

#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "rules/rego/ast.h"

namespace portcullis::rego {

using VarSet = std::set<std::string, std::less<>>;

// The number of arguments of a function, by the reference that names it; negative: there is no such function.
using Arity = std::function<int(const Term& reference)>;

// The variables `data` and `input`.
[[nodiscard]] const VarSet& RootVars();

[[nodiscard]] VarSet Difference(const VarSet& a, const VarSet& b);
[[nodiscard]] VarSet Intersection(const VarSet& a, const VarSet& b);
void Insert(VarSet& to, const VarSet& from);
[[nodiscard]] bool IsSubset(const VarSet& a, const VarSet& of);

// What to leave out of a walk.
struct VarWalk {
  bool skip_ref_head = false;
  bool skip_call_operator = false;  // The variables that name functions, and with targets.
  bool skip_object_keys = false;
  bool skip_closures = false;  // Comprehensions, template strings, bodies of every, not, and, or.
  bool skip_sets = false;
  bool skip_templates = false;
  // Where set, of the bodies of not, and, or that have no braces the variables count that come from outside them.
  const Arity* arity = nullptr;

  // What an expression needs to be bound before it.
  static VarWalk Safety() { return {.skip_call_operator = true, .skip_closures = true}; }
};

// The variables of a node, as OPA's VarVisitor collects them.
class VarCollector {
 public:
  explicit VarCollector(VarWalk walk = {}) : walk_(walk) {}
  void Add(const Term& term);
  void Add(const Expr& expr);
  void Add(const Body& body);
  void Add(const With& with);
  // Where each variable was seen last.
  std::map<std::string, Location, std::less<>> locations;
  VarSet vars;

 private:
  void AddVar(const Term& term);
  void AddExprTerms(const Expr& expr);
  void Promote(const Body& body, bool explicit_body);
  VarWalk walk_;
};

template <class Node>
[[nodiscard]] VarSet VarsOf(const Node& node, VarWalk walk = {}) {
  VarCollector collector(walk);
  collector.Add(node);
  return std::move(collector.vars);
}

// The variables of `every`'s key and value.
[[nodiscard]] VarSet EveryVars(const Expr& every);

// The variables that are bound once `a = b` holds, given those that are bound before.
[[nodiscard]] VarSet Unify(const VarSet& safe, const Term& a, const Term& b);

// The variables that evaluating the expression binds, given those that are bound before.
[[nodiscard]] VarSet OutputVars(const Expr& expr, const Arity& arity, const VarSet& safe);
// One of several expressions that are looked at in a row: of `every` OPA takes for bound what it found of the call before it,
// too. `left_over` carries that on.
[[nodiscard]] VarSet OutputVars(const Expr& expr, const Arity& arity, const VarSet& safe,
                                VarSet& left_over);
[[nodiscard]] VarSet OutputVars(const Body& body, const Arity& arity, const VarSet& safe);
// Of `a = b` alone.
[[nodiscard]] VarSet EqualityOutputVars(const Expr& expr, const VarSet& safe);

// Whether the expression calls the builtin of that one-word name.
[[nodiscard]] bool Calls(const Expr& expr, std::string_view name);
[[nodiscard]] inline bool IsEquality(const Expr& expr) {
  return Calls(expr, "eq");
}
[[nodiscard]] inline bool IsAssignment(const Expr& expr) {
  return Calls(expr, "assign");
}
[[nodiscard]] inline bool IsNegated(const Expr& expr) {
  return expr.negated || expr.kind == ExprKind::kNot;
}

[[nodiscard]] inline bool IsComprehension(const Term& term) {
  return term.kind >= TermKind::kArrayComprehension && term.kind <= TermKind::kObjectComprehension;
}

}  // namespace portcullis::rego
