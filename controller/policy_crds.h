// The CustomResourceDefinitions of the kinds that policies are written in (deploy/crds), as they are built into the program.

#pragma once

#include <string>
#include <vector>

namespace portcullis::controller {

struct PolicyCrd {
  std::string name;      // "constrainttemplates.templates.gatekeeper.sh"
  std::string manifest;  // YAML.
};

// By file, in the order in which they stand there.
[[nodiscard]] const std::vector<PolicyCrd>& PolicyCrds();

}  // namespace portcullis::controller
