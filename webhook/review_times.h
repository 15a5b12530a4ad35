// How long reviews took, template by template and constraint by constraint, as metrics. Only those in force have series that
// grow, and only the first thousand names ever seen have series of their own: the others share one.

#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "base/metrics.h"
#include "base/published.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// THREADS: any. LIFETIME: not beyond the metrics.
class ReviewTimes {
 public:
  static constexpr std::size_t kMostNames = 1000;

  explicit ReviewTimes(Metrics& metrics) : metrics_(metrics) {}

  // COST: a hash look-up and a few atomic additions each; after a change of policy, once, a look-up of all series.
  void Count(const std::shared_ptr<const policy::PolicySet>& policies,
             std::span<const policy::TemplateTime> templates,
             std::span<const policy::ConstraintTime> constraints);

 private:
  struct Table;
  std::shared_ptr<const Table> MakeTable(const std::shared_ptr<const policy::PolicySet>& policies);

  Metrics& metrics_;
  Published<Table> table_;
  std::mutex mutex_;
  std::set<std::string> names_;  // That have series. Guarded by mutex_.
};

}  // namespace portcullis::webhook
