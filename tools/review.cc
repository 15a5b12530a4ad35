// portcullis review: one AdmissionReview from a file, answered as the webhook answers it.

#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "document/json.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/policy_folder.h"
#include "tools/runtime.h"
#include "webhook/admission.h"

namespace portcullis::tools {
namespace {

constexpr std::chrono::minutes kLoadTimeout{30};

struct ReviewOptions {
  std::string file;
  std::string source;
  std::string policies;
  InventoryLocation location;
  bool no_index = false;
};

int Answer(webhook::AdmissionHandler& handler, const std::string& body) {
  const webhook::AdmissionOutcome outcome = handler.Admit("application/json", body);
  std::cout << outcome.body << std::flush;
  if (outcome.allowed) {
    return kExitOk;
  }
  return outcome.code == 403 || outcome.code == 422 ? kExitDenied : kExitError;
}

webhook::AdmissionOptions HandlerOptions(const ReviewOptions& options) {
  webhook::AdmissionOptions handler;
  handler.evaluation_timeout = std::chrono::minutes(5);
  handler.index_use = options.no_index ? rego::IndexUse::kIgnore : rego::IndexUse::kUse;
  return handler;
}

// With a folder of manifests: what `serve` would run, in a temporary store, until it is ready.
Result<int> ReviewFromFolder(const ReviewOptions& options, const std::string& body) {
  SystemClock clock;
  Metrics metrics;
  const std::shared_ptr<Logger> logger = Logger::Silent();
  const std::unique_ptr<TemporaryFolder> folder = TRY(TemporaryFolder::Create());
  RuntimeOptions runtime_options;
  runtime_options.inventory.store.path = StorePath(folder->path());
  runtime_options.source = options.source;
  runtime_options.policies = options.policies;
  const std::unique_ptr<Runtime> runtime =
      TRY(Runtime::Start(runtime_options, clock, logger, metrics));
  const auto deadline = clock.Now() + kLoadTimeout;
  std::vector<std::string> reasons = runtime->NotReady();
  while (!reasons.empty()) {
    if (clock.Now() > deadline) {
      return Fail(ErrorCode::kUnavailable, "not loaded within 30 minutes: " + reasons.front());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    reasons = runtime->NotReady();
  }
  for (const std::string& each : runtime->Problems()) {
    PrintError(each);
  }
  for (const Error& each :
       TRY(FindOrphans(options.policies.empty() ? options.source : options.policies))) {
    PrintError(each);
  }
  if (runtime->nothing_to_read()) {
    PrintError(
        "no Config or SyncSet among the policies names kinds to replicate: data.inventory is "
        "empty");
  }
  webhook::AdmissionHandler handler(runtime->policies(), runtime->inventory(),
                                    runtime->namespaces(), runtime->excluder(), clock, logger,
                                    metrics, HandlerOptions(options));
  return Answer(handler, body);
}

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
  explicit ConfigExclusions(std::shared_ptr<const controller::Exclusions> exclusions)
      : exclusions_(std::move(exclusions)) {}
  [[nodiscard]] bool IsExcluded(std::string_view group, std::string_view kind,
                                std::string_view name_space, std::string_view name) const override {
    return exclusions_->IsExcluded("webhook", group, kind, name_space, name);
  }

 private:
  std::shared_ptr<const controller::Exclusions> exclusions_;
};

// With an inventory that is there already. Its indexes are used where they are built; a snapshot is scanned.
Result<int> ReviewFromInventory(const ReviewOptions& options, const std::string& body) {
  if (options.policies.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "name the policies: --policies DIR");
  }
  const LoadedPolicies loaded = TRY(LoadPolicies(options.policies));
  for (const Error& each : loaded.problems) {
    PrintError(each);
  }
  const std::unique_ptr<LocalInventory> local = TRY(OpenLocalInventory(options.location));
  SystemClock clock;
  Metrics metrics;
  StoredNamespaces namespaces(local->inventory());
  const ConfigExclusions excluder(loaded.exclusions);
  webhook::AdmissionHandler handler(*loaded.store, local->inventory(), namespaces, excluder, clock,
                                    Logger::Silent(), metrics, HandlerOptions(options));
  return Answer(handler, body);
}

Result<int> Review(const ReviewOptions& options) {
  const bool from_inventory = !options.location.data.empty() || !options.location.snapshot.empty();
  if (from_inventory == !options.source.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "name one place for the inventory: --source DIR, --data DIR or --snapshot FILE");
  }
  const std::string body = TRY(ReadFile(options.file, std::uint64_t{64} << 20));
  return from_inventory ? ReviewFromInventory(options, body) : ReviewFromFolder(options, body);
}

}  // namespace

void AddReview(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "review",
      "Answer one AdmissionReview as the webhook would: exit 0 allowed, 1 denied, 2 error");
  auto options = std::make_shared<ReviewOptions>();
  command
      ->add_option("-f,--filename", options->file, "The AdmissionReview, JSON; - is standard input")
      ->required();
  command->add_option("--source", options->source,
                      "A folder of manifests: the objects, of the kinds that Config names");
  command->add_option("--data", options->location.data,
                      "A data folder, also one that a server uses");
  command->add_option("--snapshot", options->location.snapshot, "A snapshot file");
  command->add_option(
      "--policies", options->policies,
      "A folder of templates, constraints and Config; without it they are looked for in --source");
  command->add_flag("--no-index", options->no_index,
                    "Scan where an index would serve: slower, the same answer");
  command->footer(
      "Examples:\n"
      "  portcullis review -f review.json --source ./manifests --policies ./policies\n"
      "  portcullis review -f - --snapshot cluster.snapshot --policies ./policies < review.json");
  command->callback([=] {
    const Result<int> done = Review(*options);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

}  // namespace portcullis::tools
