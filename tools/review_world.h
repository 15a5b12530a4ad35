// All that answers one review on this machine: policies, an inventory, namespaces, and the webhook's own handler over them. For
// commands that run and end.

#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "controller/scan_watch.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "tools/inventory_access.h"
#include "webhook/admission.h"
#include "webhook/mutation.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

struct ReviewPlace {
  std::string source;    // A folder of manifests, or else `location`.
  std::string policies;  // A folder; empty: they are in `source`.
  InventoryLocation location;
  controller::ScanLimits scan_limits;
  [[nodiscard]] bool names_inventory() const {
    return !source.empty() || !location.data.empty() || !location.snapshot.empty();
  }
};

// Adds --source, --data, --snapshot, --scan-warning and --scan-limit to a command.
void AddPlaceOptions(CLI::App& command, ReviewPlace* place);

class ReviewWorld {
 public:
  virtual ~ReviewWorld() = default;
  virtual index::Inventory& inventory() = 0;
  virtual policy::PolicyStore& policies() = 0;
  // LIFETIME: not beyond the world.
  [[nodiscard]] virtual std::unique_ptr<webhook::AdmissionHandler> MakeHandler(
      webhook::AdmissionOptions options) = 0;
  [[nodiscard]] virtual std::unique_ptr<webhook::MutationHandler> MakeMutationHandler(
      const webhook::MutationOptions& options) = 0;
};

// With a folder of manifests: what `serve` would run, in a temporary store, waited for until it is ready. With an inventory
// that is there: its indexes are used where they are built; a snapshot is scanned. Problems of single policies and manifests
// are printed, and what the limits of scans give. ERRORS: kInvalidArgument: not one place is named. Those of the place.
[[nodiscard]] Result<std::unique_ptr<ReviewWorld>> OpenReviewWorld(const ReviewPlace& place);

}  // namespace portcullis::tools
