// Test suites as data: those of the shared policy library and of policies/, each on an inventory in memory, in a store with
// indexes and in a store without, which must all agree; and no template beside a suite is planned with a scan. One test a suite,
// named by its folder.

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"
#include "document/arena.h"
#include "rules/policy/manifest_file.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/suite.h"
#include "rules/rego/catalog.h"

namespace portcullis::policy {
namespace {

namespace fs = std::filesystem;

// Suites that cannot run, each with the reason. A suite here that passes fails the run.
const std::map<std::string, std::string> kSkipped = {};

class SuiteCaseTest : public ::testing::Test {
 public:
  explicit SuiteCaseTest(fs::path file) : file_(std::move(file)) {}

 protected:
  void TearDown() override { fs::remove_all(Scratch()); }

  void TestBody() override {
    EXPECT_EQ(Scans(), "");
    const std::string in_memory = Outcome({});
    EXPECT_EQ(Outcome({.store = Scratch() / "indexed"}), in_memory);
    EXPECT_EQ(Outcome({.store = Scratch() / "scanned", .index_use = rego::IndexUse::kIgnore}),
              in_memory);
    const auto skipped = kSkipped.find(file_.parent_path().filename().string());
    if (skipped != kSkipped.end()) {
      ASSERT_FALSE(in_memory.ends_with("PASS\n"))
          << "passes, yet is listed as: " << skipped->second;
      GTEST_SKIP() << skipped->second;
    }
    EXPECT_TRUE(in_memory.ends_with("PASS\n")) << in_memory;
  }

 private:
  [[nodiscard]] fs::path Scratch() const {
    return fs::temp_directory_path() / ("portcullis-library-" + std::to_string(::getpid()) + "-" +
                                        file_.parent_path().filename().string());
  }

  // The steps of the plans that read more of the inventory than their keys name.
  [[nodiscard]] std::string Scans() const {
    const fs::path file = file_.parent_path() / "template.yaml";
    document::Arena arena;
    const auto objects = ReadObjects(file, arena, document::NumberMode::kFloat64);
    if (!objects) {
      return objects.error().ToString();
    }
    PolicyStore policies(rego::CreateCatalog());
    std::string scans;
    for (const document::Value& object : *objects) {
      if (const auto put = policies.PutTemplate(object); !put) {
        scans += put.error().ToString() + "\n";
      }
    }
    for (const Template* each : policies.current()->templates()) {
      for (const rego::RuleExplanation& rule : each->plan->Explain()) {
        for (const rego::PlanStep& step : rule.steps) {
          if (step.access_path == "full scan" || step.access_path == "range") {
            scans += rule.rule + ": " + step.access_path + ": " + step.text + "\n";
          }
        }
      }
    }
    return scans;
  }

  // What gator would print, without times.
  [[nodiscard]] std::string Outcome(const SuiteOptions& options) const {
    ManualClock clock;
    SystemClock system;
    const auto suites = ReadSuites(file_.string());
    if (!suites) {
      return suites.error().message;
    }
    if (!options.store.empty()) {
      fs::create_directories(options.store.parent_path());
    }
    SuiteRunner runner(rego::CreateCatalog(), options, clock);
    std::vector<SuiteResult> results;
    for (const Suite& suite : *suites) {
      results.push_back(runner.Run(suite, {}));
    }
    return ToText(results, SuiteOutput::kVerbose);
  }

  fs::path file_;
};

class AbsentLibraryTest : public ::testing::Test {
 protected:
  void TestBody() override {
    if (std::getenv("CI") != nullptr) {
      FAIL() << "the shared policy library is not here";
    }
    GTEST_SKIP() << "the shared policy library is not here";
  }
};

std::string TestName(const fs::path& file) {
  std::string name = file.parent_path().filename().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) {
      c = '_';
    }
  }
  return name;
}

void Register(const char* group, const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "suite.yaml") {
      continue;
    }
    ::testing::RegisterTest(
        group, TestName(entry.path()).c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [file = entry.path()]() -> ::testing::Test* { return new SuiteCaseTest(file); });
  }
}

}  // namespace
}  // namespace portcullis::policy

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const char* given = std::getenv("PORTCULLIS_SHARED");
  const std::filesystem::path shared = given != nullptr ? given : PORTCULLIS_SHARED;
  portcullis::policy::Register("OwnSuites", PORTCULLIS_POLICIES);
  if (std::filesystem::exists(shared / "conformance/library")) {
    portcullis::policy::Register("LibrarySuites", shared / "conformance/library");
  } else {
    ::testing::RegisterTest(
        "LibrarySuites", "Library", nullptr, nullptr, __FILE__, __LINE__,
        []() -> ::testing::Test* { return new portcullis::policy::AbsentLibraryTest; });
  }
  return RUN_ALL_TESTS();
}
