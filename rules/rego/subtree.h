// Parts of the inventory above the objects that have a name or are a function's argument:
//
//   services := data.inventory.namespace[ns].v1.Service
//   services[name].spec.type == type
//
// Where such a part is only walked further, each walk becomes a reference from the root, which can be planned; functions that get one are
// written out where they are called.

#pragma once

#include <cstdint>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/error_analysis.h"

namespace portcullis::rego {

// True if the rule's body, or one inside it, has changed. `next_name` numbers new variables of the rule.
bool WalkFromTheRoot(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors,
                     std::uint32_t* next_name);

}  // namespace portcullis::rego
