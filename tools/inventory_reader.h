// What the inventory commands ask, wherever the inventory is: in this process (a data folder at rest, a restored snapshot, a
// list from a cluster) or in a running server, behind its admin socket (tools/admin_client.h).

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/verdict_store.h"
#include "base/error.h"
#include "document/value.h"
#include "index/definition.h"
#include "index/inventory.h"
#include "store/object_key.h"

namespace portcullis::tools {

// Empty parts match everything.
struct ObjectFilter {
  std::string name_space;
  std::string group_version;
  std::string kind;
  std::string name;
};

struct InventoryStatistics {
  std::vector<index::KindStatistics> kinds;
  std::vector<index::IndexStatus> indexes;
  std::uint64_t disk_bytes = 0;
};

// Called with each object's key and encoded record (document/encoding.h). False ends the visit.
using Visitor = std::function<Result<bool>(const store::ObjectKey& key, std::string_view record)>;

class InventoryReader {
 public:
  virtual ~InventoryReader() = default;

  virtual Result<InventoryStatistics> Statistics() = 0;
  // The objects that pass, at one moment, in the order of the inventory: cluster-scoped ones first.
  // COST: a seek for each distinct prefix, then a step an object that passes all but `name`.
  virtual Result<void> Visit(const ObjectFilter& filter, const Visitor& visitor) = 0;
  // The objects in which definition.path reaches `key`. Returns whether an index answered; else they were scanned.
  virtual Result<bool> Query(const index::Definition& definition, const document::Value& key,
                             const Visitor& visitor) = 0;
  // What the audit keeps, as it lies in the store: audit/verdict_store.h. Nothing where there was none.
  virtual Result<void> Findings(const audit::FindingsFilter& filter,
                                const audit::TakeRecord& visitor) = 0;
  virtual Result<index::CheckReport> Check(const index::Progress& progress) = 0;
  // Writes a snapshot file on the machine where the inventory is. Returns the objects in it.
  virtual Result<std::uint64_t> Snapshot(const std::filesystem::path& path,
                                         const index::Progress& progress) = 0;
};

// LIFETIME: the inventory outlives the reader. THREADS: one at a time.
[[nodiscard]] std::unique_ptr<InventoryReader> MakeLocalReader(index::Inventory& inventory);

}  // namespace portcullis::tools
