// What is known of the keys of an index: right when it is taken, after restarts and crashes, and never far from the entries.

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "index/key_analysis.h"
#include "index/key_codec.h"
#include "index/record.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

using document::Value;

std::string Key(std::string_view text) {
  std::string bytes;
  AppendKeyBytes(Value::String(text), &bytes);
  return bytes;
}

void PutMany(TestInventory& inventory, const std::string& host, int count) {
  ChangeSet changes;
  changes.type = IngressType();
  for (int i = 0; i < count; ++i) {
    changes.puts.push_back(inventory.Parse(IngressJson("shop", host + std::to_string(i), {host})));
  }
  ASSERT_TRUE(inventory->Apply(changes));
}

// As they are now; none: an empty one.
KeyStatistics Of(TestInventory& inventory) {
  const std::vector<IndexStatus> all = inventory->Indexes();
  return all.size() == 1 && all[0].keys ? *all[0].keys : KeyStatistics();
}

TEST(KeyStatistics, EstimatesFrequentKeysExactlyAndOthersByTheirMean) {
  const KeyStatistics statistics{.entries = 110,
                                 .distinct_keys = 6,
                                 .changes = 110,
                                 .frequent = {{.key = "a", .entries = 100}}};
  EXPECT_EQ(statistics.EstimateEntries("a"), 100U);
  EXPECT_EQ(statistics.EstimateEntries("b"), 2U);
  EXPECT_EQ(KeyStatistics().EstimateEntries("a"), 0U);
}

TEST(KeyStatistics, CounterKeepsTheMostFrequentKeys) {
  KeyCounter counter;
  for (int key = 0; key < 40; ++key) {
    // 1 to 20 entries and down again.
    for (int i = 0; i < std::min(key + 1, 40 - key); ++i) {
      counter.Add("key" + std::to_string(key));
    }
  }
  const KeyStatistics statistics = counter.Finish();
  EXPECT_EQ(statistics.entries, 420U);
  EXPECT_EQ(statistics.distinct_keys, 40U);
  ASSERT_EQ(statistics.frequent.size(), kFrequentKeys);
  EXPECT_EQ(statistics.frequent.front(), (KeyCount{.key = "key19", .entries = 20}));
  EXPECT_EQ(statistics.frequent.back().entries, 13U);
}

TEST(KeyStatistics, AreTakenOfAllEntriesAndKeptAcrossRestarts) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  PutMany(inventory, "hot", 30);
  PutMany(inventory, "mild", 3);
  inventory.Put(IngressJson("shop", "one", {"once", "twice", "hot"}));
  inventory.Put(IngressJson("shop", "two", {"twice"}));
  ASSERT_TRUE(inventory->UpdateStatistics());
  const KeyStatistics taken = Of(inventory);
  EXPECT_EQ(taken.entries, 37U);
  EXPECT_EQ(taken.distinct_keys, 4U);
  EXPECT_EQ(taken.changes, 37U);
  EXPECT_EQ(taken.frequent, (std::vector<KeyCount>{{.key = Key("hot"), .entries = 31},
                                                   {.key = Key("mild"), .entries = 3},
                                                   {.key = Key("twice"), .entries = 2}}));
  const std::unique_ptr<InventoryView> view = inventory->View();
  EXPECT_EQ(*view->Statistics(*view->FindIndex(HostIndex())), taken);
  for (const bool read_only : {true, false}) {
    TestInventory again(folder.path(), true);
    EXPECT_EQ(Of(again), taken) << read_only;
  }
  EXPECT_EQ(inventory.Problems(), "");
}

TEST(KeyStatistics, AreTakenAnewWhenMuchHasChanged) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  PutMany(inventory, "a", 500);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (Of(inventory).entries != 500 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(Of(inventory).entries, 500U);
}

TEST(KeyStatistics, GoWithTheirIndex) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  PutMany(inventory, "a", 5);
  ASSERT_TRUE(inventory->UpdateStatistics());
  inventory.WantIndexes({});
  while (!inventory->Indexes().empty()) {
    std::this_thread::yield();
  }
  store::PinnedValue value;
  EXPECT_FALSE(
      *inventory->store().Get(store::Family::kDefinitions, StatisticsKey(1), nullptr, &value));
  EXPECT_EQ(inventory.Problems(), "");
}

TEST(KeyStatistics, ACheckFindsThoseThatCannotBeTrue) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  PutMany(inventory, "hot", 30);
  PutMany(inventory, "mild", 3);
  ASSERT_TRUE(inventory->UpdateStatistics());
  KeyStatistics wrong = Of(inventory);
  // One entry that came later explains one more, not two.
  PutMany(inventory, "late", 1);
  wrong.frequent[0].entries -= 1;
  const auto put = [&inventory](const KeyStatistics& statistics) {
    const auto batch = inventory->store().NewBatch();
    batch->Put(store::Family::kDefinitions, StatisticsKey(1), EncodeStatistics(statistics));
    ASSERT_TRUE(inventory->store().Write(*batch));
  };
  put(wrong);
  EXPECT_EQ(inventory.Problems(), "");
  wrong.frequent[0].entries -= 1;
  put(wrong);
  EXPECT_EQ(inventory.Problems(),
            "index " + HostIndex().Summary() + ": its statistics are not those of its entries\n");
}

TEST(KeyStatistics, AStoreOfTheFirstFormatGoesOn) {
  const TemporaryFolder folder;
  {
    TestInventory inventory(folder.path());
    inventory.WantIndexes({HostIndex()});
    PutMany(inventory, "a", 5);
    const auto batch = inventory->store().NewBatch();
    batch->Put(store::Family::kDefinitions, store::kFormatKey, "1");
    batch->Put(store::Family::kDefinitions, ProgressKey(1), std::string_view("\1\5\0\0", 4));
    batch->Delete(store::Family::kDefinitions, StatisticsKey(1));
    ASSERT_TRUE(inventory->store().Write(*batch));
  }
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  PutMany(inventory, "b", 2);
  ASSERT_TRUE(inventory->UpdateStatistics());
  EXPECT_EQ(Of(inventory).entries, 7U);
  EXPECT_EQ(Of(inventory).changes, 7U);
  EXPECT_EQ(inventory.Problems(), "");
}

}  // namespace
}  // namespace portcullis::index
