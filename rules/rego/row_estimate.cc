#include "rules/rego/row_estimate.h"

#include <cstddef>
#include <span>

namespace portcullis::rego {
namespace {

// Entries of one key in each of the indexes.
struct ChoiceEstimate {
  bool ready = true;
  bool known = true;
  double rows = 0;
};

ChoiceEstimate EstimateChoice(std::span<const index::Definition> indexes,
                              index::InventoryView& inventory) {
  ChoiceEstimate estimate;
  for (const index::Definition& definition : indexes) {
    const std::optional<index::IndexId> id = inventory.FindIndex(definition);
    if (!id) {
      return {.ready = false, .known = false, .rows = 0};
    }
    const index::KeyStatistics* statistics = inventory.Statistics(*id);
    if (statistics == nullptr) {
      estimate.known = false;
    } else if (statistics->distinct_keys != 0) {
      estimate.rows +=
          static_cast<double>(statistics->entries) / static_cast<double>(statistics->distinct_keys);
    }
  }
  return estimate;
}

}  // namespace

std::optional<RowEstimate> EstimateRows(const PlanStep& step, index::InventoryView& inventory) {
  if (step.access_path.empty()) {
    return std::nullopt;
  }
  if (step.access_path == "get") {
    return RowEstimate{.rows = 1};
  }
  bool ready = false;
  std::optional<RowEstimate> best;
  std::span<const index::Definition> rest = step.indexes;
  for (const std::size_t count : step.choices) {
    const ChoiceEstimate choice = EstimateChoice(rest.first(count), inventory);
    rest = rest.subspan(count);
    ready = ready || choice.ready;
    if (choice.ready && choice.known && (!best || choice.rows < best->rows)) {
      best = RowEstimate{.rows = choice.rows};
    }
  }
  if (ready) {
    return best;
  }
  return RowEstimate{.rows = static_cast<double>(ScannedObjects(step, inventory)),
                     .at_most = step.access_path == "range",
                     .scans = step.access_path != "range"};
}

std::vector<ScanStep> FindScans(const Plan& plan) {
  std::vector<ScanStep> scans;
  for (const RuleExplanation& rule : plan.Explain()) {
    for (const PlanStep& step : rule.steps) {
      if (step.access_path == "full scan") {
        scans.push_back({.rule = rule.rule, .step = step});
      }
    }
  }
  return scans;
}

std::uint64_t ScannedObjects(const PlanStep& step, index::InventoryView& inventory) {
  std::uint64_t objects = 0;
  for (const PlanStep::Scanned& each : step.scanned) {
    objects += inventory.EstimateObjects(each.scope, each.kind);
  }
  return objects;
}

}  // namespace portcullis::rego
