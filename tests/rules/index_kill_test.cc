// A program that is killed while it builds, drops and changes indexes, again and again on one folder: what it leaves is in order,
// a build goes on where it was, and at no moment does a look-up say anything else than a scan. PORTCULLIS_LONG=1 kills many more
// times.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "rules/rego/key_programs.h"
#include "tests/index/killed_process.h"
#include "tests/index/test_inventory.h"
#include "tests/rules/engine_support.h"

namespace portcullis::rego {
namespace {

constexpr std::uint64_t kObjects = 6000;
constexpr std::uint64_t kBuildRate = 20'000;  // Objects a second: a build takes a while.

// A path, a function of the object, and containment.
const TestPolicy& Policy() {
  static const TestPolicy policy(R"(package template
hosts(o) = joined { joined := concat(",", sort([h | h := o.spec.rules[_].host])) }
violation[["path", ns, name]] {
  other := data.inventory.namespace[ns][_].Ingress[name]
  other.spec.rules[_].host == input.host
}
violation[["function", ns, name]] {
  other := data.inventory.namespace[ns][_].Ingress[name]
  hosts(other) == input.host
}
violation[["contained", ns, name]] {
  known := {input.host}
  other := data.inventory.namespace[ns][_].Ingress[name]
  theirs := {h | h := other.spec.rules[_].host}
  count(theirs - known) == 0
}
)");
  return policy;
}

std::string Object(std::uint64_t number, std::mt19937_64& random) {
  std::vector<std::string> hosts;
  for (std::uint64_t i = random() % 3; i > 0; --i) {
    hosts.push_back("h" + std::to_string(random() % 2000));
  }
  return index::IngressJson("space" + std::to_string(number % 7), "name" + std::to_string(number),
                            hosts);
}

std::unique_ptr<index::Inventory> Open(const std::filesystem::path& folder, Clock& clock,
                                       Metrics& metrics) {
  index::InventoryOptions options;
  options.store.path = folder;
  options.store.memtable_bytes = std::size_t{1} << 20;
  options.key_programs = std::make_shared<RegoKeyPrograms>();
  options.build_objects_per_second = kBuildRate;
  auto inventory = index::Inventory::Open(options, clock, Logger::Silent(), metrics);
  if (!inventory) {
    std::abort();
  }
  return std::move(*inventory);
}

// Some of the indexes, or none.
std::vector<index::IndexRequest> SomeIndexes(std::mt19937_64& random) {
  std::vector<index::IndexRequest> wanted;
  for (const index::Definition& definition : Policy().plan().wanted_indexes()) {
    if (random() % 3 != 0) {
      wanted.push_back({.definition = definition, .user = "test"});
    }
  }
  return wanted;
}

// Changes objects and indexes until it is killed. A look-up that differs from a scan ends it before.
void Work(const std::filesystem::path& folder, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  SystemClock clock;
  Metrics metrics;
  const auto inventory = Open(folder, clock, metrics);
  document::Arena arena;
  for (std::uint64_t step = 0;; ++step) {
    if (step % 64 == 0 && !inventory->SetWantedIndexes(SomeIndexes(random))) {
      return;
    }
    index::ChangeSet changes;
    changes.type = index::IngressType();
    for (std::uint64_t i = random() % 4; i > 0; --i) {
      const std::uint64_t number = random() % kObjects;
      if (random() % 4 == 0) {
        changes.deletes.push_back(index::IngressKey("space" + std::to_string(number % 7),
                                                    "name" + std::to_string(number)));
      } else {
        changes.puts.push_back(*document::ParseJson(Object(number, random), arena));
      }
    }
    if (!inventory->Apply(changes)) {
      return;
    }
    arena.Reset();
    if (step % 16 == 0) {
      const std::string input = R"({"host": "h)" + std::to_string(random() % 2000) + R"("})";
      const auto view = inventory->View();
      if (Policy().Run(input, view.get(), IndexUse::kUse).result !=
          Policy().Run(input, view.get(), IndexUse::kIgnore).result) {
        return;
      }
    }
  }
}

TEST(IndexKill, Worker) {
  if (const auto task =
          index::OwnKilledTask()) {  // Else it is only the other end of the next test.
    Work(task->folder, task->seed);
  }
}

TEST(IndexKill, BuildsGoOnWhereTheyWere) {
  const char* fixed = std::getenv("PORTCULLIS_SEED");
  const std::uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
  const bool is_long = std::getenv("PORTCULLIS_LONG") != nullptr;
  const int kills = is_long ? 100 : 3;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const index::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "store";
  SystemClock clock;
  Metrics metrics;
  {
    const auto inventory = Open(path, clock, metrics);
    document::Arena arena;
    index::ChangeSet changes;
    changes.type = index::IngressType();
    for (std::uint64_t i = 0; i < kObjects; ++i) {
      changes.puts.push_back(*document::ParseJson(Object(i, random), arena));
    }
    ASSERT_TRUE(inventory->Apply(changes));
  }
  int building = 0;
  int dropping = 0;
  for (int number = 0; number < kills && !HasFailure(); ++number) {
    const pid_t child =
        index::StartToKill("IndexKill.Worker", {path, seed + static_cast<std::uint64_t>(number)});
    ASSERT_GT(child, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(80 + random() % 400));
    index::Kill(child, "a look-up differed from a scan, or a change failed");
    ASSERT_FALSE(HasFatalFailure());

    std::map<index::IndexId, std::uint64_t> built;
    {
      const index::TestInventory left(path, true, std::make_shared<RegoKeyPrograms>());
      for (const index::IndexStatus& each : left->Indexes()) {
        if (each.state == index::IndexState::kBuilding) {
          built.emplace(each.id, each.built_objects);
          building += each.built_objects > 0 ? 1 : 0;
        }
        dropping += each.state == index::IndexState::kDropping ? 1 : 0;
      }
    }
    const auto inventory = Open(path, clock, metrics);
    for (const index::IndexStatus& each : inventory->Indexes()) {
      if (const auto before = built.find(each.id); before != built.end()) {
        EXPECT_GE(each.built_objects, before->second) << "the build has begun anew";
      }
    }
    const auto in_order = [&inventory] {
      const auto report = inventory->Check(nullptr);
      return report ? report->problem_count == 0 : false;
    };
    EXPECT_TRUE(in_order());
    ASSERT_TRUE(inventory->WaitUntilIndexesReady(std::chrono::seconds(60)));
    for (const index::IndexStatus& each : inventory->Indexes()) {
      // Objects that are written while a build is under way count at most once each.
      EXPECT_LE(each.built_objects, kObjects) << "objects were built twice";
    }
    EXPECT_TRUE(in_order());
  }
  EXPECT_TRUE(!is_long || building > 0) << "no build was cut short";
  std::printf("seed %llu: %d kills, %d builds and %d drops cut short\n",
              static_cast<unsigned long long>(seed), kills, building, dropping);
}

}  // namespace
}  // namespace portcullis::rego
