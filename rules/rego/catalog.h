// The builtins of this program: those of rules/builtins and those that need the language itself.

#pragma once

#include <memory>
#include <span>
#include <string>

#include "rules/builtins/builtin.h"

namespace portcullis::rego {

// All but those named in `disabled` (Gatekeeper's --disable-opa-builtin), with `more` besides.
// LIFETIME: `more` outlives it.
[[nodiscard]] std::unique_ptr<const builtins::Catalog> CreateCatalog(
    std::span<const std::string> disabled = {}, std::span<const builtins::Builtin> more = {});

}  // namespace portcullis::rego
