// A plan for people and for machines.

#pragma once

#include <span>
#include <string>

#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::tools {

struct ExplainRequest {
  std::string name;  // A template's kind or name; empty: all.
  bool json = false;
  index::InventoryView* inventory =
      nullptr;  // Tells how many rows are expected; null: nothing does.
  // What a review cost that measured its accesses (policy::ReviewOptions): then only templates that it asked are explained,
  // unless one is named.
  std::span<const policy::TemplateTime> actual = {};
};

// The plans, a line a step. ERRORS: kNotFound: names the templates that there are.
[[nodiscard]] Result<std::string> Explain(const policy::PolicySet& policies,
                                          const ExplainRequest& request);

}  // namespace portcullis::tools
