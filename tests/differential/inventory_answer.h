// Answers for programs that read data.inventory, by each way that the engine has: as a document, from a store that is
// scanned, and from a store with the indexes that the plan asks for.

#pragma once

#include <string>
#include <string_view>

#include "rules/builtins/builtin.h"
#include "tests/index/test_inventory.h"

namespace portcullis::differential {

class InventoryAnswerer {
 public:
  explicit InventoryAnswerer(const builtins::Catalog& catalog) : catalog_(catalog) {}

  // The answer to a request whose query is `x = data.a.b`, in the form of answer.h, and how often an index was looked into:
  // "lookups". Where the ways do not agree, an error
  // of the code "other" that shows them. The objects of data.inventory must stand where their metadata says.
  [[nodiscard]] std::string Answer(std::string_view request);

 private:
  const builtins::Catalog& catalog_;
  index::TemporaryFolder folder_;
  index::TestInventory inventory_{folder_.path() / "store"};
};

}  // namespace portcullis::differential
