#include "tools/scan_options.h"

#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "tools/command.h"

namespace portcullis::tools {

void AddScanOptions(CLI::App& command, controller::ScanLimits* limits) {
  command
      .add_option("--scan-warning", limits->warning,
                  "Warn of templates whose plan scans more objects than this; 0: never")
      ->capture_default_str();
  command
      .add_option("--scan-limit", limits->refusal,
                  "Refuse templates whose plan scans more objects than this; 0: none")
      ->capture_default_str();
}

std::size_t ApplyScanLimits(const controller::ScanLimits& limits, policy::PolicyStore& policies,
                            index::InventoryView& inventory) {
  Metrics metrics;
  controller::ScanWatch watch(limits, Logger::Silent(), metrics);
  const std::vector<controller::ScanWarning> refused = watch.Refuse(policies, inventory);
  for (const controller::ScanWarning& each : refused) {
    PrintError(fmt::format("ConstraintTemplate {}: {}", each.name, each.message));
  }
  watch.Update(policies.current(), inventory);
  for (const controller::ScanWarning& each : watch.Warnings()) {
    PrintError(fmt::format("warning: ConstraintTemplate {}: {}", each.name, each.message));
  }
  return refused.size();
}

}  // namespace portcullis::tools
