// portcullis explain: how each rule of a template is answered, how many rows that is thought to take, and, of one review, how
// many it took.

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "document/yaml.h"
#include "mutation/mutation_system.h"
#include "tools/admin_client.h"
#include "tools/command.h"
#include "tools/explain_text.h"
#include "tools/manifest_namespaces.h"
#include "tools/policy_folder.h"
#include "tools/review_world.h"

namespace portcullis::tools {
namespace {

constexpr std::chrono::minutes kBuildTimeout{30};

struct ExplainOptions {
  ReviewPlace place;
  bool policies_named = false;
  std::string name;
  std::string review;
  bool json = false;
  std::string objects;  // A file: the mutators of its objects are asked for.
};

int Print(const Result<std::string>& text, int exit_code) {
  if (!text) {
    return PrintError(text.error());
  }
  std::cout << *text;
  return exit_code;
}

int ExplainPolicies(const ExplainOptions& options) {
  const Result<LoadedPolicies> loaded = LoadPolicies(options.place.policies);
  if (!loaded) {
    return PrintError(loaded.error());
  }
  int exit_code = kExitOk;
  for (const Error& each : loaded->problems) {
    exit_code = PrintError(each);
  }
  const std::shared_ptr<const policy::PolicySet> policies = loaded->store->current();
  return Print(Explain(*policies, {.name = options.name, .json = options.json}), exit_code);
}

Result<std::string> AskServer(const ExplainOptions& options) {
  const std::unique_ptr<AdminClient> client =
      TRY(AdminClient::Connect(AdminSocketPath(options.place.location.data)));
  return client->Explain(options.name, options.json);
}

// A snapshot has none.
Result<void> BuildIndexes(const policy::PolicySet& policies, index::Inventory& inventory) {
  std::vector<index::IndexRequest> wanted;
  for (const policy::Template* each : policies.templates()) {
    for (const index::Definition& definition : each->plan->wanted_indexes()) {
      wanted.push_back({.definition = definition, .user = each->kind});
    }
  }
  TRY(inventory.SetWantedIndexes(std::move(wanted)));
  if (!inventory.WaitUntilIndexesReady(kBuildTimeout)) {
    return Fail(ErrorCode::kUnavailable, "the indexes were not built within 30 minutes");
  }
  return {};
}

Result<std::string> ExplainInWorld(const ExplainOptions& options) {
  const std::unique_ptr<ReviewWorld> world = TRY(OpenReviewWorld(options.place));
  const std::shared_ptr<const policy::PolicySet> policies = world->policies().current();
  if (!options.place.location.snapshot.empty()) {
    TRY(BuildIndexes(*policies, world->inventory()));
  }
  TRY(world->inventory().UpdateStatistics());
  std::vector<policy::TemplateTime> actual;
  if (!options.review.empty()) {
    const std::string body = TRY(ReadFile(options.review));
    webhook::AdmissionOptions admission;
    admission.evaluation_timeout = std::chrono::minutes(5);
    admission.measure_accesses = true;
    const std::unique_ptr<webhook::AdmissionHandler> handler = world->MakeHandler(admission);
    handler->Admit("application/json", body);  // What is done once is not what is measured.
    webhook::AdmissionOutcome outcome = handler->Admit("application/json", body);
    if (!outcome.allowed && outcome.code != 403) {
      return Fail(ErrorCode::kInvalidArgument, "the review was not answered: " + outcome.body);
    }
    actual = std::move(outcome.times);
    if (actual.empty() && options.name.empty()) {
      return Fail(ErrorCode::kNotFound, "no constraint matches the review");
    }
  }
  const std::unique_ptr<index::InventoryView> view = world->inventory().View();
  return Explain(
      *policies,
      {.name = options.name, .json = options.json, .inventory = view.get(), .actual = actual});
}

int RunExplain(ExplainOptions options) {
  if (!options.policies_named && !options.place.location.data.empty() && options.review.empty()) {
    return Print(AskServer(options), kExitOk);
  }
  if (!options.policies_named && options.place.source.empty()) {
    options.place.policies = "policies";
  }
  if (options.place.names_inventory()) {
    return Print(ExplainInWorld(options), kExitOk);
  }
  return options.review.empty()
             ? ExplainPolicies(options)
             : PrintError(
                   "--review needs an inventory: --source DIR, --data DIR or --snapshot FILE");
}

// The mutators that match each object of a file, in the order in which they are applied.
Result<int> ExplainMutators(const std::string& folder, const std::string& file, bool json) {
  const LoadedPolicies loaded = TRY(LoadPolicies(folder));
  int exit_code = kExitOk;
  for (const Error& each : loaded.problems) {
    exit_code = PrintError(each);
  }
  const std::string text = TRY(ReadFile(file, std::uint64_t{64} << 20));
  document::Arena arena;
  const auto objects = TRY(document::ParseManifests(text, arena, {.file = file}));
  const std::shared_ptr<const mutation::MutationSet> mutators = loaded.mutators->current();
  ManifestNamespaces namespaces;
  for (const document::YamlDocument& each : objects) {
    namespaces.Add(each.value);
  }
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const document::YamlDocument& each : objects) {
    const std::string object = fmt::format("{} {}", each.value.GetString({"kind"}),
                                           each.value.GetString({"metadata", "name"}));
    nlohmann::ordered_json names = nlohmann::ordered_json::array();
    std::string lines;
    for (const mutation::Mutator* mutator :
         TRY(mutators->Matching({.object = each.value,
                                 .name_space = namespaces.Find(each.value, arena),
                                 .username = {},
                                 .source = "Original",
                                 .operation = mutation::Operation::kCreate}))) {
      const std::string_view kind = mutation::NameOf(mutator->id().kind);
      names.push_back({{"kind", kind},
                       {"name", mutator->id().name},
                       {"location", mutator->location().ToString()}});
      lines +=
          fmt::format("  {} {}   {}\n", kind, mutator->id().name, mutator->location().ToString());
    }
    if (!json) {
      std::cout << object << '\n' << (lines.empty() ? "  no mutator matches\n" : lines);
    }
    out.push_back({{"object", object}, {"mutators", std::move(names)}});
  }
  if (json) {
    std::cout << out.dump(2) << '\n';
  }
  return exit_code;
}

}  // namespace

void AddExplain(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "explain",
      "Show the plan of each rule: its steps, how each reads the inventory, the indexes it asks "
      "for; with an inventory the rows that are expected, with a review those that it took");
  auto options = std::make_shared<ExplainOptions>();
  auto* policies = command->add_option(
      "--policies", options->place.policies,
      "The folder (or file) with the templates; without it ./policies, those in --source, or with "
      "--data those of the server that runs there");
  command->add_option("template", options->name, "One template, by kind or name; without it all");
  AddPlaceOptions(*command, &options->place);
  command->add_option("--review", options->review,
                      "An AdmissionReview, JSON, that is answered and measured: runs, objects, "
                      "rows, bytes and time of each step; - is standard input");
  command->add_option("-f,--filename", options->objects,
                      "Objects: lists the mutators that match each, in the order in which they are "
                      "applied, instead of plans");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "[…] is how a step reads the inventory, \"about\" and \"scans\" what statistics say of one "
      "run, {…} what the review took.\n"
      "Examples:\n"
      "  portcullis explain --policies ./policies K8sUniqueHost\n"
      "  portcullis explain --policies ./policies --source ./manifests --review review.json\n"
      "  portcullis explain --policies ./policies -f pod.yaml\n"
      "  portcullis explain --data ./data K8sUniqueHost");
  command->callback([=] {
    options->policies_named = policies->count() > 0;
    if (options->objects.empty()) {
      *exit_code = RunExplain(*options);
      return;
    }
    const std::string folder =
        options->place.policies.empty() ? "policies" : options->place.policies;
    const Result<int> done = ExplainMutators(folder, options->objects, options->json);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

}  // namespace portcullis::tools
