// The bodies of a function as they would stand in place of a call.

#pragma once

#include <cstdint>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// The definitions of the function that an operator names; null: it names no function of the policy.
[[nodiscard]] const RuleSet* FunctionNamed(const CompiledPolicy& policy, const Term& op);

// For a call, without output, of a function whose definitions give nothing but `true`: one body a definition, of which one holds
// where the call holds, with the arguments in the place of the parameters and names of their own for all other variables.
// `next_name` numbers these. False: the call is no such call, or a parameter is a pattern.
bool InlineCall(const CompiledPolicy& policy, const Expr& call, std::uint32_t* next_name,
                std::vector<Body>* bodies);

}  // namespace portcullis::rego
