// Objects from YAML files.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::policy {

// ERRORS: kNotFound, kUnavailable: "open <path>: no such file or directory".
[[nodiscard]] Result<std::string> ReadTextFile(const std::filesystem::path& path);

// The objects of a file in its order. Each has a kind.
// ERRORS: as ReadTextFile's; kInvalidArgument with gator's text: no YAML, an object without kind, no object at all.
[[nodiscard]] Result<std::vector<document::Value>> ReadObjects(const std::filesystem::path& path,
                                                               document::Arena& arena,
                                                               document::NumberMode numbers);

}  // namespace portcullis::policy
