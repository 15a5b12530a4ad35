// Why a rule may depend on another only if a variable has some value, for the text of recursion errors.

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "rules/rego/compilation.h"

namespace portcullis::rego {

// Where a variable of a reference gets its value.
struct VarOrigin {
  enum class Kind : std::uint8_t { kInput, kRule, kCollection, kBuiltin, kHeadKey, kHeadArgument };
  Kind kind = Kind::kInput;
  TermPtr term;         // Of kInput and kRule the reference, of kCollection its constant.
  std::string builtin;  // Its name.
};

// A reference whose variables choose the rule. The stages after the graph's rewrite the rules, so these are copies.
struct DynamicReference {
  TermPtr written;
  TermPtr selecting;  // With the values of variables that have one alone.
  VarSet bound;       // Variables that may have a value where it is evaluated.
  std::map<std::string, VarOrigin, std::less<>> origins;
};

// Of the variables in `reference`, which stands in the rule's body at `index`, or in its head where that is past the body.
[[nodiscard]] std::map<std::string, VarOrigin, std::less<>> OriginsOf(
    const Compilation& compilation, const Rule& rule, std::size_t index, const Term& reference);

// The positions at which `reference` must equal the rule's path to select it, where that hangs on a variable's value. A variable
// that is not bound and occurs once visits all. False: it cannot, for a constant differs.
[[nodiscard]] bool FindConditions(const Term& reference, const Rule& rule, const VarSet& bound,
                                  std::vector<std::size_t>& positions);

}  // namespace portcullis::rego
