// portcullis check: compiles Rego files, with the flags, the output and the exit codes of `opa check`; and, beyond that, the
// templates and constraints of YAML files.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "document/arena.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/catalog.h"
#include "rules/rego/compile.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/policy_folder.h"
#include "tools/rego_files.h"
#include "tools/rego_report.h"
#include "tools/scan_options.h"

namespace portcullis::tools {
namespace {

struct CheckOptions {
  std::vector<std::string> paths;
  bool strict = false;
  bool v0 = false;
  bool v1 = false;
  std::string format = "pretty";
  std::size_t max_errors = 10;
  InventoryLocation inventory;
  controller::ScanLimits scan_limits;
};

// `when`: see ReportText.
int Failed(const std::vector<ReportedError>& errors, const CheckOptions& options,
           std::string_view when) {
  if (options.format == "json") {
    GoJson json = GoJson::Struct();
    json.Add("errors", ReportJson(errors));
    std::cerr << json.Indented(2) << '\n';
  } else {
    std::cerr << ReportText(errors, when) << '\n';
  }
  return kExitDenied;
}

// A template's or constraint's problem, at its place.
ReportedError ReportOfPolicy(const Error& error) {
  ReportedError report = ReportOf(error);
  report.message = error.message;
  if (error.position) {
    report.location = {.file = std::make_shared<const std::string>(error.position->file),
                       .row = error.position->line,
                       .column = error.position->column};
  }
  return report;
}

// Files of Kubernetes objects that are named, and all folders: templates and constraints may be anywhere below.
bool MayHoldManifests(const std::string& path) {
  std::error_code error;
  const std::string ending = std::filesystem::path(path).extension().string();
  return ending == ".yaml" || ending == ".yml" || ending == ".json" ||
         std::filesystem::is_directory(path, error);
}

// What the templates would scan of an inventory: warnings are printed.
void CheckScans(const CheckOptions& options, const LoadedPolicies& loaded,
                std::vector<ReportedError>* errors) {
  const Result<std::unique_ptr<LocalInventory>> local = OpenLocalInventory(options.inventory);
  if (!local) {
    errors->push_back(ReportOf(local.error()));
    return;
  }
  const std::unique_ptr<index::InventoryView> view = (*local)->inventory().View();
  const std::shared_ptr<const policy::PolicySet> policies = loaded.store->current();
  for (const policy::Template* of : policies->templates()) {
    if (const auto allowed = controller::CheckScanLimit(*of, *view, options.scan_limits);
        !allowed) {
      errors->push_back(ReportOf(With(of->kind)(allowed.error())));
    } else if (options.scan_limits.warning != 0) {
      if (const auto scan = controller::FindWidestScan(*of, *view, options.scan_limits.warning)) {
        std::cerr << "warning: " << of->kind << ": " << scan->message << '\n';
      }
    }
  }
}

int Check(const CheckOptions& options) {
  document::Arena arena;
  std::vector<std::filesystem::path> manifests;
  for (const std::string& path : options.paths) {
    std::error_code error;
    if (MayHoldManifests(path) && std::filesystem::exists(path, error)) {
      manifests.emplace_back(path);
    }
  }
  std::vector<ReportedError> policy_errors;
  if (const Result<LoadedPolicies> loaded = LoadPolicies(manifests); loaded) {
    std::ranges::transform(loaded->problems, std::back_inserter(policy_errors), ReportOfPolicy);
    if (!options.inventory.data.empty() || !options.inventory.snapshot.empty()) {
      CheckScans(options, *loaded, &policy_errors);
    }
  } else {
    policy_errors.push_back(ReportOf(loaded.error()));
  }
  auto files = LoadRegoFiles(options.paths, RegoFileKinds::kPoliciesOnly,
                             options.v0 ? rego::Version::kV0 : rego::Version::kV1, arena);
  if (!files) {
    std::vector<ReportedError> errors = std::move(files).error();
    std::ranges::move(policy_errors, std::back_inserter(errors));
    return Failed(errors, options, " during loading");
  }
  const auto catalog = rego::CreateCatalog();
  const rego::CompileOptions compile{.catalog = catalog.get(),
                                     .strict = options.strict,
                                     .keep_prints = true,
                                     .max_errors = options.max_errors};
  std::vector<ReportedError> errors;
  if (const auto policy = rego::Compile(std::move(files->modules), compile); !policy) {
    errors = ReportOf(policy.error());
  }
  std::ranges::move(policy_errors, std::back_inserter(errors));
  return errors.empty() ? kExitOk : Failed(errors, options, "");
}

}  // namespace

void AddCheck(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "check",
      "Compile Rego files, as `opa check`, and the templates and constraints of YAML files: exit 1 "
      "with all that is wrong");
  auto options = std::make_shared<CheckOptions>();
  command->add_option("path", options->paths, "Files or folders")->required();
  command->add_flag("-S,--strict", options->strict, "Check strictly: unused variables and imports");
  command->add_flag("--v0-compatible", options->v0, "Read Rego files as Rego v0");
  command->add_flag("--v1-compatible", options->v1, "Read them as Rego v1: the default");
  command->add_option("-f,--format", options->format, "pretty or json")
      ->check(CLI::IsMember({"pretty", "json"}))
      ->capture_default_str();
  command
      ->add_option("-m,--max-errors", options->max_errors,
                   "Stop the compilation at so many errors; 0: never")
      ->capture_default_str();
  command->add_option("--data", options->inventory.data,
                      "A data folder: templates that would scan too much of it are named");
  command->add_option("--snapshot", options->inventory.snapshot, "The same of a snapshot file");
  AddScanOptions(*command, &options->scan_limits);
  command->footer(
      "Examples:\n"
      "  portcullis check policy.rego lib/\n"
      "  portcullis check policies/ --snapshot cluster.snapshot --scan-limit 10000\n"
      "  portcullis check --strict --format json policies/");
  command->callback([=] { *exit_code = Check(*options); });
}

}  // namespace portcullis::tools
