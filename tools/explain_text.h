// A plan for people and for machines.

#pragma once

#include <string>

#include "rules/policy/policy_set.h"

namespace portcullis::tools {

// The plans of one template (by kind or name), or of all for an empty name. ERRORS: kNotFound: names those there are.
[[nodiscard]] Result<std::string> ExplainText(const policy::PolicySet& policies,
                                              const std::string& name);
[[nodiscard]] Result<std::string> ExplainJson(const policy::PolicySet& policies,
                                              const std::string& name);

}  // namespace portcullis::tools
