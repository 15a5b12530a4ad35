// portcullis verify: runs suites of policy tests, with the arguments, the lines and the exit codes of `gator verify`.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "rules/builtins/builtin.h"
#include "rules/policy/suite.h"
#include "rules/rego/catalog.h"
#include "tools/command.h"

namespace portcullis::tools {
namespace {

struct VerifyOptions {
  std::vector<std::string> paths;
  std::string run;
  bool verbose = false;
  bool trace = false;
  bool native_validation = false;
};

int Failed(const std::string& text) {
  std::cerr << "Error: " << text << '\n';
  return kExitDenied;
}

int Verify(const VerifyOptions& options) {
  if (options.native_validation) {
    return Failed(
        "CEL (K8sNativeValidation) is not run here: leave --enable-k8s-native-validation out, or "
        "set it to false");
  }
  std::vector<policy::Suite> suites;
  for (const std::string& path : options.paths) {
    auto found = policy::ReadSuites(path);
    if (!found) {
      return Failed("listing test files: " + found.error().message);
    }
    std::ranges::move(*found, std::back_inserter(suites));
  }
  const auto filter = policy::SuiteFilter::Parse(options.run);
  if (!filter) {
    return Failed("compiling filter: " + filter.error().message);
  }
  SystemClock clock;
  policy::SuiteRunner runner(rego::CreateCatalog(), {.store = {}, .trace = options.trace}, clock);
  std::vector<policy::SuiteResult> results;
  for (const policy::Suite& suite : suites) {
    results.push_back(runner.Run(suite, *filter));
  }
  std::cout << policy::ToText(results, options.verbose ? policy::SuiteOutput::kVerbose
                                                       : policy::SuiteOutput::kFailures)
            << std::endl;
  const bool failed = std::ranges::any_of(
      results, [](const policy::SuiteResult& result) { return result.failed(); });
  return failed ? Failed("FAIL") : kExitOk;
}

}  // namespace

void AddVerify(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "verify", "Run suites of tests on constraints, as `gator verify`: exit 0 passed, 1 not");
  auto options = std::make_shared<VerifyOptions>();
  command
      ->add_option("path", options->paths,
                   "Files or folders with suites; PATH/... takes the folders below as well")
      ->required();
  command->add_option("-r,--run", options->run,
                      "Regular expression: the tests or cases to run by name; TEST//CASE for cases "
                      "of some tests");
  command->add_flag("-v,--verbose", options->verbose,
                    "Print each case, and what print() writes in it");
  command->add_flag("-t,--trace", options->trace,
                    "Print how the review of each case was evaluated, step by step");
  command->add_flag("--enable-k8s-native-validation", options->native_validation,
                    "Only =false is possible: CEL is not run");
  command->footer(
      "Examples:\n"
      "  portcullis verify policies/...\n"
      "  portcullis verify suite.yaml --run '//^nginx-deployment$' -v\n"
      "  portcullis verify suite.yaml --trace");
  command->callback([=] { *exit_code = Verify(*options); });
}

}  // namespace portcullis::tools
