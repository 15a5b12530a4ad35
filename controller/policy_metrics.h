// How many policies there are and how they were taken, under Gatekeeper's names (gatekeeper.md 8.2).

#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/metrics.h"

namespace portcullis::controller {

// THREADS: one. LIFETIME: metrics and clock outlive it.
class PolicyMetrics {
 public:
  PolicyMetrics(Metrics& metrics, Clock& clock) : metrics_(metrics), clock_(clock) {}

  [[nodiscard]] std::chrono::steady_clock::time_point Now() const { return clock_.Now(); }
  // A template was compiled, or was not.
  void CountIngestion(bool taken, std::chrono::steady_clock::time_point begun);
  void SetTemplates(std::size_t active, std::size_t error);
  // By enforcement action and status.
  void SetConstraints(const std::map<std::pair<std::string, std::string>, std::size_t>& counts);

 private:
  Metrics& metrics_;
  Clock& clock_;
  std::map<std::pair<std::string, std::string>, std::size_t> constraints_;
};

}  // namespace portcullis::controller
