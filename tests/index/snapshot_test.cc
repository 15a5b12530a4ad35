#include "index/snapshot.h"

#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "document/encoding.h"
#include "document/json.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::size_t FilesIn(const std::filesystem::path& path) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path),
                                                std::filesystem::directory_iterator()));
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() : inventory_(folder_.path() / "data") {
    for (int i = 0; i < 50; ++i) {
      inventory_.Put(IngressJson("shop", "web" + std::to_string(i), {"h" + std::to_string(i)}));
    }
    inventory_.Put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"gone"}})");
    inventory_.Delete({.scope = store::Scope::kCluster,
                       .name_space = "",
                       .group_version = "v1",
                       .kind = "Namespace",
                       .name = "gone"});
    ChangeSet position;
    position.type = IngressType();
    position.position = ReplicationPosition{.resource_version = "77", .complete = true};
    EXPECT_TRUE(inventory_->Apply(position));
    EXPECT_TRUE(WriteSnapshot(*inventory_, file_, {}));
  }

  Result<store::SnapshotCounts> Restore(const std::filesystem::path& file,
                                        const std::filesystem::path& to) {
    store::StoreOptions options;
    options.path = to;
    return RestoreSnapshot(file, options, {});
  }

  // The objects of the file as text; an error where the reader refuses it.
  static Result<std::string> Content(const std::filesystem::path& file) {
    const auto reader = TRY(store::SnapshotReader::Open(file));
    std::string text;
    document::Arena arena;
    while (const auto entry = TRY(reader->NextObject())) {
      text += entry->key_bytes;
      if (!entry->record.empty()) {
        const document::Value value = TRY(document::OpenUntrusted(entry->record, arena));
        document::AppendJson(value, document::JsonStyle::kCompact, &text);
      }
      text += '\n';
    }
    while (const auto kind = TRY(reader->NextKind())) {
      text += kind->type.ToString() + " " + kind->resource_version +
              (kind->complete ? " complete\n" : "\n");
    }
    return text;
  }

  TemporaryFolder folder_;
  TestInventory inventory_;
  const std::filesystem::path file_ = folder_.path() / "snapshot";
};

TEST_F(SnapshotTest, RestoresObjectsMarkersAndPositions) {
  const auto counts = Restore(file_, folder_.path() / "copy");
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->objects, 50U);
  TestInventory copy(folder_.path() / "copy");
  EXPECT_EQ(copy.Objects(store::Scope::kNamespaced, {}),
            inventory_.Objects(store::Scope::kNamespaced, {}));
  EXPECT_EQ(copy.Segments(store::Scope::kCluster, {"v1"}), "Namespace");
  EXPECT_EQ(copy.Get(IngressKey("shop", "web7")), inventory_.Get(IngressKey("shop", "web7")));
  EXPECT_EQ((*copy->Position(IngressType()))->resource_version, "77");
  EXPECT_EQ(copy.Problems(), "");
  copy.WantIndexes({HostIndex()});
  EXPECT_EQ(copy.Find(HostIndex(), R"("h9")"), "shop/web9");
}

TEST_F(SnapshotTest, RestoresNothingOverWhatIsThere) {
  const auto refused = Restore(file_, folder_.path() / "data");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
}

TEST_F(SnapshotTest, LeavesNothingOfAnAlteredFile) {
  std::string bytes = ReadFile(file_);
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(file_, bytes);
  const std::size_t before = FilesIn(folder_.path());
  const auto refused = Restore(file_, folder_.path() / "copy");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(FilesIn(folder_.path()), before);
}

TEST_F(SnapshotTest, RefusesEveryCutFile) {
  const std::string bytes = ReadFile(file_);
  for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 200) {
    WriteFile(file_, bytes.substr(0, size));
    EXPECT_FALSE(Content(file_)) << size;
  }
  WriteFile(file_, bytes + "x");
  EXPECT_FALSE(Content(file_));
}

TEST_F(SnapshotTest, RefusesEachOfAThousandRandomByteChanges) {
  const std::string bytes = ReadFile(file_);
  const std::string want = Content(file_).value();
  std::mt19937 random(20);
  for (int i = 0; i < 1000; ++i) {
    std::string altered = bytes;
    const std::size_t at = random() % altered.size();
    altered[at] = static_cast<char>(altered[at] ^ static_cast<char>(1 + random() % 255));
    WriteFile(file_, altered);
    const Result<std::string> content = Content(file_);
    EXPECT_TRUE(!content || *content == want) << "byte " << at;
  }
}

TEST_F(SnapshotTest, NamesANewerVersion) {
  std::string bytes = ReadFile(file_);
  bytes[8] = 2;
  WriteFile(file_, bytes);
  const auto refused = Content(file_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("newer"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::index
