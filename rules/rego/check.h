// Types of rules and expressions, and the errors that they show before anything runs.

#pragma once

#include "rules/rego/compilation.h"

namespace portcullis::rego {

// The number of arguments that a builtin takes.
[[nodiscard]] int ArityOf(const builtins::Builtin& builtin);

// The call has `given` arguments where `wanted` belong.
[[nodiscard]] Diagnostic ArityError(const Compilation& compilation, const Expr& call, int wanted,
                                    int given);

}  // namespace portcullis::rego
