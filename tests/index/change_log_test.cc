#include "index/change_log.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "document/json.h"
#include "index/reads.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

class ChangeLogTest : public testing::Test {
 protected:
  ChangeLogTest() : inventory_(folder_.path()) {
    inventory_.set_record_changes(true);
    inventory_.Reopen();
  }

  std::vector<RecordedChange> Changes() {
    auto changes = inventory_->Changes(0, 1000);
    EXPECT_TRUE(changes);
    return changes ? *std::move(changes) : std::vector<RecordedChange>();
  }

  // Whether the last change of an object touches what this reads.
  bool Touches(const std::function<void(InventoryView&)>& read) {
    ReadSet reads;
    read(*inventory_->View(reads));
    const std::vector<ReadToken> tokens = reads.Tokens();
    const RecordedChange last = Changes().back();
    return std::ranges::any_of(last.touched, [&](const ReadToken& token) {
      return std::ranges::binary_search(tokens, token);
    });
  }

  TemporaryFolder folder_;
  TestInventory inventory_;
};

TEST_F(ChangeLogTest, WritesAreRecordedWithThemAndSurvive) {
  inventory_.Put(IngressJson("a", "one", {"h"}, "1"));
  inventory_.Put(IngressJson("a", "one", {"h"}, "1"));
  inventory_.Delete(IngressKey("a", "one"));
  inventory_.Delete(IngressKey("a", "one"));
  const auto check = [this] {
    const std::vector<RecordedChange> changes = Changes();
    // The kind comes to the namespace, the object comes, the object goes; what changes nothing is no change.
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_FALSE(changes[0].of_object());
    EXPECT_TRUE(changes[1].of_object());
    EXPECT_EQ(changes[2].key_bytes, store::EncodeKey(IngressKey("a", "one")));
    EXPECT_LT(changes[1].sequence, changes[2].sequence);
  };
  check();
  inventory_.Reopen();
  check();
  inventory_.Put(IngressJson("a", "two", {"h"}, "2"));
  EXPECT_EQ(Changes().size(), 4U);
  EXPECT_TRUE(inventory_->WaitForChangeAfter(Changes()[2].sequence, std::chrono::milliseconds(0)));
  EXPECT_FALSE(inventory_->WaitForChangeAfter(Changes()[3].sequence, std::chrono::milliseconds(0)));
}

TEST_F(ChangeLogTest, WithoutRecordingTheQueueIsForgotten) {
  inventory_.Put(IngressJson("a", "one", {"h"}, "1"));
  inventory_.set_record_changes(false);
  inventory_.Reopen();
  EXPECT_TRUE(Changes().empty());
  inventory_.Put(IngressJson("a", "two", {"h"}, "1"));
  EXPECT_TRUE(Changes().empty());
}

TEST_F(ChangeLogTest, AChangeTouchesTheLookUpsWhoseEntriesComeOrGo) {
  inventory_.WantIndexes({HostIndex()});
  inventory_.Put(IngressJson("a", "one", {"old", "kept"}, "1"));
  inventory_.Put(IngressJson("a", "one", {"new", "kept"}, "2"));
  const auto looks = [](std::string_view host) {
    return [host](InventoryView& view) {
      const auto id = view.FindIndex(HostIndex());
      ASSERT_TRUE(id);
      ASSERT_TRUE(view.Lookup(*id, document::Value::String(host)));
    };
  };
  EXPECT_TRUE(Touches(looks("old")));
  EXPECT_TRUE(Touches(looks("new")));
  // Who looked for this host has read the object too, unless its entry was enough.
  EXPECT_FALSE(Touches(looks("kept")));
  EXPECT_FALSE(Touches(looks("other")));
}

TEST_F(ChangeLogTest, AChangeTouchesGetsAndWalksAboveIt) {
  inventory_.Put(IngressJson("a", "one", {"h"}, "1"));
  document::Arena arena;
  const auto get = [&arena](std::string_view name) {
    return [&arena, name](InventoryView& view) {
      const std::string bytes = store::EncodeKey(IngressKey("a", name));
      ASSERT_TRUE(view.Get(*store::DecodeKey(bytes), arena, document::NumberMode::kExact));
    };
  };
  EXPECT_TRUE(Touches(get("one")));
  EXPECT_FALSE(Touches(get("two")));
  const auto walk = [](std::vector<std::string_view> segments) {
    return [segments](InventoryView& view) {
      ASSERT_TRUE(view.Objects({.scope = store::Scope::kNamespaced, .segments = segments}));
    };
  };
  EXPECT_TRUE(Touches(walk({})));
  EXPECT_TRUE(Touches(walk({"a"})));
  EXPECT_TRUE(Touches(walk({"a", "networking.k8s.io/v1", "Ingress"})));
  EXPECT_FALSE(Touches(walk({"b"})));
  EXPECT_FALSE(Touches(walk({"a", "networking.k8s.io/v1", "Service"})));
  // More walks than are kept apart become one of the kind.
  EXPECT_TRUE(Touches([](InventoryView& view) {
    for (int i = 0; i < 1000; ++i) {
      const std::string name_space = "n" + std::to_string(i);
      const std::vector<std::string_view> segments = {name_space, "networking.k8s.io/v1",
                                                      "Ingress"};
      ASSERT_TRUE(view.Objects({.scope = store::Scope::kNamespaced, .segments = segments}));
    }
  }));
}

TEST_F(ChangeLogTest, AKindThatComesTouchesTheLevelsAboveIt) {
  inventory_.Put(IngressJson("a", "one", {"h"}, "1"));
  const RecordedChange marker = Changes().front();
  ReadSet reads;
  const auto view = inventory_->View(reads);
  ASSERT_TRUE(view->Segments({.scope = store::Scope::kNamespaced, .segments = {}}));
  const std::vector<std::string_view> elsewhere = {"b"};
  const auto touched = [&] {
    const std::vector<ReadToken> tokens = reads.Tokens();
    return std::ranges::any_of(marker.touched, [&](const ReadToken& token) {
      return std::ranges::binary_search(tokens, token);
    });
  };
  EXPECT_TRUE(touched());
  reads.Clear();
  ASSERT_TRUE(view->Exists({.scope = store::Scope::kNamespaced, .segments = elsewhere}));
  EXPECT_FALSE(touched());
}

TEST(ChangeLog, DamagedBytesAreToldOf) {
  const RecordedChange change{.sequence = 7, .time_ms = 5, .key_bytes = "nx", .touched = {{1, 2}}};
  const std::string key = EncodeChangeKey(change.sequence);
  const std::string value = EncodeChange(change);
  const auto decoded = DecodeChange(key, value);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->sequence, 7U);
  EXPECT_EQ(decoded->time_ms, 5);
  EXPECT_EQ(decoded->touched, change.touched);
  EXPECT_EQ(decoded->key_bytes, "nx");
  for (std::size_t size = 0; size < 29; ++size) {
    EXPECT_FALSE(DecodeChange(key, value.substr(0, size))) << size;
  }
  EXPECT_FALSE(DecodeChange("short", value));
}

}  // namespace
}  // namespace portcullis::index
