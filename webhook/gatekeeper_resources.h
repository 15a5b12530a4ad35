// Gatekeeper's own resources under review: what is refused before any constraint is asked (gatekeeper.md 4.5).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "document/value.h"
#include "rules/policy/policy_set.h"

namespace portcullis::webhook {

struct Refusal {
  std::int32_t code = 0;  // 422: the user's error; 500: what Gatekeeper takes for its own.
  std::string message;
};

// Whether these are Gatekeeper's own resources, as far as its webhooks care.
[[nodiscard]] bool IsGatekeeperGroup(std::string_view group);

struct ResourceChecks {
  bool enforcement_actions = true;
  // Also the Rego of a template, where it is new: one that is stored already can still be changed otherwise, and deleted.
  bool compile_templates = true;
};

// Nothing: it passes, or is no resource of Gatekeeper's. `request` is an AdmissionRequest. COST: templates are compiled.
[[nodiscard]] std::optional<Refusal> CheckGatekeeperResource(const document::Value& request,
                                                             const policy::PolicyStore& policies,
                                                             const ResourceChecks& checks);

}  // namespace portcullis::webhook
