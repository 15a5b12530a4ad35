// Which definitions OPA's rule index leaves out (rule_needs.h). Only an error tells the difference: what is left out would
// have had no solution, but does not fail on the way there either. So this is asked when something has failed.

#pragma once

#include <span>

#include "document/value.h"
#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// What a definition is tried with. `arguments`: a function's.
struct RuleOutDocuments {
  document::Value input;
  document::Value data;
  bool has_inventory = false;  // `data` is without data.inventory, of which nothing is told.
  std::span<const document::Value> arguments;
};

// True if some part of the input, of the base documents or of the arguments that the body of the definition needs is not
// there, or is not what the body compares it with. `decided`: all definitions of the rule give the same constant, so that OPA
// does not look into collections for one. COST: a look at each expression of the body, without evaluating it.
[[nodiscard]] bool IsRuledOut(const Rule& rule, const RuleTree& rules, bool decided,
                              const RuleOutDocuments& documents);

}  // namespace portcullis::rego
