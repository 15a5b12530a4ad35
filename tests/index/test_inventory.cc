#include "tests/index/test_inventory.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "document/json.h"

namespace portcullis::index {
namespace {

template <class T>
T Must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(result.error().ToString());
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

std::string Join(std::string text, std::string_view next) {
  if (!text.empty()) {
    text += ' ';
  }
  return text += next;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "portcullis-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

document::GroupVersionKind IngressType() {
  return {.group = "networking.k8s.io", .version = "v1", .kind = "Ingress"};
}

document::GroupVersionKind NamespaceType() {
  return {.group = "", .version = "v1", .kind = "Namespace"};
}

Definition HostIndex() {
  return *Definition::Parse("namespace/*/*/Ingress: spec.rules[_].host");
}

std::string IngressJson(std::string_view name_space, std::string_view name,
                        const std::vector<std::string>& hosts, std::string_view resource_version) {
  std::string json = R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":)";
  document::AppendJsonString(name, document::JsonStyle::kCompact, &json);
  json += R"(,"namespace":)";
  document::AppendJsonString(name_space, document::JsonStyle::kCompact, &json);
  if (!resource_version.empty()) {
    json += R"(,"resourceVersion":)";
    document::AppendJsonString(resource_version, document::JsonStyle::kCompact, &json);
  }
  json += R"(},"spec":{"rules":[)";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    json += i == 0 ? R"({"host":)" : R"(,{"host":)";
    document::AppendJsonString(hosts[i], document::JsonStyle::kCompact, &json);
    json += '}';
  }
  return json += "]}}";
}

TestInventory::TestInventory(std::filesystem::path path, bool read_only,
                             std::shared_ptr<const KeyPrograms> key_programs)
    : path_(std::move(path)), key_programs_(std::move(key_programs)) {
  Reopen(read_only);
}

void TestInventory::Reopen(bool read_only) {
  inventory_.reset();
  InventoryOptions options;
  options.store.path = path_;
  options.store.block_cache_bytes = std::size_t{4} << 20;
  options.store.memtable_bytes = std::size_t{2} << 20;
  options.store.read_only = read_only;
  options.key_programs = key_programs_;
  options.record_changes = record_changes_;
  inventory_ = Must(Inventory::Open(options, clock_, Logger::Silent(), metrics_));
}

document::Value TestInventory::Parse(std::string_view json) {
  return Must(document::ParseJson(json, arena));
}

void TestInventory::Put(std::string_view json) {
  const document::Value object = Parse(json);
  ChangeSet changes;
  changes.type = Must(document::IdentityOf(object)).type;
  changes.puts = {object};
  Must(inventory_->Apply(changes));
}

void TestInventory::Delete(const store::ObjectKey& key) {
  ChangeSet changes;
  changes.type = document::MakeGroupVersionKind(key.group_version, key.kind);
  changes.deletes = {key};
  Must(inventory_->Apply(changes));
}

void TestInventory::WantIndexes(const std::vector<Definition>& definitions) {
  std::vector<IndexRequest> wanted;
  for (const Definition& definition : definitions) {
    wanted.push_back({.definition = definition, .user = "test"});
  }
  Must(inventory_->SetWantedIndexes(std::move(wanted)));
  if (!inventory_->WaitUntilIndexesReady(std::chrono::seconds(30))) {
    throw std::runtime_error("the indexes do not become ready");
  }
}

std::string TestInventory::Find(const Definition& definition, std::string_view key_json) {
  const std::unique_ptr<InventoryView> view = inventory_->View();
  const std::optional<IndexId> index = view->FindIndex(definition);
  if (!index) {
    return "no index";
  }
  const auto cursor = Must(view->Lookup(*index, Parse(key_json)));
  std::string found;
  while (const auto object = Must(cursor->Next())) {
    found = Join(std::move(found),
                 std::string(object->key.name_space) + "/" + std::string(object->key.name));
  }
  return found;
}

std::string TestInventory::Segments(store::Scope scope,
                                    const std::vector<std::string_view>& prefix) {
  const std::unique_ptr<InventoryView> view = inventory_->View();
  const auto cursor = Must(view->Segments({.scope = scope, .segments = prefix}));
  std::string found;
  while (const auto segment = Must(cursor->Next())) {
    found = Join(std::move(found), *segment);
  }
  return found;
}

std::string TestInventory::Objects(store::Scope scope,
                                   const std::vector<std::string_view>& prefix) {
  const std::unique_ptr<InventoryView> view = inventory_->View();
  const auto cursor = Must(view->Objects({.scope = scope, .segments = prefix}));
  std::string found;
  while (const auto object = Must(cursor->Next())) {
    const std::string space(object->key.name_space);
    found =
        Join(std::move(found), (space.empty() ? "" : space + "/") + std::string(object->key.name));
  }
  return found;
}

std::string TestInventory::Get(const store::ObjectKey& key) {
  const std::unique_ptr<InventoryView> view = inventory_->View();
  const document::Value value = Must(view->Get({.scope = key.scope,
                                                .name_space = key.name_space,
                                                .group_version = key.group_version,
                                                .kind = key.kind,
                                                .name = key.name},
                                               arena, document::NumberMode::kExact));
  return value.is_undefined() ? "" : document::ToJson(value);
}

std::string TestInventory::Problems() {
  const CheckReport report = Must(inventory_->Check({}));
  std::string text;
  for (const std::string& problem : report.problems) {
    text += problem + "\n";
  }
  return text;
}

store::ObjectKey IngressKey(std::string_view name_space, std::string_view name) {
  return {.scope = store::Scope::kNamespaced,
          .name_space = std::string(name_space),
          .group_version = "networking.k8s.io/v1",
          .kind = "Ingress",
          .name = std::string(name)};
}

}  // namespace portcullis::index
