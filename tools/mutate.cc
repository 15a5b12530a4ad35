// portcullis mutate: what the mutators of a folder make of objects.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "document/json.h"
#include "document/yaml.h"
#include "mutation/go_value.h"
#include "mutation/json_patch.h"
#include "mutation/mutation_id.h"
#include "mutation/mutation_system.h"
#include "tools/command.h"
#include "tools/manifest_namespaces.h"
#include "tools/policy_folder.h"

namespace portcullis::tools {
namespace {

using document::Value;

struct MutateOptions {
  std::string file;
  std::string policies = "policies";
  std::string operation = "CREATE";
  std::string username;
  bool diff = false;
  bool json = false;
};

std::string Named(const Value& object) {
  const std::string_view name_space = object.GetString({"metadata", "namespace"});
  return fmt::format("{} {}{}{}", object.GetString({"kind"}), name_space,
                     name_space.empty() ? "" : "/", object.GetString({"metadata", "name"}));
}

void PrintSteps(const Value& object, const std::vector<mutation::MutationStep>& steps) {
  std::cout << Named(object) << (steps.empty() ? ": not mutated\n" : "\n");
  for (const mutation::MutationStep& step : steps) {
    std::string patch;
    mutation::AppendJsonPatch(step.before, step.after, &patch);
    document::Arena arena;
    const auto operations = document::ParseJson(patch, arena);
    for (std::uint32_t i = 0; operations && i < operations->size(); ++i) {
      const Value operation = operations->ItemAt(i);
      const Value value = operation.Find("value");
      std::string text;
      if (value.is_defined()) {
        mutation::AppendGoJson(value, &text);
      }
      std::cout << fmt::format("  {} {}{}{}   [{} {}, pass {}]\n", operation.GetString({"op"}),
                               operation.GetString({"path"}), text.empty() ? "" : " ", text,
                               mutation::NameOf(step.mutator->id().kind), step.mutator->id().name,
                               step.iteration);
    }
  }
}

Result<int> Mutate(const MutateOptions& options) {
  const LoadedPolicies loaded = TRY(LoadPolicies(options.policies));
  int exit_code = kExitOk;
  for (const Error& each : loaded.problems) {
    exit_code = PrintError(each);
  }
  for (const mutation::MutatorStatus& status : loaded.mutators->Statuses()) {
    for (const mutation::MutatorError& error : status.errors) {
      if (!error.type.empty()) {  // What was refused is among the problems.
        exit_code = PrintError(fmt::format("{} {}: {}", mutation::NameOf(status.id.kind),
                                           status.id.name, error.message));
      }
    }
  }
  const std::string text = TRY(ReadFile(options.file, std::uint64_t{64} << 20));
  document::Arena arena;
  document::ParseOptions parse;
  parse.file = options.file;
  const std::vector<document::YamlDocument> documents =
      TRY(document::ParseManifests(text, arena, parse));
  ManifestNamespaces namespaces;
  for (const document::YamlDocument& each : documents) {
    namespaces.Add(each.value);
  }
  const std::shared_ptr<const mutation::MutationSet> mutators = loaded.mutators->current();
  const mutation::MutateOptions how{.new_id = mutation::NewMutationId};
  bool first = true;
  for (const document::YamlDocument& each : documents) {
    if (each.value.GetString({"kind"}).empty()) {
      return Fail(ErrorCode::kInvalidArgument, "an object without kind",
                  Position{.file = options.file, .line = each.line, .column = 0});
    }
    const mutation::Mutable target{.object = each.value,
                                   .name_space = namespaces.Find(each.value, arena),
                                   .username = options.username,
                                   .source = "Original",
                                   .operation = options.operation == "UPDATE"
                                                    ? mutation::Operation::kUpdate
                                                    : mutation::Operation::kCreate};
    std::vector<mutation::MutationStep> steps;
    const mutation::MutationOutcome outcome = TRY(mutators->Mutate(target, how, arena, &steps));
    if (options.diff) {
      PrintSteps(each.value, steps);
      continue;
    }
    std::string out;
    mutation::AppendGoJson(outcome.object, &out);
    if (!options.json) {
      const Value mutated = TRY(document::ParseJson(out, arena));
      out = (first ? "" : "---\n") + document::ToYaml(mutated);
    } else {
      out += '\n';
    }
    std::cout << out;
    first = false;
  }
  std::cout << std::flush;
  return exit_code;
}

}  // namespace

void AddMutate(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "mutate", "Print what mutators make of objects, or what they change and which of them does");
  auto options = std::make_shared<MutateOptions>();
  command
      ->add_option(
          "-f,--filename", options->file,
          "The objects, YAML or JSON; - is standard input. Namespaces among them are those "
          "that namespaceSelector asks")
      ->required();
  command
      ->add_option("--policies", options->policies,
                   "The folder (or file) with the mutators: Assign, AssignMetadata, ModifySet, "
                   "AssignImage")
      ->capture_default_str();
  command->add_flag("--diff", options->diff,
                    "Print each change, the mutator that made it, and in which pass");
  command->add_flag("--json", options->json, "Print JSON, an object a line");
  command->add_option("--operation", options->operation, "CREATE or UPDATE")
      ->check(CLI::IsMember({"CREATE", "UPDATE"}))
      ->capture_default_str();
  command->add_option("--username", options->username, "Who asks, for providers of external data");
  command->footer(
      "Examples:\n"
      "  portcullis mutate -f pod.yaml --policies ./policies\n"
      "  portcullis mutate -f pod.yaml --policies ./policies --diff");
  command->callback([=] {
    const Result<int> done = Mutate(*options);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

}  // namespace portcullis::tools
