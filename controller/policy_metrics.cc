#include "controller/policy_metrics.h"

#include <vector>

namespace portcullis::controller {
namespace {

constexpr const char* kActive = "active";
constexpr const char* kError = "error";

// Seconds: hundredths to a tenth, tenths to a half, then whole ones to five.
std::vector<double> IngestionBounds() {
  std::vector<double> bounds;
  for (int i = 1; i <= 10; ++i) {
    bounds.push_back(i / 100.0);
  }
  for (int i = 2; i <= 5; ++i) {
    bounds.push_back(i / 10.0);
  }
  for (int i = 1; i <= 5; ++i) {
    bounds.push_back(i);
  }
  return bounds;
}

}  // namespace

void PolicyMetrics::CountIngestion(bool taken, std::chrono::steady_clock::time_point begun) {
  const Labels labels{{"status", taken ? kActive : kError}};
  metrics_
      .GetCounter("gatekeeper_constraint_template_ingestion_count_total",
                  "Total number of constraint template ingestion actions", labels)
      .Increment();
  metrics_
      .GetHistogram("gatekeeper_constraint_template_ingestion_duration_seconds",
                    "Distribution of how long it took to ingest a constraint template in seconds",
                    IngestionBounds(), labels)
      .Observe(std::chrono::duration<double>(Now() - begun).count());
}

void PolicyMetrics::SetTemplates(std::size_t active, std::size_t error) {
  const char* const help = "Number of observed constraint templates";
  metrics_.GetGauge("gatekeeper_constraint_templates", help, {{"status", kActive}})
      .Set(static_cast<double>(active));
  metrics_.GetGauge("gatekeeper_constraint_templates", help, {{"status", kError}})
      .Set(static_cast<double>(error));
}

void PolicyMetrics::SetConstraints(
    const std::map<std::pair<std::string, std::string>, std::size_t>& counts) {
  // What has gone is zero, not forgotten.
  for (auto& [key, count] : constraints_) {
    count = 0;
  }
  for (const auto& [key, count] : counts) {
    constraints_[key] = count;
  }
  for (const auto& [key, count] : constraints_) {
    metrics_
        .GetGauge("gatekeeper_constraints", "Current number of known constraints",
                  {{"enforcement_action", key.first}, {"status", key.second}})
        .Set(static_cast<double>(count));
  }
}

}  // namespace portcullis::controller
