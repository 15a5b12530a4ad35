#include "mutation/json_patch.h"

#include <nlohmann/json.hpp>

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

class JsonPatchTest : public testing::Test {
 protected:
  std::string Patch(const std::string& before, const std::string& after) {
    const document::Value old_value = documents_.Yaml(before);
    const document::Value new_value = documents_.Yaml(after);
    std::string patch;
    AppendJsonPatch(old_value, new_value, &patch);
    EXPECT_EQ(nlohmann::json::parse(Json(old_value)).patch(nlohmann::json::parse(patch)),
              nlohmann::json::parse(Json(new_value)));
    return patch;
  }
  Documents documents_;
};

TEST_F(JsonPatchTest, NothingDiffersNothingIsSaid) {
  EXPECT_EQ(Patch("{a: [1, {b: c}]}", "{a: [1, {b: c}]}"), "[]");
  EXPECT_EQ(Patch("{a: 1}", "{a: 1.0}"), "[]");
}

TEST_F(JsonPatchTest, MembersComeGoAndChange) {
  EXPECT_EQ(Patch("{a: 1, b: {c: 2}}", "{b: {c: 3}, d: x}"),
            R"([{"op":"remove","path":"/a"},{"op":"replace","path":"/b/c","value":3},)"
            R"({"op":"add","path":"/d","value":"x"}])");
}

TEST_F(JsonPatchTest, NamesAreEscaped) {
  EXPECT_EQ(Patch("{}", "{'a/b~c': 1}"), R"([{"op":"add","path":"/a~1b~0c","value":1}])");
}

TEST_F(JsonPatchTest, ItemsComeAndGoWhereTheyAre) {
  EXPECT_EQ(Patch("[1, 2, 3]", "[1, 2, 3, 4]"), R"([{"op":"add","path":"/3","value":4}])");
  EXPECT_EQ(Patch("[1, 2, 3, 4]", "[1, 4]"),
            R"([{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}])");
  EXPECT_EQ(Patch("[{a: 1}, 2]", "[{a: 2}, 2]"), R"([{"op":"replace","path":"/0/a","value":2}])");
  EXPECT_EQ(Patch("[1, 1]", "[1, 1, 1]"), R"([{"op":"add","path":"/2","value":1}])");
  Patch("[1, 2, 3]", "[4, 5, 1, 3, 9]");
  Patch("[]", "[[], {}]");
  Patch("{a: []}", "{a: {}}");
}

TEST_F(JsonPatchTest, NumbersAreWrittenAsGoWritesThem) {
  EXPECT_EQ(Patch("{}", "{a: 1000000.0, b: 1e21, c: 0.0000001, d: 1.5, e: 9007199254740993}"),
            R"([{"op":"add","path":"/a","value":1000000},{"op":"add","path":"/b","value":1e+21},)"
            R"({"op":"add","path":"/c","value":1e-7},{"op":"add","path":"/d","value":1.5},)"
            R"({"op":"add","path":"/e","value":9007199254740993}])");
}

}  // namespace
}  // namespace portcullis::mutation
