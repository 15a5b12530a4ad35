// The bodies of a function as they would stand in place of a call.

#pragma once

#include <cstdint>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/variables.h"

namespace portcullis::rego {

// The definitions of the function that an operator names; null: it names no function of the policy.
[[nodiscard]] const RuleSet* FunctionNamed(const CompiledPolicy& policy, const Term& op);

// For a call, without output, of a function whose definitions give nothing but `true`: one body a definition, of which one holds
// where the call holds, with the arguments in the place of the parameters and names of their own for all other variables.
// `next_name` numbers these. False: the call is no such call, or a parameter is a pattern.
bool InlineCall(const CompiledPolicy& policy, const Expr& call, std::uint32_t* next_name,
                std::vector<Body>* bodies);

// For a call of a function with one definition, whose body has one solution at most: what stands in the call's place, with the
// output made equal to the value. False: the call is no such call.
bool InlineValue(const CompiledPolicy& policy, const Expr& call, std::uint32_t* next_name,
                 Body* body);

// A copy in which all variables but `kept` have names of their own.
[[nodiscard]] TermPtr CopyRenamed(const Term& term, const VarSet& kept, std::uint32_t* next_name);

// `bodies` is not empty: true where one of them has a solution. It binds nothing.
[[nodiscard]] ExprPtr SomeHolds(std::vector<Body> bodies, const Location& location);

[[nodiscard]] ExprPtr MakeEquality(TermPtr left, TermPtr right, const Location& location);

}  // namespace portcullis::rego
