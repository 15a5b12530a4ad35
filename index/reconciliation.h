// A whole list of one kind against what is stored of it. Inside index/ only.

#pragma once

#include <string>
#include <vector>

#include "index/change_writer.h"
#include "index/inventory_state.h"

namespace portcullis::index {

class ListReconciliation final : public Reconciliation {
 public:
  ListReconciliation(InventoryState& state, document::GroupVersionKind type)
      : state_(state), type_(std::move(type)) {}

  // Marks the kind as incomplete until Finish.
  Result<void> Begin();
  Result<void> Add(std::span<const document::Value> objects) override;
  Result<ReconcileResult> Finish(std::string resource_version) override;

 private:
  Result<bool> AddOne(ChangeWriter& writer, const document::Value& object);
  [[nodiscard]] Result<bool> IsStored(std::string_view key_bytes,
                                      const document::ObjectIdentity& identity);
  // Deletes what was not listed in this scope, up to where a batch is full; true at the end.
  Result<bool> DeletePiece(ChangeWriter& writer, store::Scope scope, std::string* after);

  InventoryState& state_;
  const document::GroupVersionKind type_;
  std::vector<MarkerHash> listed_;
  ReconcileResult result_;
  bool finished_ = false;
  store::PinnedValue stored_;  // Reused from object to object.
};

}  // namespace portcullis::index
