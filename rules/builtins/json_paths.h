// The paths that json.filter, json.remove and json.patch take: "a/b~1c" or an array of steps.

#pragma once

#include <optional>
#include <vector>

#include "rules/builtins/operands.h"

namespace portcullis::builtins {

using Path = std::vector<Value>;

// Says what is wrong through `context` where it gives nothing. The steps' strings live in the arena.
[[nodiscard]] std::optional<Path> ParsePath(CallContext& context, const Value& path);

}  // namespace portcullis::builtins
