// An inventory in a folder of its own, and short ways to fill and to read it.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "index/inventory.h"

namespace portcullis::index {

// A folder that goes when this goes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] document::GroupVersionKind IngressType();
[[nodiscard]] document::GroupVersionKind NamespaceType();
// "namespace/*/*/Ingress: spec.rules[_].host"
[[nodiscard]] Definition HostIndex();

[[nodiscard]] std::string IngressJson(std::string_view name_space, std::string_view name,
                                      const std::vector<std::string>& hosts,
                                      std::string_view resource_version = "");

class TestInventory {
 public:
  // Small memory, so that tests meet tables as well as memtables.
  explicit TestInventory(std::filesystem::path path, bool read_only = false,
                         std::shared_ptr<const KeyPrograms> key_programs = nullptr);

  Inventory& operator*() const { return *inventory_; }
  Inventory* operator->() const { return inventory_.get(); }
  void Close() { inventory_.reset(); }
  void Reopen(bool read_only = false);
  // From the next Reopen on.
  void set_record_changes(bool record_changes) { record_changes_ = record_changes; }

  // Each must succeed.
  [[nodiscard]] document::Value Parse(std::string_view json);
  void Put(std::string_view json);
  void Delete(const store::ObjectKey& key);
  void WantIndexes(const std::vector<Definition>& definitions);
  // "namespace/name" of each, in order. "no index" without one.
  [[nodiscard]] std::string Find(const Definition& definition, std::string_view key_json);
  [[nodiscard]] std::string Segments(store::Scope scope,
                                     const std::vector<std::string_view>& prefix);
  [[nodiscard]] std::string Objects(store::Scope scope,
                                    const std::vector<std::string_view>& prefix);
  // The JSON of an object, or "".
  [[nodiscard]] std::string Get(const store::ObjectKey& key);
  // Problems of a check, one a line.
  [[nodiscard]] std::string Problems();

  document::Arena arena;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const KeyPrograms> key_programs_;
  bool record_changes_ = false;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Inventory> inventory_;
};

[[nodiscard]] store::ObjectKey IngressKey(std::string_view name_space, std::string_view name);

}  // namespace portcullis::index
