// One case of OPA's compliance suite: modules, documents, a query, and what must come of it (OPA's v1/test/cases/cases.go).

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/ast.h"

namespace portcullis::conformance {

struct RegoCase {
  std::string file;  // Below the folder that was named, e.g. "v0/every/test-every-1.yaml".
  std::string note;
  rego::Version version = rego::Version::kV0;  // Of the modules.
  document::Value body;                        // The whole case, as it stands in the file.
};

// The cases of one file. LIFETIME: their values live in `arena`.
[[nodiscard]] Result<std::vector<RegoCase>> ReadCases(const std::filesystem::path& path,
                                                      std::string name, document::Arena& arena);

// Empty: passed. Else what went wrong.
[[nodiscard]] std::string RunCase(const RegoCase& test, const builtins::Catalog& catalog);

}  // namespace portcullis::conformance
