#include "controller/stale_watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace portcullis::controller {

StaleWatch::StaleWatch(std::chrono::seconds limit, Clock& clock, std::shared_ptr<Logger> logger,
                       Metrics& metrics)
    : limit_(limit),
      clock_(clock),
      begun_(clock.Now()),
      logger_(std::move(logger)),
      gauge_(limit.count() == 0
                 ? nullptr
                 : &metrics.GetGauge("portcullis_stale_templates",
                                     "Templates whose data is older than --max-inventory-lag")) {}

void StaleWatch::FindReaders(const std::shared_ptr<const policy::PolicySet>& policies) {
  if (policies_ == policies) {
    return;
  }
  policies_ = policies;
  readers_.clear();
  for (const policy::Template* of : policies->templates()) {
    if (!of->reads_inventory()) {
      continue;
    }
    std::set<std::string>& kinds = readers_[of->kind];
    for (const rego::RuleExplanation& rule : of->plan->Explain()) {
      for (const rego::PlanStep& step : rule.steps) {
        for (const rego::PlanStep::Scanned& scanned : step.scanned) {
          kinds.insert(scanned.kind);
        }
      }
    }
  }
}

std::map<std::string, std::string, std::less<>> StaleWatch::Update(
    const std::shared_ptr<const policy::PolicySet>& policies,
    std::span<const replicator::KindStatus> kinds) {
  if (limit_.count() == 0) {
    return {};
  }
  FindReaders(policies);
  const auto now = clock_.Now();
  std::map<std::string, std::string, std::less<>> reasons;
  for (const auto& [reader, read] : readers_) {
    std::chrono::seconds oldest = limit_;
    for (const replicator::KindStatus& kind : kinds) {
      const auto lag = std::chrono::duration_cast<std::chrono::seconds>(
          now - std::max(kind.last_contact, begun_));
      if (lag > oldest && (read.contains(kind.type.kind) || read.contains(""))) {
        oldest = lag;
        reasons[reader] = fmt::format("{} was last heard of {} s ago, beyond the limit of {} s",
                                      kind.type.ToString(), lag.count(), limit_.count());
      }
    }
  }
  std::set<std::string> stale;
  for (const auto& [reader, reason] : reasons) {
    stale.insert(reader);
    if (!stale_.contains(reader)) {
      logger_->Warning(
          "a template's data is too old: reviews claim no verdict of it",
          {{"template", std::string_view(reader)}, {"reason", std::string_view(reason)}});
    }
  }
  for (const std::string& reader : stale_) {
    if (!stale.contains(reader)) {
      logger_->Info("a template's data is fresh again", {{"template", std::string_view(reader)}});
    }
  }
  stale_ = std::move(stale);
  gauge_->Set(static_cast<double>(stale_.size()));
  return reasons;
}

}  // namespace portcullis::controller
