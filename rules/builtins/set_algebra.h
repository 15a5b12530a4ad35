// Intersection, union and difference of sets, by merging: both are sorted.

#pragma once

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// REQUIRES: sets. Members come from `a` where both have them.
[[nodiscard]] Value Intersection(CallContext& context, const Value& a, const Value& b);
[[nodiscard]] Value Union(CallContext& context, const Value& a, const Value& b);
[[nodiscard]] Value Difference(CallContext& context, const Value& a, const Value& b);

}  // namespace portcullis::builtins
