// Intersection, union and difference of sets, by merging: both are sorted.

#pragma once

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// REQUIRES: sets. Where both have a member it comes from the smaller set, of equal sizes from `a`.
[[nodiscard]] Value Intersection(CallContext& context, const Value& a, const Value& b);
// The same, but then it comes from `a`.
[[nodiscard]] Value Union(CallContext& context, const Value& a, const Value& b);
[[nodiscard]] Value Difference(CallContext& context, const Value& a, const Value& b);

}  // namespace portcullis::builtins
