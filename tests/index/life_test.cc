// The life of an index: built at a bounded rate while writes and reads go on, shared, dropped after the last user.

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void Fill(Inventory& inventory, int count) {
  document::Arena arena;
  ChangeSet changes;
  changes.type = IngressType();
  for (int i = 0; i < count; ++i) {
    changes.puts.push_back(*document::ParseJson(
        IngressJson("shop", "web" + std::to_string(i), {"h" + std::to_string(i)}), arena));
  }
  ASSERT_TRUE(inventory.Apply(changes));
}

IndexRequest Request(const std::string& user) {
  return {.definition = HostIndex(), .user = user};
}

TEST(IndexLife, ABuildKeepsToItsRateWhileWritesAndReadsGoOn) {
  const TemporaryFolder folder;
  SystemClock clock;
  Metrics metrics;
  InventoryOptions options;
  options.store.path = folder.path();
  options.build_objects_per_second = 10'000;
  const auto inventory = Inventory::Open(options, clock, Logger::Silent(), metrics);
  ASSERT_TRUE(inventory) << inventory.error().message;
  Fill(**inventory, 4000);
  const auto started = steady_clock::now();
  ASSERT_TRUE((*inventory)->SetWantedIndexes({Request("one")}));
  steady_clock::duration slowest_read{};
  steady_clock::duration slowest_write{};
  bool ready = false;
  int writes = 0;
  bool seen_building = false;
  while (!ready) {
    const auto before_read = steady_clock::now();
    const auto view = (*inventory)->View();
    const bool there = view->FindIndex(HostIndex()).has_value();
    document::Arena arena;
    const store::ObjectKey key = IngressKey("shop", "web7");
    EXPECT_TRUE((*view->Get({.scope = key.scope,
                             .name_space = key.name_space,
                             .group_version = key.group_version,
                             .kind = key.kind,
                             .name = key.name},
                            arena, document::NumberMode::kExact))
                    .is_object());
    slowest_read = std::max(slowest_read, steady_clock::now() - before_read);
    const auto before_write = steady_clock::now();
    ChangeSet change;
    change.type = IngressType();
    change.puts.push_back(*document::ParseJson(
        IngressJson("shop", "web" + std::to_string(writes * 37 % 4000), {"moved"}), arena));
    ASSERT_TRUE((*inventory)->Apply(change));
    slowest_write = std::max(slowest_write, steady_clock::now() - before_write);
    ++writes;
    const IndexStatus status = (*inventory)->Indexes().at(0);
    seen_building = seen_building || (status.state == IndexState::kBuilding &&
                                      status.built_objects > 0 && status.total_objects == 4000);
    ready = there && status.state == IndexState::kReady;
  }
  // 4,000 objects at 10,000 a second: all but the last piece is waited for.
  EXPECT_GE(steady_clock::now() - started, milliseconds(300));
  EXPECT_TRUE(seen_building);
  // Between two pieces, not after the whole build.
  EXPECT_LT(slowest_read, milliseconds(200));
  EXPECT_LT(slowest_write, milliseconds(200));
  const auto report = (*inventory)->Check({});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->problem_count, 0U);
  std::printf("slowest read %.2f ms, slowest write %.2f ms, %d writes\n",
              std::chrono::duration<double, std::milli>(slowest_read).count(),
              std::chrono::duration<double, std::milli>(slowest_write).count(), writes);
}

TEST(IndexLife, TwoUsersShareOneAndTheLastToGoDropsIt) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  Fill(*inventory, 10);
  const auto users = [&]() -> std::string {
    std::string text;
    for (const IndexStatus& each : inventory->Indexes()) {
      text += std::to_string(each.id) + ":";
      for (const std::string& user : each.users) {
        text += " " + user;
      }
      text += each.state == IndexState::kDropping ? " dropping;" : ";";
    }
    return text;
  };
  ASSERT_TRUE(inventory->SetWantedIndexes({Request("two"), Request("one")}));
  ASSERT_TRUE(inventory->WaitUntilIndexesReady(std::chrono::seconds(10)));
  EXPECT_EQ(users(), "1: one two;");
  EXPECT_EQ(inventory->Indexes()[0].entries, 10U);
  ASSERT_TRUE(inventory->SetWantedIndexes({Request("two")}));
  EXPECT_EQ(users(), "1: two;");
  EXPECT_EQ(inventory.Find(HostIndex(), R"("h3")"), "shop/web3");
  ASSERT_TRUE(inventory->SetWantedIndexes({}));
  const auto deadline = steady_clock::now() + std::chrono::seconds(10);
  while (!inventory->Indexes().empty() && steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(users(), "");
  const auto it =
      inventory->store().NewIterator(store::Family::kIndex, store::Reading::kOrdered, nullptr);
  it->Seek("");
  EXPECT_FALSE(it->Valid());
  ASSERT_TRUE(inventory->SetWantedIndexes({Request("three")}));
  ASSERT_TRUE(inventory->WaitUntilIndexesReady(std::chrono::seconds(10)));
  EXPECT_EQ(users(), "2: three;");
  EXPECT_EQ(inventory.Problems(), "");
}

}  // namespace
}  // namespace portcullis::index
