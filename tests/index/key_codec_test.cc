#include "index/key_codec.h"

#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

using std::string_literals::operator""s;
using document::Value;

class KeyCodec : public testing::Test {
 protected:
  std::string Bytes(std::string_view json) {
    std::string bytes;
    AppendKeyBytes(document::ParseJson(json, arena_).value(), &bytes);
    return bytes;
  }
  document::Arena arena_;
};

TEST_F(KeyCodec, HasFrozenBytes) {
  EXPECT_EQ(Bytes("null"), "\x02");
  EXPECT_EQ(Bytes("false"), "\x03");
  EXPECT_EQ(Bytes("true"), "\x04");
  EXPECT_EQ(Bytes("1"), "\x05\xbf\xf0\0\0\0\0\0\0"s);
  EXPECT_EQ(Bytes("-1"), "\x05\x40\x0f\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(Bytes("0"), "\x05\x80\0\0\0\0\0\0\0"s);
  EXPECT_EQ(Bytes(R"("a.com")"),
            "\x06"
            "a.com");
  EXPECT_EQ(Bytes(R"("a\u0000b")"),
            "\x06"
            "a\0b"s);
  EXPECT_EQ(Bytes(R"(["a\u0000b",null])"),
            "\x07\x06"
            "a\0\xff"
            "b\0\1\x02\0"s);
  EXPECT_EQ(Bytes(R"({"k":true})"), "\x08\x06k\0\1\x04\0"s);
  std::string set;
  const std::vector<Value> members = {Value::Null()};
  AppendKeyBytes(Value::Set(members), &set);
  EXPECT_EQ(set, "\x09\x02\0"s);
}

TEST_F(KeyCodec, GivesEqualNumbersTheSameBytes) {
  for (const char* one : {"1.0", "1e0", "10e-1", "1.000"}) {
    EXPECT_EQ(Bytes(one), Bytes("1"));
  }
  EXPECT_EQ(Bytes("-0"), Bytes("0"));
  EXPECT_EQ(Bytes("-0.0"), Bytes("0"));
  EXPECT_EQ(Bytes("1000000"), Bytes("1e6"));
  EXPECT_EQ(Bytes("12345678901234567890"), Bytes("1.2345678901234567e+19"));
}

TEST_F(KeyCodec, ShowsWhatItKept) {
  for (const std::string_view json :
       {"null", "false", "true", "-7.5", "0", "12", R"("a\u0000b")", "[]", R"(["a\u0000", 1, "b"])",
        R"({"a": [null], "b": {"c": "d"}})"}) {
    EXPECT_EQ(ShowKeyBytes(Bytes(json)), json);
  }
  EXPECT_EQ(ShowKeyBytes(Bytes('"' + std::string(300, 'x') + '"')), "(hash)");
  EXPECT_EQ(ShowKeyBytes(kUnknownKeyBytes), "(unknown)");
  EXPECT_EQ(ShowKeyBytes("\x05\1"), "(hash)");
}

TEST_F(KeyCodec, KeepsTheOrderOfRego) {
  const std::vector<const char*> ascending = {
      "null",     "false",        "true",      "-1e300", "-2", "-1.5", "-1",    "-1e-9",
      "0",        "1e-9",         "0.5",       "1",      "2",  "10",   "1e300", R"("")",
      R"("a")",   R"("a\u0000")", R"("aa")",   R"("b")", "[]", "[1]",  "[1,1]", "[2]",
      R"(["a"])", R"(["a","b"])", R"(["aa"])", "{}"};
  for (std::size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(Bytes(ascending[i - 1]), Bytes(ascending[i]))
        << ascending[i - 1] << " " << ascending[i];
  }
}

TEST_F(KeyCodec, CutsLongValuesToAHash) {
  const std::string fits = '"' + std::string(kMaxKeyBytes - 1, 'x') + '"';
  const std::string longer = '"' + std::string(kMaxKeyBytes, 'x') + '"';
  EXPECT_EQ(Bytes(fits).size(), kMaxKeyBytes);
  EXPECT_EQ(Bytes(longer).size(), 17U);
  EXPECT_EQ(Bytes(longer)[0], '\x7f');
  EXPECT_EQ(Bytes(longer), Bytes(longer));
  EXPECT_NE(Bytes(longer), Bytes('"' + std::string(kMaxKeyBytes, 'y') + '"'));
}

TEST(Definition, ReadsWhatItPrints) {
  for (const char* text :
       {"namespace/*/*/Ingress: spec.rules[_].host", "cluster/*/Namespace: metadata.name",
        "namespace/*/*/*: metadata.labels[\"app.kubernetes.io/name\"]",
        "cluster/*/*: [_][\"a\\\"b\\n\"].c", "namespace/*/*/Pod: [_]"}) {
    const auto definition = Definition::Parse(text);
    ASSERT_TRUE(definition) << definition.error().message;
    EXPECT_EQ(definition->ToString(), text);
  }
}

TEST(Definition, RefusesOtherTexts) {
  for (const char* text :
       {"", "namespace/*/*/Ingress", "namespace/*/*/Ingress: ", "pod/*/*/Ingress: a",
        "cluster/*/: a", "cluster/*/A: .a", "cluster/*/A: a.", "cluster/*/A: a..b",
        "cluster/*/A: a[1]", "cluster/*/A: a[\"b", "cluster/*/A: a[\"b\"", "cluster/*/A: a b",
        "cluster/*/A: [\"\\", "cluster/*/A: [\"\\ud800\"]x"}) {
    EXPECT_FALSE(Definition::Parse(text)) << text;
  }
  std::string deep = "cluster/*/A: a";
  for (std::size_t i = 1; i < kMaxPathSteps; ++i) {
    deep += "[_]";
  }
  EXPECT_TRUE(Definition::Parse(deep));
  EXPECT_FALSE(Definition::Parse(deep + "[_]"));
}

TEST(Definition, TakesEachDistinctValueOfArraysAndObjects) {
  document::Arena arena;
  const auto keys = [&](const char* definition, const char* json) {
    std::vector<Value> values;
    ExtractKeys(Definition::Parse(std::string("cluster/*/A: ") + definition).value(),
                document::ParseJson(json, arena).value(), arena, &values);
    return document::ToJson(Value::Array(values));
  };
  EXPECT_EQ(keys("a[_].b", R"({"a":[{"b":2},{"b":1.0},{"c":3},{"b":1},7]})"), "[1.0,2]");
  EXPECT_EQ(keys("a[_]", R"({"a":{"x":"1","y":"2","z":"1"}})"), R"(["1","2"])");
  EXPECT_EQ(keys("a.b", R"({"a":{"b":null}})"), "[null]");
  EXPECT_EQ(keys("a.b", R"({"a":[1]})"), "[]");
  EXPECT_EQ(keys("a[_]", R"({"a":"text"})"), "[]");
  EXPECT_EQ(keys("a", R"({"a":{"b":[1]}})"), R"([{"b":[1]}])");
  EXPECT_EQ(keys("a[key]", R"({"a":{"x":"1","y":"2"}})"), R"([["x","1"],["y","2"]])");
  EXPECT_EQ(keys("a[key].b", R"({"a":[{"b":"1"},{"c":1},{"b":"1"}]})"), R"([[0,"1"],[2,"1"]])");
  EXPECT_EQ(keys("object", R"({"a":1})"), "[null]");
}

}  // namespace
}  // namespace portcullis::index
