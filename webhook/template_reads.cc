#include "webhook/template_reads.h"

#include <utility>

namespace portcullis::webhook {

void TemplateReads::Count(const std::shared_ptr<const policy::PolicySet>& policies,
                          std::span<const policy::TemplateTime> times) {
  for (const policy::TemplateTime& time : times) {
    const rego::EvaluationStatistics& reads = time.statistics;
    if (reads.lookups == 0 && reads.scans == 0) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (policies_ != policies) {
      policies_ = policies;
      counters_.clear();
    }
    const Counters& counters = Find(*time.of);
    counters.lookups->Increment(static_cast<double>(reads.lookups));
    counters.scans->Increment(static_cast<double>(reads.scans));
  }
}

TemplateReads::Counters& TemplateReads::Find(const policy::Template& of) {
  Counters& counters = counters_[&of];
  if (counters.lookups == nullptr) {
    const Labels labels{{"template", of.kind}};
    counters.lookups =
        &metrics_.GetCounter("portcullis_template_lookups_total",
                             "Index look-ups that reviews made for a template", labels);
    counters.scans =
        &metrics_.GetCounter("portcullis_template_scans_total",
                             "Ranges of the inventory that reviews scanned for a template", labels);
  }
  return counters;
}

}  // namespace portcullis::webhook
