// Which definitions OPA's rule index leaves out (v1/ast/index.go). Only an error tells the difference: what is left out would
// have had no solution, but does not fail on the way there either. So this is asked when something has failed.

#pragma once

#include <span>

#include "document/value.h"
#include "rules/rego/plan.h"

namespace portcullis::rego {

// What a definition is tried with. `slots` holds a function's arguments.
struct RuleOutDocuments {
  document::Value input;
  document::Value data;
  std::span<const document::Value> constants;
  std::span<const document::Value> arguments;
};

// True if some part of the input, of the base documents or of the arguments that the body of the definition needs is not
// there, or is not what the body compares it with. COST: a look at each step of the body, without running it.
[[nodiscard]] bool IsRuledOut(const Block& block, const RuleOutDocuments& documents);

}  // namespace portcullis::rego
