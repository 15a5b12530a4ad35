// One pass over data.inventory, of the steps that evaluate_inventory.cc and evaluate_lookup.cc run. Internal to the evaluator.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "rules/rego/evaluator.h"

namespace portcullis::rego {

inline constexpr std::size_t kMostLevels = 4;

// True if the keys under the path are pairs.
[[nodiscard]] inline bool HasEntry(std::span<const index::PathStep> path) {
  return std::ranges::any_of(
      path, [](const index::PathStep& step) { return step.kind == index::PathStep::Kind::kEntry; });
}

// One pass of a kInventory step.
struct Evaluator::InventoryWalk {
  const Step& step;
  const InventoryAccess& access;
  document::Value* slots;
  std::array<std::string_view, kMostLevels> segments;
  AccessCost* cost = nullptr;  // Null: it is not measured.
  bool from_entries = false;   // Entries stand for the objects; see InventoryAccess::index_only.
  document::Value entry_key = {};  // Then: under which key they are.
};

// What happens during its life is the cost of one access.
class Evaluator::StoreTimer {
 public:
  StoreTimer(const Evaluator& evaluator, AccessCost* cost) : evaluator_(evaluator), cost_(cost) {
    if (cost_ != nullptr) {
      started_ = evaluator_.request_.clock->Now();
      before_ = evaluator_.statistics_;
      bytes_before_ = evaluator_.context_->inventory->bytes_read();
    }
  }
  StoreTimer(const StoreTimer&) = delete;
  StoreTimer& operator=(const StoreTimer&) = delete;
  ~StoreTimer() {
    if (cost_ != nullptr) {
      const EvaluationStatistics& now = evaluator_.statistics_;
      cost_->time += evaluator_.request_.clock->Now() - started_;
      cost_->bytes += evaluator_.context_->inventory->bytes_read() - bytes_before_;
      cost_->reads += {.gets = now.gets - before_.gets,
                       .lookups = now.lookups - before_.lookups,
                       .scans = now.scans - before_.scans,
                       .objects_visited = now.objects_visited - before_.objects_visited};
    }
  }

 private:
  const Evaluator& evaluator_;
  AccessCost* const cost_;
  std::chrono::steady_clock::time_point started_;
  EvaluationStatistics before_;
  std::uint64_t bytes_before_ = 0;
};

}  // namespace portcullis::rego
