// The cases of tests/cases/builtins: what a builtin gives for its operands, as OPA answered.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/yaml.h"
#include "tests/rules/builtins_support.h"

namespace portcullis::builtins {
namespace {

std::vector<std::filesystem::path> CaseFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PORTCULLIS_BUILTIN_CASES)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class BuiltinCases : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(BuiltinCases, GiveWhatOpaGives) {
  std::ifstream stream(GetParam());
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  document::Arena arena;
  const auto parsed = document::ParseYaml(text, arena);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 1U);
  const document::Value cases = parsed->front().value;
  ASSERT_GT(cases.size(), 0U);
  BuiltinCaller caller;
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    const document::Value test = cases.ItemAt(i);
    // The moment at which the answers were taken down.
    caller.clock = ManualClock();
    caller.clock.Advance(std::chrono::seconds(1'796'000'000));
    EXPECT_EQ(caller.Call(test.GetString({"call"}), test.GetString({"operands"})),
              test.GetString({"want"}))
        << test.GetString({"name"});
  }
}

INSTANTIATE_TEST_SUITE_P(Files, BuiltinCases, testing::ValuesIn(CaseFiles()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace portcullis::builtins
