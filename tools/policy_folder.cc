#include "tools/policy_folder.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "document/arena.h"
#include "document/object.h"
#include "document/yaml.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/catalog.h"
#include "tools/command.h"

namespace portcullis::tools {
namespace {

struct Manifest {
  std::string file;
  std::uint32_t line = 0;
  document::GroupVersionKind type;
  document::Value value;
};

bool IsManifest(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
}

Result<std::vector<std::filesystem::path>> FindFiles(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    return Fail(ErrorCode::kNotFound, "no such folder of policies: " + folder.string());
  }
  if (!std::filesystem::is_directory(folder, error)) {
    return std::vector{folder};
  }
  std::vector<std::filesystem::path> files;
  std::filesystem::recursive_directory_iterator at(folder, error);
  while (!error && at != std::filesystem::recursive_directory_iterator()) {
    if (at->is_regular_file(error) && IsManifest(at->path())) {
      files.push_back(at->path());
    }
    at.increment(error);
  }
  if (error) {
    return Fail(ErrorCode::kInvalidArgument,
                "cannot read " + folder.string() + ": " + error.message());
  }
  std::ranges::sort(files);
  return files;
}

// Manifests of policies: found by a look at the text, so that a folder with many other objects is not parsed for them.
bool MayHoldPolicies(std::string_view text) {
  return text.find("gatekeeper.sh/") != std::string_view::npos;
}

class Loader {
 public:
  explicit Loader(LoadedPolicies& into) : into_(into) {}

  void Read(const std::filesystem::path& path) {
    const Result<std::string> text = ReadFile(path.string(), std::uint64_t{64} << 20);
    if (!text) {
      into_.problems.push_back(text.error());
      return;
    }
    if (!MayHoldPolicies(*text)) {
      return;
    }
    document::ParseOptions options;
    options.file = path.string();
    const Result<std::vector<document::YamlDocument>> documents =
        document::ParseManifests(*text, arena_, options);
    if (!documents) {
      into_.problems.push_back(documents.error());
      return;
    }
    for (const document::YamlDocument& each : *documents) {
      manifests_.push_back({path.string(), each.line,
                            document::MakeGroupVersionKind(each.value.GetString({"apiVersion"}),
                                                           each.value.GetString({"kind"})),
                            each.value});
    }
  }

  void Load() {
    for (const Manifest& each : manifests_) {
      if (each.type.group == "templates.gatekeeper.sh" && each.type.kind == "ConstraintTemplate") {
        Note(each, into_.store->PutTemplate(each.value));
      }
    }
    for (const Manifest& each : manifests_) {
      if (each.type.group == "constraints.gatekeeper.sh") {
        Note(each, into_.store->PutConstraint(each.value));
      } else if (mutation::IsMutator(each.type.group, each.type.kind)) {
        Note(each, into_.mutators->Put(each.value));
      } else if (each.type.group == "expansion.gatekeeper.sh" &&
                 each.type.kind == "ExpansionTemplate") {
        Note(each, into_.expansions->Put(each.value));
      } else if (each.type.group == "config.gatekeeper.sh" && each.type.kind == "Config") {
        into_.exclusions =
            std::make_shared<controller::Exclusions>(each.value.Get({"spec", "match"}));
      }
    }
  }

 private:
  void Note(const Manifest& manifest, Result<void> done) {
    if (done) {
      return;
    }
    Error error = std::move(done).error();
    error.message = manifest.type.kind + " " +
                    std::string(manifest.value.GetString({"metadata", "name"})) + ": " +
                    error.message;
    error.position = Position{.file = manifest.file, .line = manifest.line, .column = 0};
    into_.problems.push_back(std::move(error));
  }

  LoadedPolicies& into_;
  document::Arena arena_;
  std::vector<Manifest> manifests_;
};

}  // namespace

Result<std::vector<Error>> FindOrphans(const std::filesystem::path& folder) {
  std::vector<Error> orphans;
  LoadedPolicies loaded = TRY(LoadPolicies(folder));
  for (Error& each : loaded.problems) {
    if (each.code == ErrorCode::kNotFound && each.position) {
      orphans.push_back(std::move(each));
    }
  }
  return orphans;
}

Result<LoadedPolicies> LoadPolicies(const std::filesystem::path& folder) {
  return LoadPolicies(std::vector{folder});
}

Result<LoadedPolicies> LoadPolicies(const std::vector<std::filesystem::path>& paths) {
  LoadedPolicies loaded;
  loaded.store = std::make_unique<policy::PolicyStore>(rego::CreateCatalog());
  loaded.mutators = std::make_unique<mutation::MutationStore>();
  loaded.expansions = std::make_unique<policy::ExpansionStore>();
  loaded.exclusions = std::make_shared<controller::Exclusions>();
  Loader loader(loaded);
  for (const std::filesystem::path& path : paths) {
    for (const std::filesystem::path& file : TRY(FindFiles(path))) {
      loader.Read(file);
    }
  }
  loader.Load();
  return loaded;
}

}  // namespace portcullis::tools
