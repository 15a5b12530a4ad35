// portcullis violations: all that the audit found, of a running server or of a data folder at rest.

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "document/arena.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/inventory_commands.h"
#include "tools/violations_print.h"

namespace portcullis::tools {
namespace {

struct ViolationsOptions {
  InventoryLocation location;
  audit::FindingsFilter filter;
  std::string constraint;  // KIND or KIND/NAME
  std::string format;
  std::uint64_t limit = 0;
  double interval_s = 1;
};

// KIND or KIND/NAME
void SplitConstraint(ViolationsOptions* options) {
  const std::size_t slash = options->constraint.find('/');
  options->filter.constraint_kind = options->constraint.substr(0, slash);
  options->filter.constraint_name =
      slash == std::string::npos ? "" : options->constraint.substr(slash + 1);
}

// Until `take` returns false.
Result<void> Visit(InventoryReader& reader, const audit::FindingsFilter& filter,
                   const std::function<bool(const ListedViolation&)>& take) {
  document::Arena arena;
  return reader.Findings(filter, [&](std::string_view key, std::string_view value) -> Result<bool> {
    arena.Reset();
    const auto findings = audit::DecodeFindings(key, value, audit::Trust::kForeign, arena);
    if (!findings) {
      return Fail(ErrorCode::kCorruption, "there is a violation that cannot be read");
    }
    for (const ListedViolation& each : ToListed(*findings)) {
      if (!take(each)) {
        return false;
      }
    }
    return true;
  });
}

Result<int> List(const ViolationsOptions& options, InventoryReader& reader) {
  std::uint64_t count = 0;
  PolicyReports reports;
  if (options.format == "table") {
    std::cout << TableHead() << '\n';
  }
  TRY(Visit(reader, options.filter, [&](const ListedViolation& each) {
    if (options.format == "table") {
      std::cout << TableLine(each) << '\n';
    } else if (options.format == "json") {
      std::cout << ToJson(each).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << '\n';
    } else {
      reports.Add(each);
    }
    return ++count != options.limit && std::cout.good();
  }));
  for (const nlohmann::ordered_json& report : reports.Reports()) {
    std::cout << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  return kExitOk;
}

// What came and what went, until standard output or the server goes away.
Result<int> Watch(const ViolationsOptions& options, InventoryReader& reader) {
  std::set<ListedViolation> known;
  std::cout << "  " << TableHead() << std::endl;
  while (std::cout.good()) {
    std::set<ListedViolation> now;
    TRY(Visit(reader, options.filter, [&now](const ListedViolation& each) {
      now.insert(each);
      return true;
    }));
    for (const ListedViolation& each : known) {
      if (!now.contains(each)) {
        std::cout << "- " << TableLine(each) << '\n';
      }
    }
    for (const ListedViolation& each : now) {
      if (!known.contains(each)) {
        std::cout << "+ " << TableLine(each) << '\n';
      }
    }
    std::cout << std::flush;
    known = std::move(now);
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_s));
  }
  return kExitOk;
}

void AddFilterOptions(CLI::App& command, ViolationsOptions* options) {
  command
      .add_option("--data", options->location.data,
                  "A data folder; the server that runs on it is asked, if there is one")
      ->required();
  command.add_option("--constraint", options->constraint, "Only of this: KIND or KIND/NAME");
  command.add_option("--namespace", options->filter.name_space,
                     "Only of objects in this namespace");
  command.add_option("--kind", options->filter.object_kind, "Only of objects of this kind");
}

void AddList(CLI::App& violations, int* exit_code) {
  auto* command = violations.add_subcommand("list", "Every violation, by constraint, then object");
  auto options = std::make_shared<ViolationsOptions>();
  AddFilterOptions(*command, options.get());
  AddFormatOption(*command, &options->format, {"table", "json", "policyreport"});
  command->add_option("--limit", options->limit, "At most so many; 0: all")->capture_default_str();
  command->footer(
      "json: an object a line. policyreport: PolicyReport and ClusterPolicyReport objects "
      "(wgpolicyk8s.io/v1alpha2), one a line.\n"
      "Examples:\n"
      "  portcullis violations list --data ./data --constraint K8sUniqueIngressHost\n"
      "  portcullis violations list --data ./data --namespace shop -o json\n"
      "  portcullis violations list --data ./data -o policyreport | kubectl apply -f -");
  command->callback([=] {
    SplitConstraint(options.get());
    *exit_code = WithInventory(options->location,
                               [&](InventoryReader& reader) { return List(*options, reader); });
  });
}

void AddGet(CLI::App& violations, int* exit_code) {
  auto* command = violations.add_subcommand(
      "get", "The violations of one constraint in full, with their details, as JSON");
  auto options = std::make_shared<ViolationsOptions>();
  options->format = "json";
  AddFilterOptions(*command, options.get());
  command->remove_option(command->get_option("--constraint"));
  command->add_option("CONSTRAINT", options->constraint, "KIND/NAME")->required();
  command->footer("Example:\n  portcullis violations get --data ./data K8sRequiredLabels/owner");
  command->callback([=] {
    SplitConstraint(options.get());
    *exit_code = options->filter.constraint_name.empty()
                     ? PrintError("name a constraint as KIND/NAME")
                     : WithInventory(options->location, [&](InventoryReader& reader) {
                         return List(*options, reader);
                       });
  });
}

void AddWatch(CLI::App& violations, int* exit_code) {
  auto* command = violations.add_subcommand(
      "watch", "Every violation, then which come (+) and go (-), of a running server");
  auto options = std::make_shared<ViolationsOptions>();
  AddFilterOptions(*command, options.get());
  command->add_option("--interval", options->interval_s, "Seconds between looks")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  command->footer("Example:\n  portcullis violations watch --data ./data --namespace shop");
  command->callback([=] {
    SplitConstraint(options.get());
    *exit_code = WithInventory(options->location,
                               [&](InventoryReader& reader) { return Watch(*options, reader); });
  });
}

}  // namespace

void AddViolations(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "violations", "What the audit found: every violation, kept up to date by change");
  command->require_subcommand(1);
  AddList(*command, exit_code);
  AddGet(*command, exit_code);
  AddWatch(*command, exit_code);
}

}  // namespace portcullis::tools
