// Rules and names that stand for what is collected from the inventory, and are then gone through or asked for a member:
//
//   services[s] { s := data.inventory.namespace[_][_].Service[_] }
//   violation[n] { s := services[_]; s.spec.type == input.type; n := s.metadata.name }
//
// Where the conditions that follow make the scan a look-up, what is collected takes the place of the loop over it.

#pragma once

#include <cstdint>
#include <deque>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/error_analysis.h"

namespace portcullis::rego {

// True if the rule's body has changed. `next_name` numbers new variables of the rule.
bool MergeViews(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors,
                std::uint32_t* next_name);

// The same rule with what rules collect given to names of its own, once for each use: what AskInsteadOfCollecting
// (rules/rego/semi_join.h) then finds. Null: there is none.
[[nodiscard]] std::unique_ptr<Rule> UnfoldViews(const Rule& rule, const CompiledPolicy& policy,
                                                ErrorAnalysis& errors, std::uint32_t* next_name);

// The names that UnfoldViews made and that are still there.
[[nodiscard]] bool HasUnfolded(const Body& body);

}  // namespace portcullis::rego
