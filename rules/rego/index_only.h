// When the entries of an index say all that a rule wants of the objects under them, so that the objects are not read.

#pragma once

#include <string>
#include <vector>

#include "index/definition.h"
#include "rules/rego/ast.h"

namespace portcullis::rego {

// True if the rule takes nothing from the object that `variable` holds but what its entry in the index tells: that `path` reaches
// the key, in the one equality at the top of the body which the look-up serves, and its name and namespace, which are in
// its key. The number of ways in which the path reaches the key is not seen: of a rule, equal solutions are one.
[[nodiscard]] bool WantsOnlyTheEntry(const Rule& rule, const std::string& variable,
                                     const std::vector<index::PathStep>& path);

}  // namespace portcullis::rego
