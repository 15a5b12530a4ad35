// Definitions of one function or rule that can never both hold, so that they cannot conflict: `kind.group == ""` in one and
// `kind.group != ""` in the other.

#pragma once

#include "rules/rego/ast.h"

namespace portcullis::rego {

// True if it is seen that for no arguments and no input both bodies have a solution. Neither's `else` is looked at.
[[nodiscard]] bool AreExclusive(const Rule& a, const Rule& b);

}  // namespace portcullis::rego
