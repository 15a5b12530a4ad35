#include "controller/object_sink.h"

#include <span>

#include "replicator/kubernetes_messages.h"
#include "store/object_key.h"

namespace portcullis::controller {
namespace {

using document::Value;

ObjectName NameOf(const Value& object) {
  return {std::string(object.GetString({"metadata", "namespace"})),
          std::string(object.GetString({"metadata", "name"}))};
}

}  // namespace

std::string UidOf(const Value& object) {
  return std::string(object.GetString({"metadata", "uid"}));
}

std::int64_t GenerationOf(const Value& object) {
  const Value generation = object.Get({"metadata", "generation"});
  return generation.is_number() ? document::ToInt64(generation).value_or(0) : 0;
}

class ObjectSink::List final : public index::Reconciliation {
 public:
  explicit List(ObjectSink& sink) : sink_(sink) {}

  Result<void> Add(std::span<const Value> objects) override {
    for (const Value& object : objects) {
      if (!replicator::IsBeingDeleted(object)) {
        listed_.insert(NameOf(object));
        sink_.Put(object);
      }
    }
    return {};
  }
  Result<index::ReconcileResult> Finish(std::string) override {
    index::ReconcileResult result;
    result.written = listed_.size();
    for (const ObjectName& name : std::set<ObjectName>(sink_.present_)) {
      if (!listed_.contains(name)) {
        sink_.Remove(name);
        ++result.deleted;
      }
    }
    sink_.handler_.settled(true);
    return result;
  }

 private:
  ObjectSink& sink_;
  std::set<ObjectName> listed_;
};

Result<std::unique_ptr<index::Reconciliation>> ObjectSink::BeginList() {
  return std::make_unique<List>(*this);
}

Result<void> ObjectSink::Apply(const index::ChangeSet& changes) {
  for (const Value& object : changes.puts) {
    if (replicator::IsBeingDeleted(object)) {
      Remove(NameOf(object));
    } else {
      Put(object);
    }
  }
  for (const store::ObjectKey& key : changes.deletes) {
    Remove({key.name_space, key.name});
  }
  if (!changes.puts.empty() || !changes.deletes.empty()) {
    handler_.settled(false);
  }
  return {};
}

void ObjectSink::Clear() {
  for (const ObjectName& name : std::set<ObjectName>(present_)) {
    Remove(name);
  }
}

void ObjectSink::Put(const Value& object) {
  const ObjectName name = NameOf(object);
  present_.insert(name);
  handler_.put(name, object);
}

void ObjectSink::Remove(const ObjectName& name) {
  if (present_.erase(name) > 0) {
    handler_.remove(name);
  }
}

}  // namespace portcullis::controller
