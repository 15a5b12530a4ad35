// portcullis explain: how each rule of a template is answered.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/command.h"
#include "tools/explain_text.h"
#include "tools/policy_folder.h"

namespace portcullis::tools {
namespace {

Result<std::vector<const policy::Template*>> Select(const policy::PolicySet& policies,
                                                    const std::string& name) {
  std::vector<const policy::Template*> selected;
  std::vector<std::string> names;
  for (const policy::Template* each : policies.templates()) {
    names.push_back(each->kind);
    if (name.empty() || each->kind == name || each->name == name) {
      selected.push_back(each);
    }
  }
  if (selected.empty() && !name.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no template {}; there are: {}", name,
                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  return selected;
}

int Explain(const std::string& folder, const std::string& name, bool json) {
  const Result<LoadedPolicies> loaded = LoadPolicies(folder);
  if (!loaded) {
    return PrintError(loaded.error());
  }
  int exit_code = kExitOk;
  for (const Error& each : loaded->problems) {
    exit_code = PrintError(each);
  }
  const std::shared_ptr<const policy::PolicySet> policies = loaded->store->current();
  const Result<std::string> text =
      json ? ExplainJson(*policies, name) : ExplainText(*policies, name);
  if (!text) {
    return PrintError(text.error());
  }
  std::cout << *text;
  return exit_code;
}

}  // namespace

Result<std::string> ExplainText(const policy::PolicySet& policies, const std::string& name) {
  std::string text;
  for (const policy::Template* each : TRY(Select(policies, name))) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", each->kind);
    for (const rego::RuleExplanation& rule : each->plan->Explain()) {
      text += fmt::format("  {}\n", rule.rule);
      for (const rego::PlanStep& step : rule.steps) {
        text += fmt::format("    {:{}}{}", "", step.depth * 2, step.text);
        if (!step.access_path.empty()) {
          std::vector<std::string> indexes;
          for (const index::Definition& definition : step.indexes) {
            indexes.push_back(definition.Summary());
          }
          text += fmt::format("   [{}{}{}]", step.access_path, indexes.empty() ? "" : " in ",
                              fmt::join(indexes, " or "));
        }
        if (!step.reason.empty()) {
          text += fmt::format("   ({})", step.reason);
        }
        text += '\n';
      }
    }
    const std::vector<index::Definition>& wanted = each->plan->wanted_indexes();
    if (wanted.empty()) {
      text += each->reads_inventory() ? "  asks for no index\n" : "  reads no inventory\n";
    }
    for (const index::Definition& definition : wanted) {
      text += fmt::format("  asks for the index {}\n", definition.Summary());
    }
  }
  return text;
}

Result<std::string> ExplainJson(const policy::PolicySet& policies, const std::string& name) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const policy::Template* each : TRY(Select(policies, name))) {
    nlohmann::ordered_json rules = nlohmann::ordered_json::array();
    for (const rego::RuleExplanation& rule : each->plan->Explain()) {
      nlohmann::ordered_json steps = nlohmann::ordered_json::array();
      for (const rego::PlanStep& step : rule.steps) {
        nlohmann::ordered_json line = {{"depth", step.depth}, {"text", step.text}};
        if (!step.access_path.empty()) {
          line["accessPath"] = step.access_path;
        }
        for (const index::Definition& definition : step.indexes) {
          line["indexes"].push_back(definition.ToString());
        }
        if (!step.reason.empty()) {
          line["reason"] = step.reason;
        }
        steps.push_back(std::move(line));
      }
      rules.push_back({{"rule", rule.rule}, {"steps", std::move(steps)}});
    }
    nlohmann::ordered_json wanted = nlohmann::ordered_json::array();
    for (const index::Definition& definition : each->plan->wanted_indexes()) {
      wanted.push_back(definition.ToString());
    }
    json.push_back({{"template", each->kind},
                    {"readsInventory", each->reads_inventory()},
                    {"rules", std::move(rules)},
                    {"indexes", std::move(wanted)}});
  }
  return json.dump(2) + '\n';
}

void AddExplain(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand("explain",
                                         "Show the plan of each rule: its steps, how each reads "
                                         "the inventory, the indexes it asks for");
  auto folder = std::make_shared<std::string>("policies");
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("--policies", *folder, "The folder (or file) with the templates")
      ->capture_default_str();
  command->add_option("template", *name, "One template, by kind or name; without it all");
  command->add_flag("--json", *json, "Print JSON");
  command->footer("Example:\n  portcullis explain --policies ./policies K8sUniqueHost");
  command->callback([=] { *exit_code = Explain(*folder, *name, *json); });
}

}  // namespace portcullis::tools
