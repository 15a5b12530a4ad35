// Policies and data from files and folders, as OPA's loader reads them.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "rules/rego/compile.h"
#include "tools/rego_report.h"
#include "tools/timers.h"

namespace portcullis::tools {

struct RegoFiles {
  std::vector<std::unique_ptr<rego::Module>> modules;
  document::Value data;  // Base documents; an object.
};

enum class RegoFileKinds : std::uint8_t { kAll, kPoliciesOnly };

// Every *.rego, *.json, *.yaml and *.yml below `paths`; the names of folders below a path are where their documents hang, and
// so is PREFIX of "PREFIX:PATH" (a.b). A file that is named itself may have any ending, unless only policies are wanted. Documents must not overlap.
// ERRORS: all there are. LIFETIME: the data live in `arena`. `timers`: is told how long parsing took; may be null.
[[nodiscard]] Reported<RegoFiles> LoadRegoFiles(const std::vector<std::string>& paths,
                                                RegoFileKinds kinds, rego::Version version,
                                                document::Arena& arena, Timers* timers = nullptr);

// JSON or YAML. ERRORS: kInvalidArgument.
[[nodiscard]] Result<document::Value> ParseRegoDocument(const std::string& text,
                                                        document::Arena& arena);

}  // namespace portcullis::tools
