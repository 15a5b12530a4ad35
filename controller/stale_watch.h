// Tells which templates read kinds that were not heard of for longer than is allowed.

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "replicator/source.h"
#include "rules/policy/policy_set.h"

namespace portcullis::controller {

// THREADS: one.
class StaleWatch {
 public:
  // A limit of 0: nothing is ever stale. What was never heard of counts from here. LIFETIME: clock and metrics outlive it.
  StaleWatch(std::chrono::seconds limit, Clock& clock, std::shared_ptr<Logger> logger,
             Metrics& metrics);

  // Why a template's data is too old, by its kind. Logs what begins and ends to be. COST: a comparison a kind that templates
  // read; after a change of policy their plans are gone through.
  std::map<std::string, std::string, std::less<>> Update(
      const std::shared_ptr<const policy::PolicySet>& policies,
      std::span<const replicator::KindStatus> kinds);

 private:
  void FindReaders(const std::shared_ptr<const policy::PolicySet>& policies);

  const std::chrono::seconds limit_;
  Clock& clock_;
  const std::chrono::steady_clock::time_point begun_;
  const std::shared_ptr<Logger> logger_;
  Gauge* const gauge_;  // Null without a limit.
  std::shared_ptr<const policy::PolicySet> policies_;
  // By template kind, the kinds of objects that it reads; "": any.
  std::map<std::string, std::set<std::string>> readers_;
  std::set<std::string> stale_;
};

}  // namespace portcullis::controller
