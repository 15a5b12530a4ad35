// A sink that knows its objects by name: puts and removals one by one, whether they come from a list or from changes.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "document/value.h"
#include "index/inventory.h"
#include "replicator/source.h"

namespace portcullis::controller {

struct ObjectName {
  std::string name_space;
  std::string name;
  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

[[nodiscard]] std::string UidOf(const document::Value& object);  // metadata.uid; "": there is none.
// metadata.generation, which the API server raises with every change of the specification; 0: there is none.
[[nodiscard]] std::int64_t GenerationOf(const document::Value& object);

// What is done with the objects. Called from the source's thread.
struct ObjectHandler {
  std::function<void(const ObjectName& name, const document::Value& object)> put;
  std::function<void(const ObjectName& name)> remove;
  // After each batch; `listed`: it was a whole list.
  std::function<void(bool listed)> settled;
};

class ObjectSink final : public replicator::KindSink {
 public:
  explicit ObjectSink(ObjectHandler handler) : handler_(std::move(handler)) {}

  Result<std::optional<std::string>> ResumeFrom() override { return std::nullopt; }
  Result<std::unique_ptr<index::Reconciliation>> BeginList() override;
  Result<void> Apply(const index::ChangeSet& changes) override;
  // Removes every object, as the kind is not followed any more. REQUIRES: it is not.
  void Clear();

 private:
  class List;
  void Put(const document::Value& object);
  void Remove(const ObjectName& name);

  const ObjectHandler handler_;
  std::set<ObjectName> present_;
};

}  // namespace portcullis::controller
