#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/metrics.h"
#include "document/json.h"
#include "replicator/inventory_sink.h"
#include "replicator/namespace_cache.h"
#include "replicator/sync_set.h"
#include "tests/replicator/scratch_folder.h"

namespace portcullis::replicator {
namespace {

using document::GroupVersionKind;
using document::Value;

const GroupVersionKind kPod{"", "v1", "Pod"};
const GroupVersionKind kService{"", "v1", "Service"};

class NamespaceFilter final : public ObjectFilter {
 public:
  explicit NamespaceFilter(std::string name_space) : name_space_(std::move(name_space)) {}
  bool Excludes(const document::ObjectIdentity& object) const override {
    return object.name_space == name_space_;
  }
  std::string Fingerprint() const override { return "without-" + name_space_; }

 private:
  const std::string name_space_;
};

// Follows nothing by itself: the test plays the source.
class IdleSource final : public Source {
 public:
  void Follow(const GroupVersionKind& type, KindSink& sink) override { followed[type] = &sink; }
  void Unfollow(const GroupVersionKind& type, KindSink&) override { followed.erase(type); }
  std::vector<KindStatus> Status() const override {
    std::vector<KindStatus> statuses;
    for (const auto& [type, sink] : followed) {
      KindStatus status;
      status.type = type;
      status.sink = sink;
      status.synced = synced;
      statuses.push_back(status);
    }
    return statuses;
  }
  std::vector<Error> Problems() const override { return {}; }
  bool converts_versions() const override { return true; }
  std::string Description() const override { return "the test"; }

  std::map<GroupVersionKind, KindSink*> followed;
  bool synced = false;
};

class SinksTest : public testing::Test {
 protected:
  SinksTest() {
    index::InventoryOptions options;
    options.store.path = folder_.root() / "store";
    inventory_ = index::Inventory::Open(options, clock_, Logger::Silent(), metrics_).value();
  }
  Value Pod(const std::string& name_space, const std::string& name, const std::string& more = "") {
    return document::ParseJson(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":")" +
                                   name_space + R"(","name":")" + name +
                                   R"(","resourceVersion":"1")" + more + "}}",
                               arena_)
        .value();
  }
  std::uint64_t Count(const GroupVersionKind& type) {
    const std::vector<index::KindStatistics> kinds = inventory_->Kinds().value();
    for (const index::KindStatistics& kind : kinds) {
      if (kind.type == type) {
        return kind.objects;
      }
    }
    return 0;
  }
  void List(KindSink& sink, const std::vector<Value>& objects, const std::string& version) {
    auto list = sink.BeginList().value();
    ASSERT_TRUE(list->Add(objects));
    ASSERT_TRUE(list->Finish(version));
  }

  ScratchFolder folder_;
  ManualClock clock_;
  Metrics metrics_;
  document::Arena arena_;
  std::unique_ptr<index::Inventory> inventory_;
};

TEST_F(SinksTest, TheInventoryTakesNeitherWhatIsBeingDeletedNorWhatIsExcluded) {
  InventorySink sink(*inventory_, kPod, std::make_shared<NamespaceFilter>("hidden"));
  EXPECT_FALSE(sink.ResumeFrom().value());
  List(sink,
       {Pod("shop", "a"), Pod("hidden", "b"),
        Pod("shop", "c", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")")},
       "10");
  EXPECT_EQ(Count(kPod), 1U);
  index::ChangeSet changes;
  changes.type = kPod;
  changes.puts = {Pod("hidden", "d"), Pod("shop", "e"),
                  Pod("shop", "a", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")")};
  changes.position = index::ReplicationPosition{"11", true};
  ASSERT_TRUE(sink.Apply(changes));
  EXPECT_EQ(Count(kPod), 1U);
  EXPECT_EQ(sink.ResumeFrom().value(), "11");
}

TEST_F(SinksTest, AnotherFilterThanBeforeMeansAList) {
  InventorySink with(*inventory_, kPod, std::make_shared<NamespaceFilter>("hidden"));
  List(with, {Pod("shop", "a")}, "10");
  EXPECT_EQ(ResourceVersionOf(inventory_->Position(kPod).value()->resource_version), "10");
  InventorySink without(*inventory_, kPod, nullptr);
  EXPECT_FALSE(without.ResumeFrom().value());
  InventorySink other(*inventory_, kPod, std::make_shared<NamespaceFilter>("hidden2"));
  EXPECT_FALSE(other.ResumeFrom().value());
  EXPECT_EQ(with.ResumeFrom().value(), "10");
}

TEST_F(SinksTest, TheSyncSetFollowsWhatJoinsAndWipesWhatLeaves) {
  IdleSource source;
  {
    InventorySink earlier(*inventory_, kService, nullptr);
    List(earlier, {}, "5");
  }
  SyncSet set(source, *inventory_, Logger::Silent());
  EXPECT_FALSE(set.complete());
  ASSERT_TRUE(set.Set({kPod}, nullptr));
  EXPECT_FALSE(inventory_->Position(kService).value());  // Of an earlier run, not wanted any more.
  ASSERT_TRUE(source.followed.contains(kPod));
  List(*source.followed[kPod], {Pod("shop", "a"), Pod("hidden", "b")}, "10");
  EXPECT_FALSE(set.complete());
  source.synced = true;
  EXPECT_TRUE(set.complete());

  const KindSink* before = source.followed[kPod];
  ASSERT_TRUE(set.Set({kPod, kService}, nullptr));
  EXPECT_EQ(source.followed[kPod], before);
  EXPECT_EQ(set.Status().size(), 2U);

  ASSERT_TRUE(set.Set({kPod}, std::make_shared<NamespaceFilter>("hidden")));
  EXPECT_FALSE(source.followed[kPod]->ResumeFrom().value());
  EXPECT_EQ(Count(kPod), 2U);  // Until the new list is through.
  List(*source.followed[kPod], {Pod("shop", "a"), Pod("hidden", "b")}, "20");
  EXPECT_EQ(Count(kPod), 1U);

  ASSERT_TRUE(set.Set({}, nullptr));
  EXPECT_TRUE(source.followed.empty());
  EXPECT_EQ(Count(kPod), 0U);
  EXPECT_TRUE(set.complete());
}

TEST_F(SinksTest, NamespacesAreFoundUntilTheyAreDeleted) {
  NamespaceCache cache(TakeAsBare());
  const auto name_space = [&](const std::string& name, const std::string& label) {
    return document::ParseJson(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" +
                                   name + R"(","labels":{"team":")" + label + "\"}}}",
                               arena_)
        .value();
  };
  const auto team = [&](const std::string& name) {
    return std::string(cache.Find(name, arena_).value().GetString({"metadata", "labels", "team"}));
  };
  List(cache, {name_space("a", "red"), name_space("b", "blue")}, "1");
  EXPECT_EQ(team("a"), "red");
  index::ChangeSet changes;
  changes.type = NamespaceCache::type();
  changes.puts = {name_space("b", "green")};
  changes.deletes = {{store::Scope::kCluster, "", "v1", "Namespace", "a"}};
  ASSERT_TRUE(cache.Apply(changes));
  EXPECT_EQ(team("b"), "green");
  EXPECT_EQ(
      document::ToJson(cache.Find("a\"", arena_).value()),
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{"kubernetes.io/metadata.name":"a\""},"name":"a\""}})");
  List(cache, {name_space("c", "x")}, "3");
  EXPECT_EQ(team("b"), "");
}

}  // namespace
}  // namespace portcullis::replicator
