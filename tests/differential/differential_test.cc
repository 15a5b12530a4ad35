// Random programs beside OPA, where tests/opa_peer is built (script/opa-peer), and answers of OPA's that are kept: those of
// programs that once differed, by name, and of random ones.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/rego/catalog.h"
#include "tests/differential/answer.h"
#include "tests/differential/campaign.h"
#include "tests/differential/inventory_answer.h"
#include "tests/differential/outcome.h"

namespace portcullis::differential {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFixedSeed = 1;
constexpr std::uint64_t kSecondSeed = 600000;
constexpr std::uint64_t kPrograms = 400;
constexpr std::uint64_t kLongPrograms = 20'000;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where script/opa-peer puts it.
fs::path PeerPath() {
  if (const std::string given = Environment("PORTCULLIS_OPA_PEER"); !given.empty()) {
    return given;
  }
  fs::path cache = Environment("PORTCULLIS_CACHE");
  if (cache.empty()) {
    const std::string home = Environment("XDG_CACHE_HOME");
    cache =
        (home.empty() ? fs::path(Environment("HOME")) / ".cache" : fs::path(home)) / "portcullis";
  }
  return cache / "peers" / "opa_peer";
}

// Programs that fail agree when they fail alike. Which of several errors comes first hangs on how OPA walks through its
// rules, and is not the same in every last case: one program in a hundred may differ in that. Results may not.
void RunCampaign(std::uint64_t seed, Flavour flavour, EvaluateBy by = EvaluateBy::kPlan) {
  if (!fs::exists(PeerPath())) {
    GTEST_SKIP()
        << PeerPath()
        << " is not there (script/opa-peer builds it): only the recorded answers are compared";
  }
  CampaignOptions options;
  options.seed = seed;
  options.count = Environment("PORTCULLIS_LONG").empty() ? kPrograms : kLongPrograms;
  options.flavour = flavour;
  options.most = options.count;
  auto campaign = Campaign::Open(PORTCULLIS_PEER, PeerPath().string(), by);
  ASSERT_TRUE(campaign) << campaign.error().ToString();
  const auto result = (*campaign)->Run(options);
  ASSERT_TRUE(result) << result.error().ToString();
  std::printf("%s\n", result->ToText().c_str());
  for (const Finding& finding : result->findings) {
    EXPECT_FALSE(finding.in_result) << "seed " << finding.seed << ": " << finding.sort;
  }
  if (flavour == Flavour::kInventory) {
    EXPECT_GT(result->with_lookups, options.count / 100);
  }
  EXPECT_LE(result->findings.size(), options.count / 100);
  EXPECT_LT(result->Of(OutcomeKind::kUndefined) + result->Of(OutcomeKind::kRejected),
            options.count / 2)
      << "the programs have become too dull to tell anything";
}

// The long campaign takes a new seed each time. The differences that are left are rare: a change is not held up by one that it has
// nothing to do with.
std::uint64_t FreshSeed() {
  const std::string given = Environment("PORTCULLIS_SEED");
  const std::uint64_t seed = !given.empty() ? std::strtoull(given.c_str(), nullptr, 10)
                             : Environment("PORTCULLIS_LONG") == "1" ? std::random_device()()
                                                                     : kSecondSeed;
  std::printf("PORTCULLIS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

TEST(Differential, ProgramsOfAFixedSeedGiveWhatOpaGives) {
  RunCampaign(kFixedSeed, Flavour::kLanguage);
}

TEST(Differential, ProgramsOfAFreshSeedGiveWhatOpaGives) {
  RunCampaign(FreshSeed(), Flavour::kLanguage);
}

TEST(Differential, ProgramsThatAreExplainedGiveWhatOpaGives) {
  RunCampaign(FreshSeed(), Flavour::kLanguage, EvaluateBy::kSteps);
}

TEST(Differential, ProgramsOverTheInventoryGiveWhatOpaGivesWithAndWithoutIndexes) {
  RunCampaign(FreshSeed(), Flavour::kInventory);
}

// Lines {"request": …, "answer": …}.
TEST(Recorded, RandomProgramsGiveWhatOpaGave) {
  const auto catalog = rego::CreateCatalog();
  std::ifstream file(fs::path(PORTCULLIS_DIFFERENTIAL) / "recorded.jsonl");
  std::size_t programs = 0;
  for (std::string line; std::getline(file, line); ++programs) {
    document::Arena arena;
    const auto parsed = document::ParseJson(line, arena);
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    const std::string request = document::ToJson(parsed->Find("request"));
    EXPECT_EQ(ReadOutcome(Answer(request, *catalog)).text,
              ReadOutcome(document::ToJson(parsed->Find("answer"))).text)
        << request;
  }
  EXPECT_GE(programs, 150U);
}

// Programs that differed once, made small: requests of tests/opa_peer with a name and the text of the outcome. With "inventory"
// their data.inventory is read from a store too.
TEST(Recorded, ProgramsThatDifferedOnceGiveWhatOpaGives) {
  const auto catalog = rego::CreateCatalog();
  std::ifstream file(fs::path(PORTCULLIS_DIFFERENTIAL) / "cases.yaml");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  document::Arena arena;
  const auto documents = document::ParseYaml(text, arena);
  ASSERT_TRUE(documents) << documents.error().ToString();
  ASSERT_FALSE(documents->empty());
  InventoryAnswerer inventory(*catalog);
  for (const document::YamlDocument& document : *documents) {
    const document::Value& test = document.value;
    if (test.Find("inventory").is_true()) {
      EXPECT_EQ(ReadOutcome(inventory.Answer(document::ToJson(test))).text,
                test.GetString({"want"}))
          << test.GetString({"name"}) << ", in a store";
    }
    for (const EvaluateBy by : {EvaluateBy::kPlan, EvaluateBy::kSteps}) {
      EXPECT_EQ(ReadOutcome(Answer(document::ToJson(test), *catalog, by)).text,
                test.GetString({"want"}))
          << test.GetString({"name"}) << (by == EvaluateBy::kSteps ? ", in steps" : "");
    }
  }
}

}  // namespace
}  // namespace portcullis::differential
