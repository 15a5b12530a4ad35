// A writer that is killed at a random moment, again and again on one folder: what it leaves is always what it had written
// up to some step, with every derived thing in agreement. PORTCULLIS_LONG=1 kills many more times.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "document/json.h"
#include "tests/index/killed_process.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

struct Step {
  std::map<store::ObjectKey, std::string> puts;
  std::vector<store::ObjectKey> deletes;
};

Step MakeStep(std::uint32_t seed, std::uint64_t number) {
  std::mt19937_64 random(seed * std::uint64_t{1'000'003} + number);
  Step step;
  for (std::uint64_t i = random() % 20; i > 0; --i) {
    const store::ObjectKey key =
        IngressKey("space" + std::to_string(random() % 5), "name" + std::to_string(random() % 200));
    if (random() % 4 == 0) {
      step.deletes.push_back(key);
      step.puts.erase(key);
    } else {
      step.puts[key] =
          IngressJson(key.name_space, key.name, {"host" + std::to_string(random() % 50)},
                      std::to_string(number));
      std::erase(step.deletes, key);
    }
  }
  return step;
}

std::uint64_t LastStep(Inventory& inventory) {
  const auto position = inventory.Position(IngressType());
  return *position ? std::strtoull((*position)->resource_version.c_str(), nullptr, 10) : 0;
}

// Beside the folder as soon as the first step is in it.
std::filesystem::path BegunFile(const std::filesystem::path& folder) {
  return folder.string() + ".begun";
}

// Writes until it is killed.
[[noreturn]] void Write(const std::filesystem::path& folder, std::uint32_t seed) {
  TestInventory inventory(folder);
  for (std::uint64_t number = LastStep(*inventory) + 1;; ++number) {
    if (number % 16 == 0) {
      std::vector<IndexRequest> wanted;
      if (number % 48 != 0) {
        wanted.push_back({.definition = HostIndex(), .user = "test"});
      }
      if (!inventory->SetWantedIndexes(std::move(wanted))) {
        std::abort();
      }
    }
    const Step step = MakeStep(seed, number);
    ChangeSet changes;
    changes.type = IngressType();
    for (const auto& [key, json] : step.puts) {
      changes.puts.push_back(inventory.Parse(json));
    }
    changes.deletes = step.deletes;
    changes.position =
        ReplicationPosition{.resource_version = std::to_string(number), .complete = true};
    if (!inventory->Apply(changes)) {
      std::abort();
    }
    inventory.arena.Reset();
    if (number == 1) {
      const std::ofstream begun(BegunFile(folder));
    }
  }
}

TEST(Kill, Writer) {
  if (const auto task = OwnKilledTask()) {  // Else it is only the other end of the next test.
    Write(task->folder, static_cast<std::uint32_t>(task->seed));
  }
}

TEST(Kill, LeavesAnExactEarlierState) {
  const std::uint32_t seed = std::random_device()();
  const int kills = std::getenv("PORTCULLIS_LONG") != nullptr ? 100 : 3;
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  const TemporaryFolder temporary;
  const std::filesystem::path folder = temporary.path() / "store";
  std::map<store::ObjectKey, std::string> model;
  std::uint64_t replayed = 0;
  for (int kill_number = 0; kill_number < kills && !HasFailure(); ++kill_number) {
    const pid_t child = StartToKill("Kill.Writer", {folder, seed});
    ASSERT_GT(child, 0);
    // The first writes something; those after it may be killed before they do.
    for (int waits = 0; waits < 30'000 && !std::filesystem::exists(BegunFile(folder)); ++waits) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + random() % 200));
    Kill(child, "the writer stopped by itself");
    ASSERT_FALSE(HasFatalFailure());

    TestInventory inventory(folder);
    const std::uint64_t last = LastStep(*inventory);
    ASSERT_GE(last, replayed);
    while (replayed < last) {
      const Step step = MakeStep(seed, ++replayed);
      for (const store::ObjectKey& key : step.deletes) {
        model.erase(key);
      }
      for (const auto& [key, json] : step.puts) {
        model[key] = json;
      }
    }
    std::string objects;
    for (const auto& [key, json] : model) {
      objects += (objects.empty() ? "" : " ") + key.name_space + "/" + key.name;
      EXPECT_EQ(inventory.Get(key), document::ToJson(inventory.Parse(json)));
    }
    EXPECT_EQ(inventory.Objects(store::Scope::kNamespaced, {}), objects);
    EXPECT_EQ(inventory.Problems(), "");
    ASSERT_TRUE(inventory->WaitUntilIndexesReady(std::chrono::seconds(30)));
    EXPECT_EQ(inventory.Problems(), "");
  }
  EXPECT_GT(replayed, 0U) << "every writer was killed before its first step";
  std::printf("seed %u: %d kills, %llu steps\n", seed, kills,
              static_cast<unsigned long long>(replayed));
}

}  // namespace
}  // namespace portcullis::index
