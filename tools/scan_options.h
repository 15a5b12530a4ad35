// --scan-warning and --scan-limit.

#pragma once

#include "controller/scan_watch.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

void AddScanOptions(CLI::App& command, controller::ScanLimits* limits);

// Warnings of the templates in force, on standard error. Templates beyond the limit are taken out of force first; how many.
std::size_t ApplyScanLimits(const controller::ScanLimits& limits, policy::PolicyStore& policies,
                            index::InventoryView& inventory);

}  // namespace portcullis::tools
