// Watches over plans that scan: what no index serves costs more with every object.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/row_estimate.h"

namespace portcullis::controller {

// In objects that one step of a plan scans; 0: no limit.
struct ScanLimits {
  std::uint64_t warning = 1000;
  std::uint64_t refusal = 0;
};

// What is to be said of a template whose plan scans too much.
struct ScanWarning {
  std::string name;  // Of the template.
  std::string kind;
  std::uint64_t objects = 0;
  std::string
      message;  // "data.template.violation (line 3) scans 1204 objects: … (why no index serves)"
  std::string step = {};  // "data.template.violation (line 3): … (why no index serves)"
};

// The step of the template that scans most objects, if they are more than `most`.
[[nodiscard]] std::optional<ScanWarning> FindWidestScan(const policy::Template& of,
                                                        index::InventoryView& inventory,
                                                        std::uint64_t most);
// ERRORS: kInvalidArgument: the template scans more than the limit of refusals.
[[nodiscard]] Result<void> CheckScanLimit(const policy::Template& of,
                                          index::InventoryView& inventory,
                                          const ScanLimits& limits);

// Keeps the warnings in line with policies and inventory. One that has begun ends when a fifth less than the limit is scanned.
// Each is a line in the log when it begins and ends, and a metric.
// THREADS: one at a time.
class ScanWatch {
 public:
  ScanWatch(ScanLimits limits, std::shared_ptr<Logger> logger, Metrics& metrics);

  // COST: a look-up or two in memory for each step that scans; plans are asked once for each policy set.
  void Update(const std::shared_ptr<const policy::PolicySet>& policies,
              index::InventoryView& inventory);
  // By name of the template.
  [[nodiscard]] std::vector<ScanWarning> Warnings() const;
  // Takes templates beyond the limit of refusals out of force. What is to be said of each.
  [[nodiscard]] std::vector<ScanWarning> Refuse(policy::PolicyStore& policies,
                                                index::InventoryView& inventory) const;

 private:
  struct Watched {
    const policy::Template* of = nullptr;
    std::vector<rego::ScanStep> scans;
  };
  void SetGauges(const std::string& kind, std::uint64_t objects, bool warns);

  const ScanLimits limits_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  std::shared_ptr<const policy::PolicySet> policies_;
  std::vector<Watched> watched_;  // Of policies_, those that scan.
  std::map<std::string, ScanWarning> warnings_;
};

}  // namespace portcullis::controller
