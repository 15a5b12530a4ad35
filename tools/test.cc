// portcullis test: reviews the objects of files against the policies among them, with the flags, the output and the exit codes
// of `gator test`.

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "document/object.h"
#include "document/yaml.h"
#include "rules/builtins/builtin.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/rego/catalog.h"
#include "tools/command.h"
#include "tools/test_print.h"
#include "tools/test_run.h"

namespace portcullis::tools {
namespace {

namespace fs = std::filesystem;
using document::Value;

struct TestOptions {
  std::vector<std::string> files;
  std::vector<std::string> images;
  std::string output;
  bool stats = false;
  bool deny_only = false;
  bool verbose = false;
  bool native_validation = false;
};

bool IsManifest(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
}

// The files below a path in the order in which Go walks them: by name, folder by folder.
Result<void> AddFiles(const fs::path& path, std::vector<std::string>* files) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (IsManifest(path)) {
      files->push_back(path.string());
    }
    return {};
  }
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  if (error) {
    return Fail(ErrorCode::kUnavailable,
                "normalizing filenames: filename " + policy::Quote(path.string()) +
                    ": walking: open " + path.string() + ": " + policy::LowerCase(error.message()));
  }
  std::ranges::sort(entries);
  for (const fs::path& entry : entries) {
    TRY(AddFiles(entry.lexically_normal(), files));
  }
  return {};
}

// The objects of all inputs, in their order, with where each comes from.
class Inputs {
 public:
  explicit Inputs(document::Arena& arena) : arena_(arena) {}

  Result<void> ReadPath(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      return Fail(ErrorCode::kNotFound, "stat on path " + policy::Quote(path) + ": stat " + path +
                                            ": " + policy::LowerCase(error.message()));
    }
    if (!fs::is_directory(status) && !IsManifest(path)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "path " + policy::Quote(path) + " must be of extensions: [.yaml .yml .json]");
    }
    std::vector<std::string> files;
    TRY(AddFiles(path, &files));
    for (const std::string& file : files) {
      const std::string name = policy::Quote(file);
      const std::string text = TRY(AddContext(ReadFile(file), "opening file " + name));
      TRY(AddContext(Add(text, "file: " + name), "reading file " + name));
    }
    return {};
  }

  Result<void> ReadStandardInput() {
    struct stat status = {};
    if (::fstat(STDIN_FILENO, &status) != 0 || S_ISCHR(status.st_mode)) {
      return {};
    }
    const std::string text = TRY(ReadFile("-"));
    return AddContext(Add(text, "stdin"), "reading");
  }

  [[nodiscard]] const std::vector<Value>& objects() const { return objects_; }

 private:
  Result<void> Add(const std::string& text, const std::string& source) {
    const auto documents =
        document::ParseYaml(text, arena_, {.numbers = document::NumberMode::kFloat64});
    if (!documents) {
      return Fail(documents.error().code, "reading yaml source: error converting YAML to JSON: " +
                                              documents.error().ToString());
    }
    for (const document::YamlDocument& each : *documents) {
      if (each.value.is_null() || (each.value.is_object() && each.value.size() == 0)) {
        continue;
      }
      if (!each.value.is_object()) {
        const std::string kind = each.value.is_array()     ? "array"
                                 : each.value.is_string()  ? "string"
                                 : each.value.is_boolean() ? "bool"
                                                           : "number";
        return Fail(ErrorCode::kInvalidArgument,
                    "reading yaml source: error unmarshaling JSON: while decoding JSON: json: "
                    "cannot unmarshal " +
                        kind + " into Go value of type map[string]interface {}");
      }
      objects_.push_back(each.value);
      WarnOfTwin(each.value, source);
    }
    return {};
  }

  void WarnOfTwin(const Value& object, const std::string& source) {
    const document::GroupVersionKind type = document::MakeGroupVersionKind(
        object.GetString({"apiVersion"}), object.GetString({"kind"}));
    const std::string name(object.GetString({"metadata", "name"}));
    const std::string key = type.group + '\0' + type.kind + '\0' + name + '\0' +
                            std::string(object.GetString({"metadata", "namespace"}));
    const auto [at, fresh] = sources_.emplace(key, source);
    if (!fresh) {
      std::cerr << fmt::format("{:%Y/%m/%d %H:%M:%S}",
                               fmt::localtime(
                                   std::chrono::system_clock::to_time_t(SystemClock().WallNow())))
                << " WARNING - Resource named " << policy::Quote(name) << " (from " << source
                << ") is already defined in " << at->second << '\n';
      at->second = source;
    }
  }

  document::Arena& arena_;
  std::vector<Value> objects_;
  std::map<std::string, std::string> sources_;
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
      .prints_kept = options.verbose};
  const std::string format = policy::LowerCase(options.output);
  if (format == "json") {
    return TestJson(shown, statistics);
  }
  return format == "yaml" ? TestYaml(shown, statistics) : TestText(shown);
}

Result<int> Test(const TestOptions& options) {
  if (options.native_validation) {
    return Fail(ErrorCode::kInvalidArgument,
                "CEL (K8sNativeValidation) is not run here: leave --enable-k8s-native-validation "
                "out, or set it to false");
  }
  if (!options.images.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "OCI images are not pulled here: fetch " + options.images.front() +
                    " with oras or crane, unpack it, and name the folder with --filename");
  }
  document::Arena arena;
  Inputs inputs(arena);
  for (const std::string& file : options.files) {
    TRY(AddContext(inputs.ReadPath(file), "reading: reading from filenames"));
  }
  TRY(AddContext(inputs.ReadStandardInput(), "reading: reading from stdin"));
  if (inputs.objects().empty()) {
    return Fail(ErrorCode::kInvalidArgument, "no input data identified");
  }
  SystemClock clock;
  policy::PolicyStore policies(rego::CreateCatalog(),
                               {.templates = {.keep_prints = options.verbose},
                                .check_enforcement_actions = false,
                                .parameter_numbers = policy::ParameterNumbers::kFloat64});
  const TestReport report =
      TRY(AddContext(RunTest(inputs.objects(), policies,
                             options.verbose ? TestPrints::kKeep : TestPrints::kDrop, clock, arena),
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
  command
      ->add_option("-f,--filename", options->files,
                   "A file or folder of templates, constraints and objects; may be repeated. "
                   "What is piped in is read too")
      ->allow_extra_args(false);
  command->add_option("-o,--output", options->output, "json or yaml; without it, text");
  command->add_flag("--stats", options->stats, "Print what each template took (json and yaml)");
  command->add_flag("--deny-only", options->deny_only, "Print the results alone that deny");
  command->add_flag("-v,--verbose", options->verbose, "Print what print() writes");
  command
      ->add_option("-i,--image", options->images,
                   "Not possible: OCI images are not pulled; says what to do instead")
      ->allow_extra_args(false);
  command->add_flag("--enable-k8s-native-validation", options->native_validation,
                    "Only =false is possible: CEL is not run");
  command->footer(
      "Examples:\n"
      "  portcullis test --filename manifests/ --filename policies/\n"
      "  kustomize build overlays/prod | portcullis test -f policies/ --output json");
  command->callback([=] {
    const Result<int> done = Test(*options);
    if (!done) {
      std::cerr << done.error().message << '\n';
    }
    *exit_code = done ? *done : kExitDenied;
  });
}

}  // namespace portcullis::tools
