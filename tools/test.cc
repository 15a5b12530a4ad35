// portcullis test: reviews the objects of files against the policies among them, with the flags, the output and the exit codes
// of `gator test`.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "rules/builtins/builtin.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/rego/catalog.h"
#include "tools/command.h"
#include "tools/gator_inputs.h"
#include "tools/test_print.h"
#include "tools/test_run.h"

namespace portcullis::tools {
namespace {

using document::Value;

struct TestOptions {
  GatorSources sources;
  std::string output;
  bool stats = false;
  bool deny_only = false;
  bool trace = false;
  bool verbose = false;
  bool native_validation = false;
};

std::string Formatted(const TestOptions& options, const TestReport& report) {
  std::vector<TestResult> shown;
  for (const TestResult& result : report.results) {
    if (!options.deny_only || result.denies()) {
      shown.push_back(result);
    }
  }
  const TestStatisticsShown statistics{
      .statistics = options.stats && !report.statistics.empty() ? &report.statistics : nullptr,
      .prints_kept = options.verbose,
      .trace = report.trace};
  const std::string format = policy::LowerCase(options.output);
  if (format == "json") {
    return TestJson(shown, statistics);
  }
  return format == "yaml" ? TestYaml(shown, statistics) : TestText(shown, report.trace);
}

Result<int> Test(const TestOptions& options) {
  if (options.native_validation) {
    return Fail(ErrorCode::kInvalidArgument,
                "CEL (K8sNativeValidation) is not run here: leave --enable-k8s-native-validation "
                "out, or set it to false");
  }
  document::Arena arena;
  const std::vector<Value> objects = TRY(ReadGatorInputs(options.sources, arena));
  SystemClock clock;
  policy::PolicyStore policies(rego::CreateCatalog(),
                               {.templates = {.keep_prints = options.verbose},
                                .check_enforcement_actions = false,
                                .parameter_numbers = policy::ParameterNumbers::kFloat64});
  const TestReport report = TRY(
      AddContext(RunTest(objects, policies, options.verbose ? TestPrints::kKeep : TestPrints::kDrop,
                         options.trace ? TestTrace::kMake : TestTrace::kNone, clock, arena),
                 "auditing objects"));
  std::cout << Formatted(options, report);
  if (!report.prints.empty()) {
    std::cout << '\n' << report.prints << '\n';
  }
  std::cout << std::flush;
  return std::ranges::any_of(report.results, [](const TestResult& each) { return each.denies(); })
             ? kExitDenied
             : kExitOk;
}

}  // namespace

void AddTest(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "test",
      "Review the objects of files against the policies among them, as `gator test`: exit 1 when a "
      "constraint denies one");
  auto options = std::make_shared<TestOptions>();
  AddGatorSources(*command, "-f,--filename", "templates, constraints and objects",
                  &options->sources);
  command->add_option("-o,--output", options->output, "json or yaml; without it, text");
  command->add_flag("--stats", options->stats, "Print what each template took (json and yaml)");
  command->add_flag("--deny-only", options->deny_only, "Print the results alone that deny");
  command->add_flag("-t,--trace", options->trace,
                    "Print with each result how all reviews were evaluated, step by step");
  command->add_flag("-v,--verbose", options->verbose, "Print what print() writes");
  command->add_flag("--enable-k8s-native-validation", options->native_validation,
                    "Only =false is possible: CEL is not run");
  command->footer(
      "Examples:\n"
      "  portcullis test --filename manifests/ --filename policies/\n"
      "  kustomize build overlays/prod | portcullis test -f policies/ --output json\n"
      "  portcullis test -f policies/ -f pod.yaml --trace");
  SetGatorCallback(*command, exit_code, [options] { return Test(*options); });
}

}  // namespace portcullis::tools
