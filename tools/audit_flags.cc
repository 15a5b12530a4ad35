#include "tools/audit_flags.h"

#include <chrono>
#include <cstdint>

#include <CLI/CLI.hpp>

namespace portcullis::tools {

void AddAuditFlags(CLI::App& command, AuditFlags* flags) {
  constexpr const char* kGroup = "Audit";
  audit::AuditOptions& audit = flags->audit;
  command
      .add_option_function<std::int64_t>(
          "--audit-interval",
          [&audit](std::int64_t seconds) { audit.interval = std::chrono::seconds(seconds); },
          "Seconds from one audit to the next; 0: no verdicts are kept, nothing is audited")
      ->check(CLI::Range(0, 1000000000))
      ->default_str("60")
      ->group(kGroup);
  command
      .add_option("--constraint-violations-limit", audit.violations_limit,
                  "Violations in the status of a constraint; 0: none")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--audit-chunk-size", flags->chunk_size,
                  "Objects that the audit asks of the API server at once; 0: a whole kind")
      ->capture_default_str()
      ->group(kGroup);
  command.add_flag("--audit-from-cache", audit.from_cache, "Audit only what is replicated")
      ->group(kGroup);
  command
      .add_flag("--audit-match-kind-only", audit.match_kind_only,
                "Of what is not replicated, audit only kinds that some constraint names")
      ->group(kGroup);
  command
      .add_flag("--emit-audit-events", audit.emit_events,
                "Record an Event for each violation that the audit finds")
      ->group(kGroup);
  command
      .add_flag("--audit-events-involved-namespace", audit.event_place.beside_objects,
                "These Events lie beside their objects, not in Gatekeeper's namespace")
      ->group(kGroup);
  command
      .add_flag("--log-stats-audit", audit.log_stats,
                "Log what each review of the audit took, template by template")
      ->group(kGroup);
}

}  // namespace portcullis::tools
