// The read side over one store snapshot. Inside index/ only.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index/inventory_state.h"

namespace portcullis::index {

class StoreView final : public InventoryView {
 public:
  explicit StoreView(InventoryState& state);

  Result<document::Value> Get(const store::ObjectKeyView& key, document::Arena& arena,
                              document::NumberMode numbers) override;
  Result<bool> Exists(const TreePrefix& prefix) override;
  Result<std::unique_ptr<SegmentCursor>> Segments(const TreePrefix& prefix) override;
  Result<std::unique_ptr<ObjectCursor>> Objects(const TreePrefix& prefix) override;
  std::optional<IndexId> FindIndex(const Definition& definition) override;
  Result<std::unique_ptr<ObjectCursor>> Lookup(IndexId index, const document::Value& key) override;
  Result<std::unique_ptr<ObjectCursor>> LookupAny(std::span<const IndexKeys> wanted,
                                                  const TreePrefix& within) override;
  std::uint64_t EstimateObjects(store::Scope scope, std::string_view kind) override;
  const KeyStatistics* Statistics(IndexId index) override;
  [[nodiscard]] std::uint64_t bytes_read() const override { return bytes_read_; }

  void CountRead(std::string_view record) { bytes_read_ += record.size(); }

  [[nodiscard]] const store::Snapshot& snapshot() const { return *snapshot_; }

 private:
  friend class LentIterator;

  InventoryState& state_;
  std::shared_ptr<const Catalog> catalog_;
  std::unique_ptr<store::Snapshot> snapshot_;
  // Making an iterator costs microseconds: a cursor that ends gives its own back.
  std::vector<std::unique_ptr<store::Iterator>> idle_objects_;
  std::vector<std::unique_ptr<store::Iterator>> idle_entries_;
  store::PinnedValue value_;
  std::string key_bytes_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace portcullis::index
