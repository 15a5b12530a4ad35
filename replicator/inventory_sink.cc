#include "replicator/inventory_sink.h"

#include <span>
#include <utility>
#include <vector>

#include "replicator/kubernetes_messages.h"
#include "store/object_key.h"

namespace portcullis::replicator {
namespace {

using document::Value;

Result<bool> StaysOut(const Value& object, const ObjectFilter* filter) {
  if (IsBeingDeleted(object)) {
    return true;
  }
  if (filter == nullptr) {
    return false;
  }
  const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
  return filter->Excludes(identity);
}

class FilteredList final : public index::Reconciliation {
 public:
  FilteredList(std::unique_ptr<index::Reconciliation> inner,
               std::shared_ptr<const ObjectFilter> filter, std::string suffix)
      : inner_(std::move(inner)), filter_(std::move(filter)), suffix_(std::move(suffix)) {}

  Result<void> Add(std::span<const Value> objects) override {
    kept_.clear();
    for (const Value& object : objects) {
      if (!TRY(StaysOut(object, filter_.get()))) {
        kept_.push_back(object);
      }
    }
    return inner_->Add(kept_);
  }
  Result<index::ReconcileResult> Finish(std::string resource_version) override {
    return inner_->Finish(resource_version + suffix_);
  }

 private:
  std::unique_ptr<index::Reconciliation> inner_;
  std::shared_ptr<const ObjectFilter> filter_;
  std::string suffix_;
  std::vector<Value> kept_;
};

}  // namespace

std::string_view ResourceVersionOf(std::string_view position) {
  return position.substr(0, position.find(';'));
}

InventorySink::InventorySink(index::Inventory& inventory, document::GroupVersionKind type,
                             std::shared_ptr<const ObjectFilter> filter)
    : inventory_(inventory),
      type_(std::move(type)),
      filter_(std::move(filter)),
      suffix_(filter_ == nullptr || filter_->Fingerprint().empty() ? ""
                                                                   : ";" + filter_->Fingerprint()) {
}

Result<std::optional<std::string>> InventorySink::ResumeFrom() {
  const std::optional<index::ReplicationPosition> position = TRY(inventory_.Position(type_));
  if (!position || !position->complete) {
    return std::nullopt;
  }
  const std::string_view version = ResourceVersionOf(position->resource_version);
  if (version.empty() || position->resource_version.substr(version.size()) != suffix_) {
    return std::nullopt;
  }
  return std::string(version);
}

Result<std::unique_ptr<index::Reconciliation>> InventorySink::BeginList() {
  return std::make_unique<FilteredList>(TRY(inventory_.BeginList(type_)), filter_, suffix_);
}

Result<void> InventorySink::Apply(const index::ChangeSet& changes) {
  index::ChangeSet kept;
  kept.type = changes.type;
  kept.deletes = changes.deletes;
  kept.position = changes.position;
  if (kept.position) {
    kept.position->resource_version += suffix_;
  }
  kept.puts.reserve(changes.puts.size());
  for (const Value& object : changes.puts) {
    if (!TRY(StaysOut(object, filter_.get()))) {
      kept.puts.push_back(object);
      continue;
    }
    const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
    kept.deletes.push_back(TRY(store::KeyOf(identity)));
  }
  return inventory_.Apply(kept);
}

}  // namespace portcullis::replicator
