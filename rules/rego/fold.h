// Calls whose operands are constants, worked out when the plan is made.

#pragma once

#include <optional>
#include <span>

#include "document/arena.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"

namespace portcullis::rego {

// The call's result; nothing: the call may cost much or hang on the run, or has no result or an error, which is the
// evaluation's to tell. LIFETIME: the result lives in `arena`.
[[nodiscard]] std::optional<document::Value> Fold(const builtins::Builtin& builtin,
                                                  std::span<const document::Value> operands,
                                                  document::Arena& arena);

}  // namespace portcullis::rego
