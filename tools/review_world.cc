#include "tools/review_world.h"

#include <chrono>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "tools/command.h"
#include "tools/policy_folder.h"
#include "tools/runtime.h"
#include "tools/scan_options.h"

namespace portcullis::tools {
namespace {

constexpr std::chrono::minutes kLoadTimeout{30};

// Of a folder of manifests.
class FolderWorld final : public ReviewWorld {
 public:
  Result<void> Load(const ReviewPlace& place) {
    folder_ = TRY(TemporaryFolder::Create());
    RuntimeOptions options;
    options.inventory.store.path = StorePath(folder_->path());
    options.source = place.source;
    options.policies = place.policies;
    runtime_ = TRY(Runtime::Start(options, clock_, logger_, metrics_));
    const auto deadline = clock_.Now() + kLoadTimeout;
    std::vector<std::string> reasons = runtime_->NotReady();
    while (!reasons.empty()) {
      if (clock_.Now() > deadline) {
        return Fail(ErrorCode::kUnavailable, "not loaded within 30 minutes: " + reasons.front());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      reasons = runtime_->NotReady();
    }
    for (const std::string& each : runtime_->Problems()) {
      PrintError(each);
    }
    for (const Error& each :
         TRY(FindOrphans(place.policies.empty() ? place.source : place.policies))) {
      PrintError(each);
    }
    if (runtime_->nothing_to_read()) {
      PrintError(
          "no Config or SyncSet among the policies names kinds to replicate: data.inventory is "
          "empty");
    }
    return {};
  }

  index::Inventory& inventory() override { return runtime_->inventory(); }
  policy::PolicyStore& policies() override { return runtime_->policies(); }
  std::unique_ptr<webhook::AdmissionHandler> MakeHandler(
      webhook::AdmissionOptions options) override {
    options.generators = [this] { return runtime_->generators(); };
    return std::make_unique<webhook::AdmissionHandler>(
        runtime_->policies(), runtime_->inventory(), runtime_->namespaces(), runtime_->excluder(),
        clock_, logger_, metrics_, std::move(options));
  }
  std::unique_ptr<webhook::MutationHandler> MakeMutationHandler(
      const webhook::MutationOptions& options) override {
    return std::make_unique<webhook::MutationHandler>(
        runtime_->mutators(), runtime_->namespaces(), runtime_->mutation_excluder(),
        &runtime_->external_data(), clock_, logger_, metrics_, options);
  }

 private:
  SystemClock clock_;
  Metrics metrics_;
  const std::shared_ptr<Logger> logger_ = Logger::Silent();
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<Runtime> runtime_;
};

// The Namespace objects of an inventory at rest; one that it does not hold is taken for a Namespace without labels.
class StoredNamespaces final : public webhook::NamespaceFinder {
 public:
  explicit StoredNamespaces(index::Inventory& inventory) : inventory_(inventory) {}

  Result<document::Value> Find(std::string_view name, document::Arena& arena) override {
    const store::ObjectKeyView key{.scope = store::Scope::kCluster,
                                   .name_space = {},
                                   .group_version = "v1",
                                   .kind = "Namespace",
                                   .name = name};
    const document::Value found =
        TRY(inventory_.View()->Get(key, arena, document::NumberMode::kFloat64));
    if (found.is_defined()) {
      return found;
    }
    document::ObjectBuilder metadata(arena);
    metadata.Add("name", document::Value::String(arena.CopyString(name)));
    document::ObjectBuilder object(arena);
    object.Add("apiVersion", document::Value::String("v1"));
    object.Add("kind", document::Value::String("Namespace"));
    object.Add("metadata", metadata.Finish());
    return object.Finish();
  }

 private:
  index::Inventory& inventory_;
};

class ConfigExclusions final : public webhook::NamespaceExcluder {
 public:
  ConfigExclusions(std::shared_ptr<const controller::Exclusions> exclusions,
                   std::string_view process)
      : exclusions_(std::move(exclusions)), process_(process) {}
  [[nodiscard]] bool IsExcluded(std::string_view group, std::string_view kind,
                                std::string_view name_space, std::string_view name) const override {
    return exclusions_->IsExcluded(process_, group, kind, name_space, name);
  }

 private:
  std::shared_ptr<const controller::Exclusions> exclusions_;
  const std::string_view process_;
};

// Of an inventory that is there already.
class StoredWorld final : public ReviewWorld {
 public:
  Result<void> Load(const ReviewPlace& place) {
    if (place.policies.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "name the policies: --policies DIR");
    }
    policies_ = TRY(LoadPolicies(place.policies));
    for (const Error& each : policies_.problems) {
      PrintError(each);
    }
    local_ = TRY(OpenLocalInventory(place.location));
    namespaces_ = std::make_unique<StoredNamespaces>(local_->inventory());
    excluder_ = std::make_unique<ConfigExclusions>(policies_.exclusions, "webhook");
    mutation_excluder_ =
        std::make_unique<ConfigExclusions>(policies_.exclusions, "mutation-webhook");
    return {};
  }

  index::Inventory& inventory() override { return local_->inventory(); }
  policy::PolicyStore& policies() override { return *policies_.store; }
  std::unique_ptr<webhook::AdmissionHandler> MakeHandler(
      webhook::AdmissionOptions options) override {
    options.generators = [this] {
      return mutation::Generators{.expander = policies_.expansions->current(),
                                  .mutators = policies_.mutators->current()};
    };
    return std::make_unique<webhook::AdmissionHandler>(
        *policies_.store, local_->inventory(), *namespaces_, *excluder_, clock_, Logger::Silent(),
        metrics_, std::move(options));
  }
  std::unique_ptr<webhook::MutationHandler> MakeMutationHandler(
      const webhook::MutationOptions& options) override {
    return std::make_unique<webhook::MutationHandler>(*policies_.mutators, *namespaces_,
                                                      *mutation_excluder_, nullptr, clock_,
                                                      Logger::Silent(), metrics_, options);
  }

 private:
  SystemClock clock_;
  Metrics metrics_;
  LoadedPolicies policies_;
  std::unique_ptr<LocalInventory> local_;
  std::unique_ptr<StoredNamespaces> namespaces_;
  std::unique_ptr<ConfigExclusions> excluder_;
  std::unique_ptr<ConfigExclusions> mutation_excluder_;
};

template <class World>
Result<std::unique_ptr<ReviewWorld>> Loaded(const ReviewPlace& place) {
  auto world = std::make_unique<World>();
  TRY(world->Load(place));
  ApplyScanLimits(place.scan_limits, world->policies(), *world->inventory().View());
  return world;
}

}  // namespace

void AddPlaceOptions(CLI::App& command, ReviewPlace* place) {
  command.add_option("--source", place->source,
                     "A folder of manifests: the objects, of the kinds that Config names");
  command.add_option("--data", place->location.data, "A data folder, also one that a server uses");
  command.add_option("--snapshot", place->location.snapshot, "A snapshot file");
  AddScanOptions(command, &place->scan_limits);
}

Result<std::unique_ptr<ReviewWorld>> OpenReviewWorld(const ReviewPlace& place) {
  const bool from_inventory = !place.location.data.empty() || !place.location.snapshot.empty();
  if (from_inventory == !place.source.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "name one place for the inventory: --source DIR, --data DIR or --snapshot FILE");
  }
  return from_inventory ? Loaded<StoredWorld>(place) : Loaded<FolderWorld>(place);
}

}  // namespace portcullis::tools
