// The objects that `gator test` and `gator expand` are given: files, folders, and what is piped in.

#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace portcullis::tools {

// In their order, read with NumberMode::kFloat64; of an object that comes twice a warning goes to standard error.
// ERRORS: with gator's text: a path that is not there, a file that is no YAML, nothing at all.
[[nodiscard]] Result<std::vector<document::Value>> ReadGatorInputs(
    const std::vector<std::string>& files, document::Arena& arena);

}  // namespace portcullis::tools
