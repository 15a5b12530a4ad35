// regex.globs_match: whether two simple patterns have a string in common.

#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// Patterns of runes, "." (any rune) and "[a-z]", each repeated by "*" or "+"; "\" escapes.
// COST: the product of the patterns' lengths. ERRORS: what is wrong with a pattern; empty where `context` halts.
[[nodiscard]] std::expected<bool, std::string> GlobsIntersect(CallContext& context,
                                                              std::string_view a,
                                                              std::string_view b);

}  // namespace portcullis::builtins
