#include "controller/scan_watch.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace portcullis::controller {
namespace {

struct Widest {
  const rego::ScanStep* scan = nullptr;
  std::uint64_t objects = 0;
};

Widest FindWidest(const std::vector<rego::ScanStep>& scans, index::InventoryView& inventory) {
  Widest widest;
  for (const rego::ScanStep& each : scans) {
    const std::uint64_t objects = rego::ScannedObjects(each.step, inventory);
    if (widest.scan == nullptr || objects > widest.objects) {
      widest = {.scan = &each, .objects = objects};
    }
  }
  return widest;
}

ScanWarning MakeWarning(const policy::Template& of, const Widest& widest) {
  const rego::PlanStep& step = widest.scan->step;
  const std::string text = step.text + (step.reason.empty() ? "" : " (" + step.reason + ")");
  return {.name = of.name,
          .kind = of.kind,
          .objects = widest.objects,
          .message =
              widest.scan->rule + " scans " + std::to_string(widest.objects) + " objects: " + text,
          .step = widest.scan->rule + ": " + text};
}

}  // namespace

std::optional<ScanWarning> FindWidestScan(const policy::Template& of,
                                          index::InventoryView& inventory, std::uint64_t most) {
  const std::vector<rego::ScanStep> scans = rego::FindScans(*of.plan);
  const Widest widest = FindWidest(scans, inventory);
  if (widest.scan == nullptr || widest.objects <= most) {
    return std::nullopt;
  }
  return MakeWarning(of, widest);
}

Result<void> CheckScanLimit(const policy::Template& of, index::InventoryView& inventory,
                            const ScanLimits& limits) {
  if (limits.refusal == 0) {
    return {};
  }
  if (const auto scan = FindWidestScan(of, inventory, limits.refusal)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the plan scans more than the " + std::to_string(limits.refusal) +
                    " objects that --scan-limit allows: " + scan->message);
  }
  return {};
}

ScanWatch::ScanWatch(ScanLimits limits, std::shared_ptr<Logger> logger, Metrics& metrics)
    : limits_(limits), logger_(std::move(logger)), metrics_(metrics) {}

void ScanWatch::Update(const std::shared_ptr<const policy::PolicySet>& policies,
                       index::InventoryView& inventory) {
  if (policies_ != policies) {
    std::set<std::string> before;
    for (const Watched& each : watched_) {
      before.insert(each.of->kind);
    }
    watched_.clear();
    for (const policy::Template* of : policies->templates()) {
      if (!of->reads_inventory()) {
        continue;
      }
      if (std::vector<rego::ScanStep> scans = rego::FindScans(*of->plan); !scans.empty()) {
        before.erase(of->kind);
        watched_.push_back({.of = of, .scans = std::move(scans)});
      }
    }
    policies_ = policies;
    for (const std::string& kind : before) {
      SetGauges(kind, 0, false);
    }
    std::erase_if(warnings_, [this](const auto& entry) {
      return std::ranges::none_of(
          watched_, [&](const Watched& each) { return each.of->name == entry.first; });
    });
  }
  for (const Watched& each : watched_) {
    const Widest widest = FindWidest(each.scans, inventory);
    const auto known = warnings_.find(each.of->name);
    const bool warned = known != warnings_.end();
    const std::uint64_t bound = warned ? limits_.warning - limits_.warning / 5 : limits_.warning;
    const bool warns = limits_.warning != 0 && widest.objects > bound;
    if (warns) {
      warnings_[each.of->name] = MakeWarning(*each.of, widest);
    } else if (warned) {
      warnings_.erase(known);
    }
    if (warns != warned) {
      const std::string message = MakeWarning(*each.of, widest).message;
      const std::string_view text =
          warns ? "a template scans the inventory" : "a template does not scan too much any more";
      if (warns) {
        logger_->Warning(text, {{"template", each.of->name}, {"plan", message}});
      } else {
        logger_->Info(text, {{"template", each.of->name}, {"plan", message}});
      }
    }
    SetGauges(each.of->kind, widest.objects, warns);
  }
}

void ScanWatch::SetGauges(const std::string& kind, std::uint64_t objects, bool warns) {
  const Labels labels{{"template", kind}};
  metrics_
      .GetGauge("portcullis_template_scan_objects",
                "Objects that the widest scan in the template's plan goes through", labels)
      .Set(static_cast<double>(objects));
  metrics_
      .GetGauge("portcullis_template_scan_warning",
                "1 while the template scans more objects than --scan-warning", labels)
      .Set(warns ? 1 : 0);
}

std::vector<ScanWarning> ScanWatch::Warnings() const {
  std::vector<ScanWarning> warnings;
  for (const auto& [name, warning] : warnings_) {
    warnings.push_back(warning);
  }
  return warnings;
}

std::vector<ScanWarning> ScanWatch::Refuse(policy::PolicyStore& policies,
                                           index::InventoryView& inventory) const {
  std::vector<ScanWarning> refused;
  const std::shared_ptr<const policy::PolicySet> current = policies.current();
  for (const policy::Template* of : current->templates()) {
    if (const Result<void> allowed = CheckScanLimit(*of, inventory, limits_); !allowed) {
      refused.push_back(
          {.name = of->name, .kind = of->kind, .objects = 0, .message = allowed.error().message});
      policies.RemoveTemplate(of->name);
    }
  }
  return refused;
}

}  // namespace portcullis::controller
