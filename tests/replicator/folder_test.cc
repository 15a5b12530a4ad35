#include <filesystem>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replicator/folder_scanner.h"
#include "replicator/folder_source.h"
#include "tests/replicator/model_sink.h"
#include "tests/replicator/scratch_folder.h"

namespace portcullis::replicator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const document::GroupVersionKind kPod{"", "v1", "Pod"};
const document::GroupVersionKind kSecret{"", "v1", "Secret"};

std::string Manifest(const std::string& kind, const std::string& name, int content = 0) {
  return "---\napiVersion: v1\nkind: " + kind + "\nmetadata: {namespace: shop, name: " + name +
         "}\ndata: {content: " + std::to_string(content) + "}\n";
}
std::string Stored(const std::string& kind, const std::string& name, int content = 0) {
  return R"({"apiVersion":"v1","data":{"content":)" + std::to_string(content) + R"(},"kind":")" +
         kind + R"(","metadata":{"name":")" + name + R"(","namespace":"shop"}})";
}

class FolderTest : public testing::Test {
 protected:
  FolderTest() : scanner_(folder_.root(), clock_, Logger::Silent(), Limits()) {}

  static ManifestLimits Limits() {
    ManifestLimits limits;
    limits.whole_bytes = 2'000;  // So that tests meet both ways of reading.
    return limits;
  }
  void ScanAll() {
    FolderChanges changes;
    changes.everything = true;
    scanner_.Scan(changes);
  }
  static std::vector<std::string> Names(const ModelSink& sink) {
    std::vector<std::string> names;
    for (const auto& [name, object] : sink.objects) {
      names.push_back(name.substr(5));
    }
    return names;
  }
  std::vector<std::string> Problems() const {
    std::vector<std::string> texts;
    for (const Error& error : scanner_.Problems()) {
      texts.push_back(error.ToString());
    }
    return texts;
  }

  ScratchFolder folder_;
  ManualClock clock_;
  FolderScanner scanner_;
  ModelSink pods_;
  ModelSink secrets_;
};

TEST_F(FolderTest, ListsOnceThenGivesOnlyWhatChanged) {
  folder_.Write("a.yaml", Manifest("Pod", "a") + Manifest("Secret", "s"));
  folder_.Write("deep/er/b.yml", Manifest("Pod", "b"));
  folder_.Write("notes.txt", "not: a manifest");
  folder_.Write(".hidden/c.yaml", Manifest("Pod", "c"));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  EXPECT_THAT(Names(pods_), ElementsAre("a", "b"));
  EXPECT_EQ(pods_.lists, 1);
  EXPECT_TRUE(scanner_.Status().at(0).synced);
  ScanAll();
  EXPECT_EQ(pods_.batches, 0);
  folder_.Write("a.yaml",
                Manifest("Pod", "a", 7) + Manifest("Pod", "new") + Manifest("Secret", "s"));
  ScanAll();
  EXPECT_EQ(pods_.objects.at("shop/a"), Stored("Pod", "a", 7));
  EXPECT_THAT(Names(pods_), ElementsAre("a", "b", "new"));
  EXPECT_EQ(pods_.batches, 1);
  EXPECT_EQ(pods_.lists, 1);
  folder_.Remove("deep");
  ScanAll();
  EXPECT_THAT(Names(pods_), ElementsAre("a", "new"));
}

TEST_F(FolderTest, AKindThatIsFollowedLaterReadsTheFilesThatHaveIt) {
  folder_.Write("a.yaml", Manifest("Pod", "a"));
  folder_.Write("s.yaml", Manifest("Secret", "s"));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  scanner_.Follow(kSecret, secrets_);
  EXPECT_EQ(scanner_.deadline().value() <= clock_.Now(), true);
  scanner_.Scan({});
  EXPECT_THAT(Names(secrets_), ElementsAre("s"));
  EXPECT_EQ(pods_.lists, 1);
  scanner_.Unfollow(kPod, pods_);
  folder_.Write("a.yaml", Manifest("Pod", "z"));
  ScanAll();
  EXPECT_THAT(Names(pods_), ElementsAre("a"));
}

TEST_F(FolderTest, ABadFileKeepsWhatItHadAndIsReportedWithItsLine) {
  folder_.Write("a.yaml", Manifest("Pod", "a"));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  folder_.Write("a.yaml", Manifest("Pod", "a", 1) + "---\nkind: [\n");
  ScanAll();
  EXPECT_EQ(pods_.objects.at("shop/a"), Stored("Pod", "a", 0));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("a.yaml:")));
  folder_.Write("a.yaml", Manifest("Pod", "a", 2));
  ScanAll();
  EXPECT_EQ(pods_.objects.at("shop/a"), Stored("Pod", "a", 2));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FolderTest, OfAnObjectInTwoFilesTheFirstCountsAndTheOtherTakesOver) {
  folder_.Write("a.yaml", Manifest("Pod", "x", 1));
  folder_.Write("b.yaml", Manifest("Pod", "x", 2) + Manifest("Pod", "z") + Manifest("Pod", "z", 9));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  EXPECT_EQ(pods_.objects.at("shop/x"), Stored("Pod", "x", 1));
  EXPECT_EQ(pods_.objects.at("shop/z"), Stored("Pod", "z", 0));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("v1/Pod shop/x is in "),
                                      HasSubstr("v1/Pod shop/z is in this file twice")));
  folder_.Remove("a.yaml");
  ScanAll();
  ASSERT_TRUE(scanner_.deadline());
  scanner_.Scan({});
  EXPECT_EQ(pods_.objects.at("shop/x"), Stored("Pod", "x", 2));
  EXPECT_EQ(Problems().size(), 1U);
}

TEST_F(FolderTest, AnObjectThatMovesToAnotherFileIsNeverAbsent) {
  folder_.Write("b.yaml", Manifest("Pod", "x", 1));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  std::filesystem::rename(folder_.Path("b.yaml"), folder_.Path("a.yaml"));
  ScanAll();
  EXPECT_THAT(Names(pods_), ElementsAre("x"));
  EXPECT_EQ(pods_.batches, 1);  // A put; no delete.
}

TEST_F(FolderTest, ALongFileIsTakenWholeOrNotAtAll) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += Manifest("Pod", "p" + std::to_string(i));
  }
  folder_.Write("long.yaml", text);
  scanner_.Follow(kPod, pods_);
  ScanAll();
  EXPECT_EQ(pods_.objects.size(), 100U);
  folder_.Write("long.yaml", Manifest("Pod", "other") + text + "---\nkind: [\n");
  ScanAll();
  EXPECT_EQ(pods_.objects.size(), 100U);
  EXPECT_FALSE(pods_.objects.contains("shop/other"));
  folder_.Write("long.yaml", Manifest("Pod", "p3", 5) + text);
  ScanAll();
  EXPECT_EQ(pods_.objects.at("shop/p3"), Stored("Pod", "p3", 5));
}

TEST_F(FolderTest, ASinkThatFailsGetsAWholeListLater) {
  folder_.Write("a.yaml", Manifest("Pod", "a"));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  pods_.failures = 1;
  folder_.Write("b.yaml", Manifest("Pod", "b"));
  ScanAll();
  EXPECT_EQ(scanner_.Status().at(0).state, KindState::kFailing);
  clock_.Advance(std::chrono::seconds(1));
  scanner_.Scan({});
  EXPECT_THAT(Names(pods_), ElementsAre("a", "b"));
  EXPECT_EQ(scanner_.Status().at(0).state, KindState::kWatching);
}

TEST_F(FolderTest, AFolderThatGoesKeepsWhatItHad) {
  folder_.Write("a.yaml", Manifest("Pod", "a"));
  scanner_.Follow(kPod, pods_);
  ScanAll();
  std::filesystem::rename(folder_.root(), folder_.root().string() + ".away");
  ScanAll();
  EXPECT_THAT(Names(pods_), ElementsAre("a"));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("No such file")));
  std::filesystem::rename(folder_.root().string() + ".away", folder_.root());
  ScanAll();
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(FolderTest, FollowsTheLinksOfAMountedConfigMap) {
  folder_.Write("..v1/p.yaml", Manifest("Pod", "one"));
  folder_.Write("..v2/p.yaml", Manifest("Pod", "two"));
  std::filesystem::create_symlink("..v1", folder_.root() / "..data");
  std::filesystem::create_symlink("..data/p.yaml", folder_.root() / "p.yaml");
  std::filesystem::create_symlink(".", folder_.root() / "ring");
  scanner_.Follow(kPod, pods_);
  ScanAll();
  EXPECT_THAT(Names(pods_), testing::Contains("one"));
  std::filesystem::create_symlink("..v2", folder_.root() / "..next");
  std::filesystem::rename(folder_.root() / "..next", folder_.root() / "..data");
  FolderChanges changes;
  changes.folders.insert(folder_.root().string());
  scanner_.Scan(changes);
  EXPECT_THAT(Names(pods_), ElementsAre("two"));
}

// Random edits: after each look the sink has what a fresh scanner would give.
TEST_F(FolderTest, EqualsAFreshLookAfterRandomEdits) {
  std::mt19937_64 random(7);
  scanner_.Follow(kPod, pods_);
  for (int step = 0; step < 150; ++step) {
    const std::string file = "f" + std::to_string(random() % 4) + ".yaml";
    if (random() % 5 == 0) {
      folder_.Remove(file);
    } else {
      std::string text;
      for (std::uint64_t i = random() % (step % 10 == 0 ? 60 : 4); i > 0; --i) {
        text += Manifest(random() % 4 == 0 ? "Secret" : "Pod", "o" + std::to_string(random() % 8),
                         static_cast<int>(random() % 3));
      }
      folder_.Write(file, text);
    }
    ScanAll();
    while (scanner_.deadline()) {
      scanner_.Scan({});
    }
    ModelSink fresh;
    FolderScanner other(folder_.root(), clock_, Logger::Silent(), Limits());
    other.Follow(kPod, fresh);
    FolderChanges all;
    all.everything = true;
    other.Scan(all);
    ASSERT_EQ(Names(pods_), Names(fresh)) << "step " << step;
  }
}

// With its thread and inotify. Waits for the condition, not for a time.
TEST(FolderSourceTest, SeesChangesAsTheyComeWithAndWithoutInotify) {
  for (const bool use_inotify : {true, false}) {
    ScratchFolder folder;
    folder.Write("a.yaml", Manifest("Pod", "a"));
    SystemClock clock;
    ModelSink pods;
    FolderSourceOptions options;
    options.debounce = std::chrono::milliseconds(5);
    options.poll_interval_without_inotify = std::chrono::milliseconds(10);
    options.use_inotify = use_inotify;
    FolderSource source(folder.root(), clock, Logger::Silent(), options);
    source.Follow(kPod, pods);
    const auto wait_for = [&](std::uint64_t changes) {
      const auto deadline = clock.Now() + std::chrono::seconds(10);
      while (clock.Now() < deadline) {
        const std::vector<KindStatus> status = source.Status();
        if (!status.empty() && status.at(0).synced && status.at(0).changes >= changes) {
          return true;
        }
        std::this_thread::yield();
      }
      return false;
    };
    ASSERT_TRUE(wait_for(1));
    folder.Write("new/b.yaml", Manifest("Pod", "b"));
    ASSERT_TRUE(wait_for(2)) << use_inotify;
    folder.Remove("a.yaml");
    ASSERT_TRUE(wait_for(3)) << use_inotify;
    source.Unfollow(kPod, pods);
    EXPECT_EQ(pods.objects.size(), 1U);
    EXPECT_TRUE(pods.objects.contains("shop/b"));
    EXPECT_TRUE(source.Status().empty());
  }
}

}  // namespace
}  // namespace portcullis::replicator
