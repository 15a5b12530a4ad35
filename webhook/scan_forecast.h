// Says of a review, before it is evaluated, whether it would scan the inventory.

#pragma once

#include <memory>
#include <string_view>

#include "base/published.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/engine.h"

namespace portcullis::webhook {

// THREADS: any.
class ScanForecast {
 public:
  // True if a constraint that can match an object of this kind has a plan that scans: because no index serves it, because
  // its index is not built yet, or because indexes are not to be used.
  // COST: a few look-ups; the plans are asked once for each policy set.
  [[nodiscard]] bool WouldScan(const std::shared_ptr<const policy::PolicySet>& policies,
                               std::string_view group, std::string_view kind,
                               index::InventoryView& inventory, rego::IndexUse index_use);

 private:
  struct Table;
  Published<Table> table_;
};

}  // namespace portcullis::webhook
