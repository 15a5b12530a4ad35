#include "webhook/admission_counters.h"

#include "webhook/handler_support.h"

namespace portcullis::webhook {
namespace {

constexpr std::array kStatusNames = {"allow", "deny", "error"};

void Add(Counter& counter, std::uint64_t by) {
  if (by > 0) {
    counter.Increment(static_cast<double>(by));
  }
}

}  // namespace

AdmissionCounters::AdmissionCounters(Metrics& metrics)
    : gets_(metrics.GetCounter("portcullis_review_gets_total",
                               "Objects that reviews read from the inventory by their key")),
      lookups_(metrics.GetCounter("portcullis_review_lookups_total",
                                  "Index look-ups that reviews made")),
      scans_(metrics.GetCounter("portcullis_review_scans_total",
                                "Ranges of the inventory that reviews scanned")),
      objects_visited_(metrics.GetCounter("portcullis_review_objects_visited_total",
                                          "Objects that reviews met in look-ups and scans")),
      overloaded(metrics.GetCounter("portcullis_review_overloaded_total",
                                    "Reviews refused because too many others were scanning")),
      exhausted(metrics.GetCounter("portcullis_review_exhausted_total",
                                   "Reviews ended by their limit of time or memory")),
      stale(metrics.GetCounter("portcullis_review_stale_constraints_total",
                               "Constraints that reviews set aside because the data that they "
                               "read was too old")) {
  for (std::size_t status = 0; status < kStatusNames.size(); ++status) {
    for (const bool dry_run : {false, true}) {
      requests_[status][dry_run ? 1 : 0] =
          &metrics.GetCounter("gatekeeper_validation_request_count_total",
                              "The number of requests that are routed to validation webhook",
                              {{"admission_status", kStatusNames[status]},
                               {"admission_dryrun", dry_run ? "true" : "false"}});
    }
    durations_[status] = &metrics.GetHistogram(
        "gatekeeper_validation_request_duration_seconds", "The validation webhook response time",
        RequestDurationBounds(), {{"admission_status", kStatusNames[status]}});
  }
}

void AdmissionCounters::Count(ReviewStatus status, bool dry_run,
                              std::chrono::steady_clock::duration took,
                              const rego::EvaluationStatistics& statistics) {
  const auto at = static_cast<std::size_t>(status);
  requests_[at][dry_run ? 1 : 0]->Increment();
  durations_[at]->Observe(std::chrono::duration<double>(took).count());
  Add(gets_, statistics.gets);
  Add(lookups_, statistics.lookups);
  Add(scans_, statistics.scans);
  Add(objects_visited_, statistics.objects_visited);
}

}  // namespace portcullis::webhook
