// Counts, template by template, how reviews read the inventory.

#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

#include "base/metrics.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// THREADS: any. LIFETIME: not beyond the metrics.
class TemplateReads {
 public:
  explicit TemplateReads(Metrics& metrics) : metrics_(metrics) {}

  // COST: nothing for templates that read no inventory; a lock for a moment for the others.
  void Count(const std::shared_ptr<const policy::PolicySet>& policies,
             std::span<const policy::TemplateTime> times);

 private:
  struct Counters {
    Counter* lookups = nullptr;
    Counter* scans = nullptr;
  };
  Counters& Find(const policy::Template& of);

  Metrics& metrics_;
  std::mutex mutex_;
  // Guarded by mutex_: of the templates of policies_.
  std::shared_ptr<const policy::PolicySet> policies_;
  std::unordered_map<const policy::Template*, Counters> counters_;
};

}  // namespace portcullis::webhook
