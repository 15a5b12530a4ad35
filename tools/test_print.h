// The results of `portcullis test` as `gator test` prints them.

#pragma once

#include <string>
#include <vector>

#include "tools/test_run.h"

namespace portcullis::tools {

struct TestStatisticsShown {
  const std::vector<TestStatistics>* statistics = nullptr;  // Null: not shown.
  bool prints_kept = false;
  std::string_view trace = {};  // Shown with each result; empty: there is none.
};

// v1/Pod foo/p1: ["constraint"] Message: "text"
[[nodiscard]] std::string TestText(const std::vector<TestResult>& results, std::string_view trace);

// Indented by four, without a line break at the end.
[[nodiscard]] std::string TestJson(const std::vector<TestResult>& results,
                                   const TestStatisticsShown& shown);
[[nodiscard]] std::string TestYaml(const std::vector<TestResult>& results,
                                   const TestStatisticsShown& shown);

}  // namespace portcullis::tools
