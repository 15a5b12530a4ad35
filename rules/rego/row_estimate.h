// How many objects a step of a plan is thought to go through, by the statistics of an inventory.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/inventory.h"
#include "rules/rego/engine.h"

namespace portcullis::rego {

struct RowEstimate {
  double rows = 0;       // Each time the step is run.
  bool at_most = false;  // Keys that are only known then make it fewer.
  bool scans = false;    // As things are: no index serves, or none that would is built.
};

// Nothing: the step touches no inventory, or no statistics of its index were taken yet. COST: some look-ups in memory.
[[nodiscard]] std::optional<RowEstimate> EstimateRows(const PlanStep& step,
                                                      index::InventoryView& inventory);

// A step that no index can ever serve.
struct ScanStep {
  std::string rule;
  PlanStep step;
};
[[nodiscard]] std::vector<ScanStep> FindScans(const Plan& plan);

// Objects that the step scans. COST: a look-up or two in memory.
[[nodiscard]] std::uint64_t ScannedObjects(const PlanStep& step, index::InventoryView& inventory);

}  // namespace portcullis::rego
