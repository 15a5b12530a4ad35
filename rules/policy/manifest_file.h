// Objects from YAML files, read as gator reads them.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::policy {

// How gator names a file in its texts: the whole path, without the slash that it begins with.
[[nodiscard]] std::string ShownPath(const std::filesystem::path& path);

// ERRORS: kNotFound, kUnavailable: "open <path>: no such file or directory".
[[nodiscard]] Result<std::string> ReadTextFile(const std::filesystem::path& path);

// The text of an error of ParseYaml in the dialect kVersion3: gator's where it has one, else with the place.
[[nodiscard]] std::string YamlProblem(const Error& error);

// ERRORS: kInvalidArgument with gator's text: a document that begins at `line` is no mapping.
[[nodiscard]] Result<void> CheckMapping(const document::Value& value, std::uint32_t line);

// The first document of a text. It has a kind. ERRORS: kInvalidArgument with gator's text: no YAML, no object, no kind.
[[nodiscard]] Result<document::Value> ParseObject(const std::string& text, document::Arena& arena,
                                                  document::NumberMode numbers);

// The objects of a file in its order.
// ERRORS: as ReadTextFile's; kInvalidArgument with gator's text: as ParseObject's, or no object at all.
[[nodiscard]] Result<std::vector<document::Value>> ReadObjects(const std::filesystem::path& path,
                                                               document::Arena& arena,
                                                               document::NumberMode numbers);

}  // namespace portcullis::policy
