// Gatekeeper's flags of the audit (gatekeeper.md 8.1), for `portcullis serve`.

#pragma once

#include <cstddef>

#include "audit/auditor.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

struct AuditFlags {
  audit::AuditOptions audit;
  std::size_t chunk_size = 500;
};

// Adds the flags; `flags` is filled when the command line is parsed. LIFETIME: `flags` outlives `command`.
void AddAuditFlags(CLI::App& command, AuditFlags* flags);

}  // namespace portcullis::tools
