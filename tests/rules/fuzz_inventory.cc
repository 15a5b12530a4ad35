// Any program answers alike whether the inventory is looked up in indexes, scanned, or a plain document; the objects are the
// array in the program's data (tests/fuzz/program.h).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "document/json.h"
#include "rules/rego/engine.h"
#include "tests/fuzz/evaluation.h"
#include "tests/fuzz/inventory_model.h"
#include "tests/fuzz/program.h"

using portcullis::fuzz::Evaluation;
using portcullis::fuzz::kCancelled;
namespace rego = portcullis::rego;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace document = portcullis::document;
  const portcullis::fuzz::Program program = portcullis::fuzz::ReadProgram(data, size);
  document::Arena arena;
  const auto objects = document::ParseJson(program.data, arena);
  const auto policy = portcullis::fuzz::CompileProgram(program);
  if (!objects || !policy) {
    return 0;
  }
  const auto plan = rego::MakePlan(*policy, (*policy)->modules.front()->package);
  portcullis::fuzz::InventoryModel inventory;
  inventory.Add(*objects);
  if (!plan || !(*plan)->reads_inventory() || inventory.empty()) {
    return 0;
  }

  Evaluation scan(program);
  scan.request.inventory = &inventory;
  scan.request.index_use = rego::IndexUse::kIgnore;
  const std::string scanned = scan.Run(**plan);
  if (scanned.starts_with(kCancelled)) {
    return 0;
  }
  const auto same = [&](const std::string& other, std::string_view promise) {
    portcullis::fuzz::Require(other == scanned || other.starts_with(kCancelled), promise,
                              scanned + "\n" + other);
  };
  Evaluation lookup(program);
  lookup.request.inventory = &inventory;
  same(lookup.Run(**plan), "an index does not change the answer");

  Evaluation plain(program);
  document::ObjectBuilder root(plain.documents);
  root.Add("inventory", inventory.Tree(plain.documents));
  plain.request.data = root.Finish();
  same(plain.Run(**plan), "the inventory is a document");
  return 0;
}
