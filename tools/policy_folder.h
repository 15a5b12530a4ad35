// The policies of a folder, loaded once: for commands that run and end.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "controller/exclusions.h"
#include "mutation/mutation_system.h"
#include "rules/policy/expansion.h"
#include "rules/policy/policy_set.h"

namespace portcullis::tools {

struct LoadedPolicies {
  std::unique_ptr<policy::PolicyStore> store;
  std::unique_ptr<mutation::MutationStore> mutators;
  std::unique_ptr<policy::ExpansionStore> expansions;
  std::shared_ptr<const controller::Exclusions> exclusions;  // Of the Config.
  // What could not be loaded, each with its file and place.
  std::vector<Error> problems;
};

// Every template, then every constraint, mutator, ExpansionTemplate and Config in the YAML and JSON files below `folder` (or in the one file that it names);
// other objects are passed over. ERRORS: kNotFound: there is no such folder. kInvalidArgument: it cannot be read.
[[nodiscard]] Result<LoadedPolicies> LoadPolicies(const std::filesystem::path& folder);
// Those of several folders and files, which may need each other.
[[nodiscard]] Result<LoadedPolicies> LoadPolicies(const std::vector<std::filesystem::path>& paths);

// The constraints below `folder` whose template is not there, each with its file and place. ERRORS: as LoadPolicies'.
[[nodiscard]] Result<std::vector<Error>> FindOrphans(const std::filesystem::path& folder);

}  // namespace portcullis::tools
