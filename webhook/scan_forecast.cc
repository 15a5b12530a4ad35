#include "webhook/scan_forecast.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>

namespace portcullis::webhook {
namespace {

bool ScansAlways(const rego::Plan& plan) {
  return std::ranges::any_of(plan.Explain(), [](const rego::RuleExplanation& rule) {
    return std::ranges::any_of(
        rule.steps, [](const rego::PlanStep& step) { return step.access_path == "full scan"; });
  });
}

struct PlanCost {
  bool scans_always = false;
  // Set once every index has been seen ready: a ready index stays while its policy does.
  mutable std::atomic<bool> indexes_ready = false;
};

}  // namespace

struct ScanForecast::Table {
  std::shared_ptr<const policy::PolicySet> policies;
  std::unordered_map<const policy::Template*, PlanCost> readers;  // Of the inventory.
};

bool ScanForecast::WouldScan(const std::shared_ptr<const policy::PolicySet>& policies,
                             std::string_view group, std::string_view kind,
                             index::InventoryView& inventory, rego::IndexUse index_use) {
  std::shared_ptr<const Table> table = table_.load();
  if (table == nullptr || table->policies != policies) {
    auto made = std::make_shared<Table>();
    made->policies = policies;
    for (const policy::Template* of : policies->templates()) {
      if (of->reads_inventory()) {
        made->readers[of].scans_always = ScansAlways(*of->plan);
      }
    }
    table = std::move(made);
    table_.store(table);
  }
  if (table->readers.empty()) {
    return false;
  }
  for (const policy::BoundConstraint& bound : policies->BoundTo(kind)) {
    const auto found = table->readers.find(bound.of);
    if (found == table->readers.end() || !bound.constraint->match.CouldMatchKind(group, kind)) {
      continue;
    }
    const PlanCost& cost = found->second;
    if (cost.scans_always || index_use == rego::IndexUse::kIgnore) {
      return true;
    }
    if (cost.indexes_ready) {
      continue;
    }
    const bool ready = std::ranges::all_of(bound.of->plan->wanted_indexes(),
                                           [&inventory](const index::Definition& definition) {
                                             return inventory.FindIndex(definition).has_value();
                                           });
    if (!ready) {
      return true;
    }
    cost.indexes_ready = true;
  }
  return false;
}

}  // namespace portcullis::webhook
