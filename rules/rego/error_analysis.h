// Which parts of a policy could end the evaluation in an error (a conflict), or be observed (print): what the planner must not
// skip or reorder. Builtin errors do not count: they make an expression undefined.

#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// THREADS: one at a time. LIFETIME: the policy outlives it.
class ErrorAnalysis {
 public:
  explicit ErrorAnalysis(const CompiledPolicy& policy) : policy_(policy) {}

  [[nodiscard]] bool MayFail(const Expr& expr);
  [[nodiscard]] bool MayFail(const Term& term);
  [[nodiscard]] bool MayFail(const Body& body);

 private:
  bool RulesMayFail(const RuleTree& node);
  bool TreeMayFail(const RuleTree& node);
  // Of references into `data`; the operator of calls too.
  bool ReferenceMayFail(const Term& reference);

  const CompiledPolicy& policy_;
  std::map<const RuleTree*, bool> known_;
  std::uint32_t depth_ = 0;  // Rules within rules, under way.
};

// True if every definition gives the same constant, so that they cannot conflict and one solution is enough.
[[nodiscard]] bool GivesOneConstant(const RuleSet& rules);

}  // namespace portcullis::rego
