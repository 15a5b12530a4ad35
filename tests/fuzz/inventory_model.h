// An inventory in memory in which every index is ready: for targets that make a policy, and so wish for an index, at each
// run. What cursors give lies in their own memory and is gone at their next step, as in the real one.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/inventory.h"
#include "rules/rego/key_programs.h"
#include "tests/fuzz/program.h"

namespace portcullis::fuzz {

class InventoryModel final : public index::InventoryView {
 public:
  // Adds the Kubernetes objects among the items of an array; what else it holds is left out.
  void Add(const document::Value& array);
  // The same as the document that data.inventory is, with numbers as in the inventory.
  [[nodiscard]] document::Value Tree(document::Arena& arena) const;
  [[nodiscard]] bool empty() const { return records_.empty(); }

  Result<document::Value> Get(const store::ObjectKeyView& key, document::Arena& arena,
                              document::NumberMode numbers) override;
  Result<bool> Exists(const index::TreePrefix& prefix) override;
  Result<std::unique_ptr<index::SegmentCursor>> Segments(const index::TreePrefix& prefix) override;
  Result<std::unique_ptr<index::ObjectCursor>> Objects(const index::TreePrefix& prefix) override;
  std::optional<index::IndexId> FindIndex(const index::Definition& definition) override;
  Result<std::unique_ptr<index::ObjectCursor>> Lookup(index::IndexId index,
                                                      const document::Value& key) override;
  Result<std::unique_ptr<index::ObjectCursor>> LookupAny(std::span<const index::IndexKeys> wanted,
                                                         const index::TreePrefix& within) override;
  std::uint64_t EstimateObjects(store::Scope scope, std::string_view kind) override;
  const index::KeyStatistics* Statistics(index::IndexId /*index*/) override { return nullptr; }
  [[nodiscard]] std::uint64_t bytes_read() const override { return 0; }

 private:
  struct Index {
    index::Definition definition;
    std::shared_ptr<const index::KeyProgram> program;  // Null: the keys are at a path.
  };
  [[nodiscard]] std::vector<std::string> KeysBelow(const index::TreePrefix& prefix) const;
  [[nodiscard]] static bool HasKey(const Index& index, const document::Value& object,
                                   const std::vector<std::string>& wanted);

  rego::RegoKeyPrograms programs_{&OfflineCatalog()};
  std::map<std::string, std::string> records_;  // By encoded key.
  std::vector<Index> indexes_;                  // By id.
};

}  // namespace portcullis::fuzz
