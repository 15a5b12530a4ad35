// One case of OPA's suites: modules, documents, a query and what must come of it (v1/test/cases/cases.go), or modules and the
// errors of their compilation (v1/test/compilecases).

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/ast.h"

namespace portcullis::conformance {

struct RegoCase {
  std::string file;  // Below the folder that was named, e.g. "v0/every/test-every-1.yaml".
  std::string path;  // The whole of it.
  std::string note;
  // Of the modules: what the case says, else v0 in files below a folder `v0` or `…-v0`.
  rego::Version version = rego::Version::kV1;
  document::Value body;  // The whole case, as it stands in the file.
};

// The functions that the suites take from their runner: test.sleep and the custom ones of the WebAssembly cases.
[[nodiscard]] std::span<const builtins::Builtin> SuiteBuiltins();

// The cases of one file. LIFETIME: their values live in `arena`.
[[nodiscard]] Result<std::vector<RegoCase>> ReadCases(const std::filesystem::path& path,
                                                      std::string name, document::Arena& arena);

// Empty: passed. Else what went wrong.
[[nodiscard]] std::string RunCase(const RegoCase& test, const builtins::Catalog& catalog);

}  // namespace portcullis::conformance
