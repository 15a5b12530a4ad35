#include "store/store.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "store/rocks_options.h"
#include "store/rocks_store.h"
#include "tests/store/faulty_env.h"
#include "tests/store/temporary_folder.h"

namespace portcullis::store {
namespace {

std::unique_ptr<Store> Open(const std::filesystem::path& path) {
  auto store = Store::Open({.path = path});
  EXPECT_TRUE(store) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

Result<void> Put(Store& store, Family family, std::string_view key, std::string_view value) {
  const std::unique_ptr<Batch> batch = store.NewBatch();
  batch->Put(family, key, value);
  return store.Write(*batch);
}

std::string Get(Store& store, Family family, std::string_view key,
                const Snapshot* snapshot = nullptr) {
  PinnedValue value;
  const auto found = store.Get(family, key, snapshot, &value);
  EXPECT_TRUE(found);
  return found && *found ? std::string(value.bytes()) : "none";
}

TEST(Store, KeepsABatchAsAWhole) {
  const TemporaryFolder folder;
  {
    const auto store = Open(folder.path());
    const std::unique_ptr<Batch> batch = store->NewBatch();
    batch->Put(Family::kObjects, "a", "1");
    batch->Put(Family::kPositions, "a", "2");
    batch->Put(Family::kObjects, "b", "3");
    batch->Delete(Family::kObjects, "b");
    ASSERT_TRUE(store->Write(*batch));
  }
  const auto store = Open(folder.path());
  EXPECT_EQ(Get(*store, Family::kObjects, "a"), "1");
  EXPECT_EQ(Get(*store, Family::kPositions, "a"), "2");
  EXPECT_EQ(Get(*store, Family::kObjects, "b"), "none");
}

TEST(Store, ASnapshotStaysAtItsMoment) {
  const TemporaryFolder folder;
  const auto store = Open(folder.path());
  ASSERT_TRUE(Put(*store, Family::kObjects, "a", "1"));
  const std::unique_ptr<Snapshot> snapshot = store->TakeSnapshot();
  ASSERT_TRUE(Put(*store, Family::kObjects, "a", "2"));
  EXPECT_EQ(Get(*store, Family::kObjects, "a", snapshot.get()), "1");
  EXPECT_EQ(Get(*store, Family::kObjects, "a"), "2");
}

TEST(Store, IsOpenInOneProcessAtATime) {
  const TemporaryFolder folder;
  const auto store = Open(folder.path());
  const auto second = Store::Open({.path = folder.path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict) << second.error().message;
}

TEST(Store, OpensReadOnlyBesideAWriter) {
  const TemporaryFolder folder;
  const auto store = Open(folder.path());
  ASSERT_TRUE(Put(*store, Family::kObjects, "a", "1"));
  const auto reader = Store::Open({.path = folder.path(), .read_only = true});
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(Get(**reader, Family::kObjects, "a"), "1");
  EXPECT_EQ(Put(**reader, Family::kObjects, "b", "1").error().code, ErrorCode::kInvalidArgument);
}

TEST(Store, SaysThatThereIsNothingToReadOnly) {
  const TemporaryFolder folder;
  const auto reader = Store::Open({.path = folder.path() / "none", .read_only = true});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument) << reader.error().message;
}

TEST(Store, RefusesANewerFormat) {
  const TemporaryFolder folder;
  {
    const auto store = Open(folder.path());
    EXPECT_EQ(Get(*store, Family::kDefinitions, kFormatKey), "3");
    ASSERT_TRUE(Put(*store, Family::kDefinitions, kFormatKey, "4"));
  }
  const auto refused = Store::Open({.path = folder.path()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("newer"), std::string::npos);
}

TEST(Store, TakesOverAnOlderFormatWhenItMayWrite) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Put(*Open(folder.path()), Family::kDefinitions, kFormatKey, "1"));
  {
    const auto reader = Store::Open({.path = folder.path(), .read_only = true});
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(Get(**reader, Family::kDefinitions, kFormatKey), "1");
  }
  EXPECT_EQ(Get(*Open(folder.path()), Family::kDefinitions, kFormatKey), "3");
}

TEST(Store, FamiliesThatCameWithALaterFormatAreEmptyUntilItMayWrite) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Put(*Open(folder.path()), Family::kDefinitions, kFormatKey, "2"));
  {
    // As version 2 left it.
    const RocksOptions options = MakeRocksOptions({.path = folder.path()}, rocksdb::Env::Default());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(
        rocksdb::DB::Open(options.db, folder.path(), options.families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (handle->GetName() == "changes" || handle->GetName() == "verdicts") {
        ASSERT_TRUE(db->DropColumnFamily(handle).ok());
      }
      ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    }
  }
  {
    const auto reader = Store::Open({.path = folder.path(), .read_only = true});
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(Get(**reader, Family::kVerdicts, "a"), "none");
    const auto keys = (*reader)->NewIterator(Family::kChanges, Reading::kOrdered, nullptr);
    keys->Seek("");
    EXPECT_FALSE(keys->Valid());
    EXPECT_TRUE(keys->Check());
  }
  const auto store = Open(folder.path());
  ASSERT_TRUE(Put(*store, Family::kVerdicts, "a", "1"));
  EXPECT_EQ(Get(*store, Family::kVerdicts, "a"), "1");
  EXPECT_EQ(Get(*store, Family::kDefinitions, kFormatKey), "3");
}

TEST(Store, RefusesDataWithoutAFormat) {
  const TemporaryFolder folder;
  {
    const auto store = Open(folder.path());
    const std::unique_ptr<Batch> batch = store->NewBatch();
    batch->Delete(Family::kDefinitions, kFormatKey);
    batch->Put(Family::kObjects, "a", "1");
    ASSERT_TRUE(store->Write(*batch));
  }
  EXPECT_EQ(Store::Open({.path = folder.path()}).error().code, ErrorCode::kCorruption);
}

TEST(Store, RefusesADamagedTable) {
  const TemporaryFolder folder;
  {
    const auto store = Open(folder.path());
    ASSERT_TRUE(Put(*store, Family::kObjects, "a", "1"));
    ASSERT_TRUE(store->Flush());
  }
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    if (file.path().extension() == ".sst") {
      std::filesystem::resize_file(file.path(), file.file_size() / 2);
    }
  }
  const auto refused = Store::Open({.path = folder.path()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorruption) << refused.error().message;
}

TEST(Store, RefusesAFolderThatLostItsCurrentFile) {
  const TemporaryFolder folder;
  {
    const auto store = Open(folder.path());
    ASSERT_TRUE(Put(*store, Family::kObjects, "a", "1"));
    ASSERT_TRUE(store->Flush());
  }
  std::filesystem::remove(folder.path() / "CURRENT");
  const auto refused = Store::Open({.path = folder.path()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorruption) << refused.error().message;
}

TEST(Store, SaysWhatIsWrongWithAPath) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  EXPECT_FALSE(Store::Open({.path = folder.path() / "file"}));
  EXPECT_EQ(Store::Open({}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Store, AFullDiskRefusesAWriteAndLosesNothing) {
  const TemporaryFolder folder;
  FaultyEnv env;
  {
    auto opened = OpenStore({.path = folder.path()}, env.get());
    ASSERT_TRUE(opened) << opened.error().message;
    Store& store = **opened;
    ASSERT_TRUE(Put(store, Family::kObjects, "a", "1"));
    env.SetDiskFull(true);
    for (int i = 0; i < 3; ++i) {
      const auto refused = Put(store, Family::kObjects, "b", "2");
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kExhausted) << refused.error().message;
      EXPECT_EQ(Get(store, Family::kObjects, "a"), "1");
      EXPECT_EQ(Get(store, Family::kObjects, "b"), "none");
    }
    env.SetDiskFull(false);
    const auto written = Put(store, Family::kObjects, "c", "3");
    ASSERT_TRUE(written) << written.error().message;
  }
  const auto store = Open(folder.path());
  EXPECT_EQ(Get(*store, Family::kObjects, "a"), "1");
  EXPECT_EQ(Get(*store, Family::kObjects, "b"), "none");
  EXPECT_EQ(Get(*store, Family::kObjects, "c"), "3");
}

TEST(Store, APowerLossTakesWholeBatchesFromTheEnd) {
  for (int flush_at : {-1, 0, 17, 40}) {
    const TemporaryFolder folder;
    FaultyEnv env;
    {
      auto opened = OpenStore({.path = folder.path()}, env.get());
      ASSERT_TRUE(opened) << opened.error().message;
      for (int i = 0; i < 50; ++i) {
        const std::unique_ptr<Batch> batch = (*opened)->NewBatch();
        batch->Put(Family::kObjects, std::to_string(i), "object");
        batch->Put(Family::kIndex, std::to_string(i), "");
        batch->Put(Family::kPositions, "last", std::to_string(i));
        ASSERT_TRUE((*opened)->Write(*batch));
        if (i == flush_at) {
          ASSERT_TRUE((*opened)->Flush());
        }
      }
    }
    env.DropUnsynced();
    auto opened = OpenStore({.path = folder.path()}, env.get());
    ASSERT_TRUE(opened) << opened.error().message;
    const std::string last = Get(**opened, Family::kPositions, "last");
    const int kept = last == "none" ? -1 : std::atoi(last.c_str());
    EXPECT_GE(kept, flush_at);
    for (int i = 0; i < 50; ++i) {
      const char* want = i <= kept ? "object" : "none";
      EXPECT_EQ(Get(**opened, Family::kObjects, std::to_string(i)), want) << i << " of " << kept;
      EXPECT_EQ(Get(**opened, Family::kIndex, std::to_string(i)), i <= kept ? "" : "none");
    }
  }
}

}  // namespace
}  // namespace portcullis::store
