#include "tools/runtime_settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>

#include <unistd.h>

#include "replicator/kubeconfig.h"

namespace portcullis::tools {

Result<replicator::ClusterAccess> FindCluster(const RuntimeOptions& options) {
  if (options.in_cluster) {
    return replicator::InClusterAccess(replicator::ProcessEnvironment());
  }
  const std::vector<std::filesystem::path> files{options.kubeconfig};
  return AddContext(replicator::LoadKubeconfig(files, options.context), "kubeconfig");
}

std::vector<std::string> BuiltinNames(const std::vector<std::string>& written) {
  std::vector<std::string> names;
  for (std::string_view text : written) {
    if (text.starts_with('{') && text.ends_with('}')) {
      text = text.substr(1, text.size() - 2);
    }
    while (!text.empty()) {
      const std::size_t comma = std::min(text.find(','), text.size());
      names.emplace_back(text.substr(0, comma));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
  }
  return names;
}

std::string PodName(const RuntimeOptions& options) {
  std::string name = options.pod_name;
  if (name.empty()) {
    std::array<char, 256> machine{};
    name = gethostname(machine.data(), machine.size() - 1) == 0 ? machine.data() : "";
  }
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; });
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  while (!name.empty() && (name.front() == '-' || name.front() == '.')) {
    name.erase(0, 1);
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) {
    name.pop_back();
  }
  return name.empty() ? "portcullis" : name;
}

}  // namespace portcullis::tools
