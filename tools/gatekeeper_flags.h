// The flags of Gatekeeper's manager (gatekeeper.md 8.1), for `portcullis serve`: a deployment keeps its arguments when the image is
// exchanged. What is not there is refused with the reason, unless it has the value that changes nothing.

#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "webhook/namespace_label.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

// What one process does of what Gatekeeper's does.
enum class Role : std::uint8_t {
  kAudit,
  kGenerate,
  kMutationController,
  kMutationStatus,
  kMutationWebhook,
  kStatus,
  kWebhook,
};

struct GatekeeperFlags {
  std::set<Role> roles;  // As --operation names them; by default all.
  std::string host;
  int port = 0;  // 0: as --listen says.
  int max_serving_threads = -1;
  std::string health_address;
  int prometheus_port = 0;  // 0: none.
  std::string certificate_service = "gatekeeper-webhook-service";
  bool rotate_certificates = true;
  // Whose caBundle is written; the additional ones are lists with commas.
  std::string validating_configuration = "gatekeeper-validating-webhook-configuration";
  std::string mutating_configuration = "gatekeeper-mutating-webhook-configuration";
  std::string additional_validating_configurations;
  std::string additional_mutating_configurations;
  webhook::ExemptNamespaces exempt;
  bool any_enforcement_action = false;
  bool log_denies = false;
  bool log_stats_admission = false;
  bool emit_admission_events = false;
  bool admission_events_beside_objects = false;
  bool referential_rules = true;
  bool expands = true;

  [[nodiscard]] bool Has(Role role) const { return roles.contains(role); }
  // Those of the roles that this process has.
  [[nodiscard]] std::vector<std::string> ValidatingConfigurations() const;
  [[nodiscard]] std::vector<std::string> MutatingConfigurations() const;
  // Sorted, as statuses show them.
  [[nodiscard]] std::vector<std::string> RoleNames() const;
};

// Adds the flags; `flags` is filled when the command line is parsed. LIFETIME: `flags` outlives `command`.
void AddGatekeeperFlags(CLI::App& command, GatekeeperFlags* flags);

}  // namespace portcullis::tools
