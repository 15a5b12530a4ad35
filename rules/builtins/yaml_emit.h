// A value as yaml.marshal writes it: block style, two spaces a level, keys in natural order, quotes only where they are needed.

#pragma once

#include <string>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// Nothing is written further once `context` halts. ERRORS: `error` is set where a text has what YAML cannot show.
[[nodiscard]] std::string EmitYaml(CallContext& context, const Value& value, std::string* error);

}  // namespace portcullis::builtins
