// What /v1/admit counts.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/metrics.h"
#include "rules/rego/engine.h"

namespace portcullis::webhook {

// How Gatekeeper counts a review.
enum class ReviewStatus : std::uint8_t { kAllow, kDeny, kError };

// THREADS: any. LIFETIME: not beyond the metrics.
class AdmissionCounters {
 public:
  explicit AdmissionCounters(Metrics& metrics);
  void Count(ReviewStatus status, bool dry_run, std::chrono::steady_clock::duration took,
             const rego::EvaluationStatistics& statistics);

 private:
  std::array<std::array<Counter*, 2>, 3> requests_{};
  std::array<Histogram*, 3> durations_{};
  Counter& gets_;
  Counter& lookups_;
  Counter& scans_;
  Counter& objects_visited_;

 public:
  Counter& overloaded;
  Counter& exhausted;
  Counter& stale;
};

}  // namespace portcullis::webhook
