// The objects that `gator test` and `gator expand` are given: files, folders, and what is piped in.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

struct GatorSources {
  std::vector<std::string> files;
  std::vector<std::string> images;
};

// Adds the options: the first under `flags`, for files and folders of `what`.
void AddGatorSources(CLI::App& command, const std::string& flags, const std::string& what,
                     GatorSources* sources);

// In their order, read with NumberMode::kFloat64; of an object that comes twice a warning goes to standard error.
// ERRORS: kInvalidArgument: an image is named. With gator's text: a path that is not there, a file that is no YAML, nothing
// at all.
[[nodiscard]] Result<std::vector<document::Value>> ReadGatorInputs(const GatorSources& sources,
                                                                   document::Arena& arena);

// Runs it as the command, with its exit code; an error is printed as gator prints it.
void SetGatorCallback(CLI::App& command, int* exit_code, std::function<Result<int>()> run);

}  // namespace portcullis::tools
