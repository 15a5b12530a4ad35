// Numbers that JSON cannot spell: to_number keeps "+1", "01", ".5" and "5.".

#pragma once

#include <optional>
#include <string>

#include "document/value.h"

namespace portcullis::builtins {

// What Go says of the first such number in the value; nothing: there is none.
[[nodiscard]] std::optional<std::string> NumberFault(const document::Value& value);

}  // namespace portcullis::builtins
