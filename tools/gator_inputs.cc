#include "tools/gator_inputs.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "document/object.h"
#include "document/yaml.h"
#include "rules/policy/kubernetes_text.h"
#include "tools/command.h"

namespace portcullis::tools {
namespace {

namespace fs = std::filesystem;
using document::Value;

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

}  // namespace

void AddGatorSources(CLI::App& command, const std::string& flags, const std::string& what,
                     GatorSources* sources) {
  command
      .add_option(flags, sources->files,
                  "A file or folder of " + what + "; may be repeated. What is piped in is read too")
      ->allow_extra_args(false);
  command
      .add_option("-i,--image", sources->images,
                  "Not possible: OCI images are not pulled; says what to do instead")
      ->allow_extra_args(false);
}

void SetGatorCallback(CLI::App& command, int* exit_code, std::function<Result<int>()> run) {
  command.callback([exit_code, run = std::move(run)] {
    const Result<int> done = run();
    if (!done) {
      std::cerr << done.error().message << '\n';
    }
    *exit_code = done ? *done : kExitDenied;
  });
}

Result<std::vector<Value>> ReadGatorInputs(const GatorSources& sources, document::Arena& arena) {
  if (!sources.images.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "OCI images are not pulled here: fetch " + sources.images.front() +
                    " with oras or crane, unpack it, and name the folder with --filename");
  }
  Inputs inputs(arena);
  for (const std::string& file : sources.files) {
    TRY(AddContext(inputs.ReadPath(file), "reading: reading from filenames"));
  }
  TRY(AddContext(inputs.ReadStandardInput(), "reading: reading from stdin"));
  if (inputs.objects().empty()) {
    return Fail(ErrorCode::kInvalidArgument, "no input data identified");
  }
  return inputs.objects();
}

}  // namespace portcullis::tools
