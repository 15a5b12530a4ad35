// portcullis explain: how each rule of a template is answered, how many rows that is thought to take, and, of one review, how
// many it took.

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/admin_client.h"
#include "tools/command.h"
#include "tools/explain_text.h"
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
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "[…] is how a step reads the inventory, \"about\" and \"scans\" what statistics say of one "
      "run, {…} what the review took.\n"
      "Examples:\n"
      "  portcullis explain --policies ./policies K8sUniqueHost\n"
      "  portcullis explain --policies ./policies --source ./manifests --review review.json\n"
      "  portcullis explain --data ./data K8sUniqueHost");
  command->callback([=] {
    options->policies_named = policies->count() > 0;
    *exit_code = RunExplain(*options);
  });
}

}  // namespace portcullis::tools
