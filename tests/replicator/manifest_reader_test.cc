#include "replicator/manifest_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replicator/json_splitter.h"
#include "tests/replicator/scratch_folder.h"

namespace portcullis::replicator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ManifestReaderTest : public testing::Test {
 protected:
  // "kind/name:line" of each object.
  std::vector<std::string> Read(const std::string& name, const std::string& text) {
    names_.clear();
    calls_ = 0;
    result_ = ReadManifests(
        folder_.Write(name, text), limits_,
        [this](std::span<const document::YamlDocument> documents) {
          ++calls_;
          for (const document::YamlDocument& document : documents) {
            names_.push_back(std::string(document.value.GetString({"kind"})) + "/" +
                             std::string(document.value.GetString({"metadata", "name"})) + ":" +
                             std::to_string(document.line));
          }
          return Result<void>();
        });
    return names_;
  }

  ScratchFolder folder_;
  ManifestLimits limits_;
  std::vector<std::string> names_;
  int calls_ = 0;
  Result<void> result_;
};

std::string Yaml(const std::string& name) {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n";
}
std::string Json(const std::string& name) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + "\"}}";
}

TEST_F(ManifestReaderTest, GivesEachDocumentAndEachItemOfLists) {
  EXPECT_THAT(Read("a.yaml", Yaml("a") + "---\n# nothing\n---\n" + Yaml("b")),
              ElementsAre("Pod/a:1", "Pod/b:8"));
  EXPECT_THAT(Read("a.json", Json("a")), ElementsAre("Pod/a:1"));
  EXPECT_THAT(Read("l.json", R"({"kind":"List","apiVersion":"v1","items":[)" + Json("a") + "," +
                                 Json("b") + "]}"),
              ElementsAre("Pod/a:1", "Pod/b:1"));
  EXPECT_THAT(
      Read("t.json", R"({"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"x"}}]})"),
      ElementsAre(HasSubstr("Pod/x")));
  EXPECT_THAT(Read("m.json", Json("a") + "\n---\n" + Json("b")),
              ElementsAre("Pod/a:1", HasSubstr("Pod/b")));
  EXPECT_TRUE(Read("empty.yaml", "# nothing\n").empty());
  EXPECT_TRUE(result_);
}

TEST_F(ManifestReaderTest, SaysInWhichFileAndLineSomethingIsWrong) {
  Read("bad.yaml", Yaml("a") + "---\nkind: [\n");
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().ToString(), HasSubstr("bad.yaml:"));
  Read("nameless.yaml", Yaml("a") + "---\napiVersion: v1\nkind: Pod\n");
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().position->line, 6U);
}

TEST_F(ManifestReaderTest, ReadsALongYamlFileInPieces) {
  limits_.whole_bytes = 100;
  limits_.piece_bytes = 200;
  std::string text;
  for (int i = 0; i < 50; ++i) {
    text += (i == 0 ? "" : "--- # next\n") + Yaml("p" + std::to_string(i));
  }
  EXPECT_EQ(Read("long.yaml", text).size(), 50U);
  EXPECT_EQ(names_[49], "Pod/p49:246");
  Read("long.yaml", text + "---\nkind: [\n");
  ASSERT_FALSE(result_);
  EXPECT_GE(result_.error().position->line, 251U);
}

TEST_F(ManifestReaderTest, ReadsALongJsonListInPieces) {
  limits_.whole_bytes = 100;
  limits_.piece_bytes = 1'000;
  std::string items;
  for (int i = 0; i < 500; ++i) {
    items += (i == 0 ? "" : ",\n") + Json("p" + std::to_string(i));
  }
  const std::string list = "{\n\"apiVersion\": \"v1\",\n\"items\": [\n" + items +
                           "\n],\n\"kind\": \"List\", \"metadata\": {\"items\": [1]}}\n";
  EXPECT_EQ(Read("long.json", list).size(), 500U);
  EXPECT_EQ(names_[499], "Pod/p499:503");
  EXPECT_GT(calls_, 3);
  EXPECT_EQ(Read("lines.json", Json("a") + "\n" + Json("b") + "\n" + Json("c")).size(), 3U);
  Read("cut.json", list.substr(0, list.size() / 2));
  ASSERT_FALSE(result_);
  EXPECT_THAT(result_.error().ToString(), HasSubstr("cut.json:"));
}

TEST_F(ManifestReaderTest, RefusesADocumentThatIsTooLong) {
  limits_.whole_bytes = 100;
  limits_.piece_bytes = 100;
  limits_.document_bytes = 1'000;
  Read("one.yaml", Yaml("a") + "data: " + std::string(3'000'000, 'x') + "\n");
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().code, ErrorCode::kExhausted);
  Read("one.json", R"({"items":[{"x":")" + std::string(3'000, 'x') + "\"}]}");
  ASSERT_FALSE(result_);
  EXPECT_EQ(result_.error().code, ErrorCode::kExhausted);
}

TEST_F(ManifestReaderTest, ReportsAFileThatIsNotThere) {
  const Result<void> read =
      ReadManifests(folder_.Path("none.yaml"), limits_, [](auto) { return Result<void>(); });
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
}

TEST(JsonSplitter, CutsAtEveryPossibleBlockBorder) {
  const std::string text =
      R"( {"kind":"List","items":[ {"a":"x]}\"{"} , {"b":[{"items":[]}]}],"metadata":{}} {"c":1} )";
  for (std::size_t block = 1; block < text.size(); ++block) {
    std::vector<std::string> pieces;
    JsonSplitter splitter(1'000, [&](std::string_view piece, std::uint32_t) {
      pieces.emplace_back(piece);
      return Result<void>();
    });
    for (std::size_t at = 0; at < text.size(); at += block) {
      ASSERT_TRUE(splitter.Feed(std::string_view(text).substr(at, block)));
    }
    ASSERT_TRUE(splitter.Finish());
    EXPECT_THAT(pieces, ElementsAre(R"({"a":"x]}\"{"})", R"({"b":[{"items":[]}]})", R"({"c":1})"));
  }
}

TEST(JsonSplitter, RefusesWhatIsNotASequenceOfObjects) {
  for (const char* bad : {"[1]", "1", "\"x\"", "}", "{", "{\"items\":[1]}", "{\"items\":[[]]}",
                          "{\"items\":[\"x\"]}", "{\"a\":\"", "{} x"}) {
    JsonSplitter splitter(1'000, [](std::string_view, std::uint32_t) { return Result<void>(); });
    Result<void> result = splitter.Feed(bad);
    if (result) {
      result = splitter.Finish();
    }
    EXPECT_FALSE(result) << bad;
  }
}

}  // namespace
}  // namespace portcullis::replicator
