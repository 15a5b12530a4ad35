// One kind on its way into the inventory: leaves out what is being deleted and what the configuration excludes.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/object.h"
#include "index/inventory.h"
#include "replicator/source.h"

namespace portcullis::replicator {

// Which objects stay out of the inventory (Config's `sync` exclusions). Immutable. THREADS: any.
class ObjectFilter {
 public:
  virtual ~ObjectFilter() = default;
  [[nodiscard]] virtual bool Excludes(const document::ObjectIdentity& object) const = 0;
  // Tells one filter from another, across restarts; "" if it excludes nothing. Letters, digits and '-'.
  [[nodiscard]] virtual std::string Fingerprint() const = 0;
};

// The position in the inventory is the resource version, followed by ";" and the filter's fingerprint where there is one: after a
// restart under another filter the stored objects are not those that this one lets in, so the kind is listed again.
class InventorySink final : public KindSink {
 public:
  // LIFETIME: the inventory outlives the sink. `filter` may be null.
  InventorySink(index::Inventory& inventory, document::GroupVersionKind type,
                std::shared_ptr<const ObjectFilter> filter);

  Result<std::optional<std::string>> ResumeFrom() override;
  Result<std::unique_ptr<index::Reconciliation>> BeginList() override;
  Result<void> Apply(const index::ChangeSet& changes) override;

 private:
  index::Inventory& inventory_;
  const document::GroupVersionKind type_;
  const std::shared_ptr<const ObjectFilter> filter_;
  const std::string suffix_;
};

// The resource version within a stored position.
[[nodiscard]] std::string_view ResourceVersionOf(std::string_view position);

}  // namespace portcullis::replicator
