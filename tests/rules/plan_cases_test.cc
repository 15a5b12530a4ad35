// The cases of tests/cases/plans: joins over the inventory, how each is planned, and that it is answered alike with and without its
// indexes. A case that scans says why.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "tests/index/test_inventory.h"
#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

using document::Value;

std::vector<std::filesystem::path> CaseFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PORTCULLIS_PLAN_CASES)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class PlanCases : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(PlanCases, AreReachedAsTheySay) {
  std::ifstream stream(GetParam());
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  document::Arena arena;
  const auto parsed = document::ParseYaml(text, arena);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const Value file = parsed->front().value;
  const index::TemporaryFolder folder;
  index::TestInventory inventory(folder.path() / "store", false,
                                 std::make_shared<RegoKeyPrograms>());
  const Value objects = file.Find("inventory");
  for (std::uint32_t i = 0; i < objects.size(); ++i) {
    inventory.Put(document::ToJson(objects.ItemAt(i)));
  }
  const std::string input = document::ToJson(file.Find("input"));
  const Value cases = file.Find("cases");
  ASSERT_GT(cases.size(), 0U);
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    const Value test = cases.ItemAt(i);
    SCOPED_TRACE(test.GetString({"name"}));
    const TestPolicy policy("package template\n" + std::string(test.GetString({"rules"})));
    EXPECT_EQ(policy.AccessPaths(), test.GetString({"access"}));
    inventory.WantIndexes(policy.plan().wanted_indexes());
    const auto view = inventory->View();
    const auto scanned = policy.Run(input, view.get(), IndexUse::kIgnore);
    const auto indexed = policy.Run(input, view.get(), IndexUse::kUse);
    EXPECT_EQ(indexed.result, scanned.result);
    if (const std::string_view want = test.GetString({"want"}); want != "*") {
      EXPECT_EQ(indexed.result, want);
    }
    const bool must_scan = !test.Find("scans").is_undefined();
    EXPECT_EQ(must_scan, !test.GetString({"why"}).empty());
    EXPECT_EQ(std::to_string(indexed.statistics.scans),
              must_scan ? document::ToJson(test.Find("scans")) : "0");
    EXPECT_EQ(inventory.Problems(), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Files, PlanCases, testing::ValuesIn(CaseFiles()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace portcullis::rego
