// The policies that rego_bench measures: templates of gatekeeper-library on compliant and violating Pods, and small policies
// that each lean on one thing an engine must be good at.

#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace portcullis::bench {

struct RegoCase {
  std::string name;                                          // "K8sRequiredLabels violating"
  std::vector<std::pair<std::string, std::string>> modules;  // File name and text.
  bool is_v0 = false;
  std::string path;          // "k8srequiredlabels.violation", below `data`.
  std::string input = "{}";  // JSON.
  std::string data = "{}";   // JSON.
};

// Two cases for each of ten templates below `library`. ERRORS: a file is missing or not as expected.
[[nodiscard]] Result<std::vector<RegoCase>> LibraryCases(const std::filesystem::path& library);

[[nodiscard]] std::vector<RegoCase> MicroCases();

// The Rego of every template below `library`: what a start with all of them compiles.
[[nodiscard]] Result<std::vector<RegoCase>> AllTemplates(const std::filesystem::path& library);

}  // namespace portcullis::bench
