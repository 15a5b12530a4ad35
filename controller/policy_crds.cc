#include "controller/policy_crds.h"

#include <algorithm>
#include <string_view>

#include "controller/policy_crd_texts.h"

namespace portcullis::controller {
namespace {

constexpr std::string_view kEnd = "\n---\n";
constexpr std::string_view kName = "\n  name: ";

// The files are this project's own: metadata.name is the first name of two blanks' depth.
PolicyCrd Read(std::string_view manifest) {
  const std::size_t at = manifest.find(kName) + kName.size();
  return {.name = std::string(manifest.substr(at, manifest.find('\n', at) - at)),
          .manifest = std::string(manifest)};
}

std::vector<PolicyCrd> ReadAll() {
  std::vector<PolicyCrd> crds;
  for (std::string_view file : kPolicyCrdTexts) {
    while (!file.empty()) {
      const std::size_t end = std::min(file.find(kEnd), file.size());
      crds.push_back(Read(file.substr(0, end)));
      file.remove_prefix(std::min(end + kEnd.size(), file.size()));
    }
  }
  return crds;
}

}  // namespace

const std::vector<PolicyCrd>& PolicyCrds() {
  static const std::vector<PolicyCrd> crds = ReadAll();
  return crds;
}

}  // namespace portcullis::controller
