// What the tests of the Rego front end share.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rules/builtins/builtin.h"
#include "rules/rego/compile.h"

namespace portcullis::rego::testing {

// The folder of shared conformance data; empty where it is not there.
std::filesystem::path SharedFolder();

// "ok", or the text of the errors.
std::string ParseText(const std::string& text, Version version = Version::kV1);

struct CompileRequest {
  std::vector<std::string> modules;
  Version version = Version::kV1;
  bool strict = false;
  bool keep_prints = false;
};
// The compiled rules, one a line, or the text of the errors. Modules are called test-0.rego, test-1.rego, …
std::string CompileText(const CompileRequest& request);

}  // namespace portcullis::rego::testing
