// What is done about a violation, and where (gatekeeper.md 1.3).

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/value.h"

namespace portcullis::policy {

// An entry of spec.scopedEnforcementActions.
struct ScopedAction {
  std::string action;
  std::vector<std::string> points;  // Enforcement points; "*" is all.
};

// The entries as far as they are well-formed; none where there are none.
[[nodiscard]] std::vector<ScopedAction> ParseScopedActions(const document::Value& constraint);

// Whether a constraint's actions and enforcement points are known ones. An absent or empty action passes.
// ERRORS: kInvalidArgument with Gatekeeper's text, which its webhook answers with code 500.
[[nodiscard]] Result<void> CheckEnforcementAction(const document::Value& constraint);

}  // namespace portcullis::policy
