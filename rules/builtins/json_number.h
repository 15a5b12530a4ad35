// Numbers that JSON cannot spell: to_number keeps "+1", "01", ".5" and "5.".

#pragma once

#include <optional>
#include <string>

#include "document/value.h"
#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// What Go says of the first such number in the value; nothing: there is none, or the call must halt.
[[nodiscard]] std::optional<std::string> NumberFault(CallContext& context,
                                                     const document::Value& value);

}  // namespace portcullis::builtins
