#include "tools/inventory_access.h"

#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "index/snapshot.h"
#include "replicator/kubeconfig.h"
#include "replicator/kubernetes_client.h"
#include "replicator/kubernetes_source.h"
#include "replicator/sync_set.h"
#include "rules/rego/key_programs.h"
#include "tools/admin_client.h"
#include "tools/inventory_commands.h"

namespace portcullis::tools {
namespace {

constexpr std::chrono::minutes kListTimeout{30};

// "networking.k8s.io/v1/Ingress", or "v1/Pod" of the core group.
Result<document::GroupVersionKind> ParseResource(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "--resource is GROUP/VERSION/KIND, e.g. networking.k8s.io/v1/Ingress or v1/Pod, not " +
            text);
  }
  return document::MakeGroupVersionKind(std::string_view(text).substr(0, slash),
                                        std::string_view(text).substr(slash + 1));
}

class LocalParts final : public LocalInventory {
 public:
  index::Inventory& inventory() override { return *inventory_; }

  Result<void> Open(const std::filesystem::path& path, bool read_only) {
    index::InventoryOptions options;
    options.store.path = path;
    options.store.read_only = read_only;
    options.key_programs = std::make_shared<rego::RegoKeyPrograms>();
    inventory_ = TRY(index::Inventory::Open(options, clock_, logger_, metrics_));
    return {};
  }

  Result<void> OpenSnapshot(const std::string& file) {
    folder_ = TRY(TemporaryFolder::Create());
    const std::filesystem::path path = folder_->path() / "inventory";
    TRY(index::RestoreSnapshot(file, {.path = path}, PrintProgress("read")));
    return Open(path, false);
  }

  Result<void> List(const InventoryLocation& location) {
    std::set<document::GroupVersionKind> kinds;
    for (const std::string& each : location.kinds) {
      kinds.insert(TRY(ParseResource(each)));
    }
    if (kinds.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "name what to list: --resource networking.k8s.io/v1/Ingress");
    }
    folder_ = TRY(TemporaryFolder::Create());
    TRY(Open(folder_->path() / "inventory", false));
    const std::vector<std::filesystem::path> files{location.kubeconfig};
    replicator::ClusterAccess access = TRY(replicator::LoadKubeconfig(files));
    const std::unique_ptr<replicator::KubernetesClient> client =
        TRY(replicator::KubernetesClient::Create(std::move(access), clock_));
    replicator::KubernetesSource source(*client, logger_);
    replicator::SyncSet sync_set(source, *inventory_, logger_);
    TRY(sync_set.Set(kinds, nullptr));
    const index::Progress progress = PrintProgress("listed");
    const auto deadline = clock_.Now() + kListTimeout;
    while (!sync_set.complete()) {
      std::uint64_t objects = 0;
      for (const index::KindStatistics& each : TRY(inventory_->Kinds())) {
        objects += each.objects;
      }
      progress(objects, 0);
      for (const replicator::KindStatus& each : sync_set.Status()) {
        if (each.state == replicator::KindState::kFailing && !each.last_error.empty()) {
          return Fail(ErrorCode::kUnavailable, each.type.ToString() + ": " + each.last_error);
        }
      }
      if (clock_.Now() > deadline) {
        return Fail(ErrorCode::kUnavailable, "the lists were not complete within 30 minutes");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    for (const replicator::KindStatus& each : sync_set.Status()) {
      if (!each.served) {
        return Fail(ErrorCode::kNotFound, "the cluster does not serve " + each.type.ToString());
      }
    }
    return {};
  }

 private:
  SystemClock clock_;
  Metrics metrics_;
  std::shared_ptr<Logger> logger_ = Logger::Create(LogLevel::kWarning);
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<index::Inventory> inventory_;
};

class OpenedHere final : public OpenedInventory {
 public:
  explicit OpenedHere(std::unique_ptr<LocalInventory> local)
      : local_(std::move(local)), reader_(MakeLocalReader(local_->inventory())) {}
  InventoryReader& reader() override { return *reader_; }

 private:
  std::unique_ptr<LocalInventory> local_;
  std::unique_ptr<InventoryReader> reader_;
};

class OpenedServer final : public OpenedInventory {
 public:
  explicit OpenedServer(std::unique_ptr<AdminClient> client) : client_(std::move(client)) {}
  InventoryReader& reader() override { return *client_; }

 private:
  std::unique_ptr<AdminClient> client_;
};

Result<void> RequireOne(const InventoryLocation& location) {
  const int named = static_cast<int>(!location.data.empty()) +
                    static_cast<int>(!location.snapshot.empty()) +
                    static_cast<int>(!location.kubeconfig.empty());
  if (named != 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "name one place: --data DIR, --snapshot FILE or --kubeconfig FILE");
  }
  std::error_code error;
  if (!location.data.empty() && !std::filesystem::exists(StorePath(location.data), error)) {
    return Fail(ErrorCode::kNotFound, location.data + " is no data folder: there is no " +
                                          StorePath(location.data).string());
  }
  return {};
}

}  // namespace

std::filesystem::path StorePath(const std::filesystem::path& data) {
  return data / "inventory";
}

std::filesystem::path AdminSocketPath(const std::filesystem::path& data) {
  return data / "admin.sock";
}

void AddLocationOptions(CLI::App& command, InventoryLocation* location) {
  command.add_option("--data", location->data,
                     "A data folder; the server that runs on it is asked, if there is one");
  command.add_option("--snapshot", location->snapshot, "A snapshot file");
  command.add_option("--kubeconfig", location->kubeconfig,
                     "A cluster, of which --resource is listed now");
  command.add_option("--resource", location->kinds,
                     "With --kubeconfig: GROUP/VERSION/KIND to list; may be repeated");
}

Result<std::unique_ptr<OpenedInventory>> OpenInventory(const InventoryLocation& location) {
  TRY(RequireOne(location));
  if (!location.data.empty()) {
    Result<std::unique_ptr<AdminClient>> client =
        AdminClient::Connect(AdminSocketPath(location.data));
    if (client) {
      return std::make_unique<OpenedServer>(*std::move(client));
    }
    if (client.error().code != ErrorCode::kNotFound) {
      return std::unexpected(std::move(client).error());
    }
  }
  return std::make_unique<OpenedHere>(TRY(OpenLocalInventory(location)));
}

Result<std::unique_ptr<LocalInventory>> OpenLocalInventory(const InventoryLocation& location) {
  TRY(RequireOne(location));
  auto parts = std::make_unique<LocalParts>();
  if (!location.data.empty()) {
    TRY(parts->Open(StorePath(location.data), true));
  } else if (!location.snapshot.empty()) {
    TRY(parts->OpenSnapshot(location.snapshot));
  } else {
    TRY(parts->List(location));
  }
  return parts;
}

Result<std::unique_ptr<TemporaryFolder>> TemporaryFolder::Create() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "portcullis-XXXXXX").string();
  if (error || mkdtemp(name.data()) == nullptr) {
    return Fail(ErrorCode::kUnavailable,
                "cannot make a temporary folder like " + name + ": set TMPDIR to a writable one");
  }
  return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(name));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace portcullis::tools
