#include "rules/policy/suite_inventory.h"

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "document/object.h"
#include "rules/policy/expansion.h"
#include "rules/rego/key_programs.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::chrono::seconds kIndexTimeout{30};

// A level of the tree: its members, and the objects at the last.
struct Level {
  std::map<std::string_view, Level> below;
  Value object;
};

Value ToValue(const Level& level, document::Arena& arena) {
  if (level.object.is_defined()) {
    return level.object;
  }
  document::ObjectBuilder members(arena);
  for (const auto& [name, below] : level.below) {
    members.Add(Value::String(arena.CopyString(name)), ToValue(below, arena));
  }
  return members.Finish();
}

Result<document::GroupVersionKind> TypeOf(const Value& object) {
  document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  if (!type.version.empty() && !type.kind.empty()) {
    return type;
  }
  const std::string name(object.GetString({"metadata", "name"}));
  const std::string_view missing = type.version.empty() ? "version" : "kind";
  return Fail(ErrorCode::kInvalidArgument,
              "unable to add object to data.inventory: " + GoTypeText(type) + " " +
                  std::string(object.GetString({"metadata", "namespace"})) + "/" + name +
                  ": admission.k8s.gatekeeper.sh: invalid request object: resource " + name +
                  " has no " + std::string(missing) + "\n");
}

}  // namespace

Result<Value> MakeInventoryDocument(std::span<const Value> objects, document::Arena& arena) {
  Level root;
  for (const Value& object : objects) {
    TRY(TypeOf(object));
    const std::string_view name_space = object.GetString({"metadata", "namespace"});
    Level* level = &root.below[name_space.empty() ? "cluster" : "namespace"];
    if (!name_space.empty()) {
      level = &level->below[name_space];
    }
    level = &level->below[object.GetString({"apiVersion"})].below[object.GetString({"kind"})];
    level->below[object.GetString({"metadata", "name"})].object = object;
  }
  return ToValue(root, arena);
}

Result<std::unique_ptr<SuiteStore>> SuiteStore::Open(const std::filesystem::path& folder,
                                                     Clock& clock) {
  constexpr std::size_t kCacheBytes = std::size_t{4} << 20;
  std::unique_ptr<SuiteStore> suite_store(new SuiteStore);
  index::InventoryOptions options;
  options.store.path = folder;
  options.store.block_cache_bytes = kCacheBytes;
  options.store.memtable_bytes = kCacheBytes;
  options.key_programs = std::make_shared<rego::RegoKeyPrograms>();
  suite_store->inventory_ =
      TRY(index::Inventory::Open(options, clock, Logger::Silent(), suite_store->metrics_));
  return suite_store;
}

Result<std::unique_ptr<index::InventoryView>> SuiteStore::Load(
    std::span<const Value> objects, std::span<const index::Definition> indexes) {
  TRY(Clear());
  std::map<document::GroupVersionKind, std::vector<Value>> by_type;
  for (const Value& object : objects) {
    by_type[TRY(TypeOf(object))].push_back(object);
  }
  for (auto& [type, puts] : by_type) {
    index::ChangeSet changes;
    changes.type = type;
    changes.puts = std::move(puts);
    changes.position = index::ReplicationPosition{.resource_version = "1", .complete = true};
    TRY(inventory_->Apply(changes));
  }
  std::vector<index::IndexRequest> wanted;
  for (const index::Definition& definition : indexes) {
    wanted.push_back({definition, "suite"});
  }
  TRY(inventory_->SetWantedIndexes(std::move(wanted)));
  if (!inventory_->WaitUntilIndexesReady(kIndexTimeout)) {
    return Fail(ErrorCode::kUnavailable,
                "the indexes of the case's inventory were not built in time");
  }
  return inventory_->View();
}

Result<void> SuiteStore::Clear() {
  for (const index::KindStatistics& kind : TRY(inventory_->Kinds())) {
    TRY(inventory_->Wipe(kind.type));
  }
  return {};
}

}  // namespace portcullis::policy
