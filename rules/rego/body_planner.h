// Lowers one body to steps. It knows which variables have a value at each point, so that `=` becomes a comparison, a binding or
// a taking apart, and a reference's operand a key or a loop.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/rego/access_path.h"
#include "rules/rego/ast.h"
#include "rules/rego/plan.h"
#include "rules/rego/planner.h"

namespace portcullis::rego {

class BodyPlanner {
 public:
  // Writes to `block`; slots from `first_slot` on are free.
  BodyPlanner(Planner& planner, Block* block, Slot first_slot, RuleExplanation* explanation);

  void PlanBody(const Body& body);
  // The same for the body of a rule.
  void PlanRuleBody(const Rule& rule);
  // The value of a term: a constant, or a slot that steps added here fill. References may add loops.
  Operand Eval(const Term& term);
  // Takes `value` apart as `pattern` says: binds its free variables, compares the rest.
  void Match(Operand value, const Term& pattern);
  // Where `head` is a key of a partial rule and `pattern` what it is asked for: binds variables of the head to the
  // arguments (slots from `argument` on) that stand for the bound leaves of the pattern.
  void MatchShape(const Term& head, const std::string& shape, std::size_t* at, Slot* argument);
  Step& Add(Op op, const Location* location = nullptr);
  [[nodiscard]] bool IsBound(const std::string& name) const { return bound_.contains(name); }
  void Bind(const std::string& name, Operand operand);
  // The author's variables that have a value, in order of their names.
  [[nodiscard]] std::vector<std::string> BoundVariables() const;
  [[nodiscard]] Slot slots() const { return next_slot_; }
  [[nodiscard]] Slot NewSlot() { return next_slot_++; }
  // True if nothing in the term but operands of references needs a value.
  [[nodiscard]] bool CanEval(const Term& term) const;

 private:
  enum class Need : std::uint8_t { kValue, kExistence };

  // body_planner.cc: expressions.
  // There is no solution, and nothing after this is reached.
  void End();
  void PlanExpr(const Expr& expr);
  void PlanPlain(const Expr& expr);
  void PlanStatement(const Term& term);
  void PlanCallStatement(const Expr& expr);
  void PlanEvery(const Expr& expr);
  void PlanWith(const Expr& expr);
  void PlanMock(const With& with, std::optional<WithTargets::Mock> mock, WithTargets* targets);
  // A block of its own over the same slots; what it binds is forgotten after it.
  const Block* SubBlock(const std::function<void()>& plan);
  const Block* ExistsBlock(const Body& body);
  void Unify(const Term& a, const Term& b);
  bool TryUnify(const Term& a, const Term& b,
                std::vector<std::pair<const Term*, const Term*>>* later);
  Operand EvalCall(const Term& op, std::span<const TermPtr> arguments, const Term* output,
                   bool statement, const Location& location);
  Operand EvalComprehension(const Term& term);
  Operand EvalComposite(const Term& term);

  // reference_planner.cc
  Operand EvalReference(const Term& reference, Need need);
  Operand EvalData(const Term& reference, Need need);
  Operand CallBelow(RuleGroup& group, const Term& reference, std::size_t next);
  Operand EvalGroup(RuleGroup& group, const Term& reference, std::size_t next);
  Operand EvalByShape(RuleGroup& group, const Term& pattern, const Location& location, Slot* value);
  Operand EvalInventory(const Term& reference, Need need);
  void PlanProbes(const AccessPath& path, InventoryAccess* access, PlanStep* explained);
  const Block* PlanKeys(const Probe& probe);
  // Walks on from `base` through reference.items[next…].
  Operand Walk(Op op, Operand base, const Term& reference, std::size_t next);
  Operand EvalDocument(const DocumentNode* node, std::span<const std::string> path,
                       const Term& reference, std::size_t next);
  Operand CallWhole(const Procedure* procedure, const Location* location);
  std::string DescribeKeys(const Term& reference, std::size_t object_end) const;
  [[nodiscard]] std::string AssignedVariable() const;

  // Explanation.
  [[nodiscard]] std::string Describe(const Location& location,
                                     const std::function<std::string()>& otherwise) const;
  [[nodiscard]] std::string DescribeTerm(const Term& term) const;
  void Explain(std::string text);
  void ExplainAccess(PlanStep step);

  [[nodiscard]] std::optional<Operand> OperandOf(const Term& variable) const;
  void MoveTo(Operand from, Slot to);

  Planner& planner_;
  Block* block_;
  Slot next_slot_;
  RuleExplanation* explanation_;
  std::uint32_t depth_ = 0;
  bool repeats_matter_ = true;  // It shows how often a solution comes.
  bool dead_ = false;           // End() was called in this block or around it.
  std::map<std::string, Operand, std::less<>> bound_;
  std::vector<std::string> trail_;  // Names in bound_, in the order in which they came.
  const Rule* rule_ = nullptr;      // Whose body is planned; null for queries.
  const Body* body_ = nullptr;      // Under way, and where in it.
  std::size_t expression_ = 0;
  std::set<const Expr*> hoisted_;  // Became conditions of a scan.
};

}  // namespace portcullis::rego
