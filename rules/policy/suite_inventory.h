// The inventory of one case of a suite: a document in memory, or a store of its own.

#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/definition.h"
#include "index/inventory.h"

namespace portcullis::policy {

// { "cluster": {gv: {kind: {name: object}}}, "namespace": {…} } of the objects; of equal ones the last stays.
// ERRORS: kInvalidArgument with gator's text: an object without version or kind.
[[nodiscard]] Result<document::Value> MakeInventoryDocument(
    std::span<const document::Value> objects, document::Arena& arena);

// A store that holds the objects of one case at a time.
class SuiteStore {
 public:
  static Result<std::unique_ptr<SuiteStore>> Open(const std::filesystem::path& folder,
                                                  Clock& clock);

  // Replaces what the store holds, and waits until the indexes are complete. ERRORS: as MakeInventoryDocument's; the store's.
  Result<std::unique_ptr<index::InventoryView>> Load(std::span<const document::Value> objects,
                                                     std::span<const index::Definition> indexes);

 private:
  SuiteStore() = default;
  Result<void> Clear();

  Metrics metrics_;
  std::unique_ptr<index::Inventory> inventory_;
};

}  // namespace portcullis::policy
