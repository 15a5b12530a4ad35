// Where an inventory command finds its inventory.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "index/inventory.h"
#include "tools/inventory_reader.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

// One of these is set.
struct InventoryLocation {
  std::string data;  // A data folder: its running server is asked, or the store is read at rest.
  std::string snapshot;            // A snapshot file.
  std::string kubeconfig;          // A cluster, of which `kinds` are listed.
  std::vector<std::string> kinds;  // "networking.k8s.io/v1/Ingress", "v1/Pod".
};

// The parts of a data folder.
[[nodiscard]] std::filesystem::path StorePath(const std::filesystem::path& data);
[[nodiscard]] std::filesystem::path AdminSocketPath(const std::filesystem::path& data);

// Adds --data, --snapshot, --kubeconfig and --resource to a command.
void AddLocationOptions(CLI::App& command, InventoryLocation* location);

class OpenedInventory {
 public:
  virtual ~OpenedInventory() = default;
  virtual InventoryReader& reader() = 0;
};

// ERRORS: kInvalidArgument: none or several places are named. Those of the place.
[[nodiscard]] Result<std::unique_ptr<OpenedInventory>> OpenInventory(
    const InventoryLocation& location);

// An inventory of this process with what the place holds; from a server's folder it is read beside the server.
// For reviews, which need views.
class LocalInventory {
 public:
  virtual ~LocalInventory() = default;
  virtual index::Inventory& inventory() = 0;
};
[[nodiscard]] Result<std::unique_ptr<LocalInventory>> OpenLocalInventory(
    const InventoryLocation& location);

// A folder under the system's temporary one, removed with this object.
class TemporaryFolder {
 public:
  static Result<std::unique_ptr<TemporaryFolder>> Create();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace portcullis::tools
