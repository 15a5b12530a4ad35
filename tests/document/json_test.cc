#include "document/json.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::document {
namespace {

constexpr ParseOptions kGo = {.numbers = NumberMode::kFloat64,
                              .duplicates = DuplicateKeys::kKeepLast};

class JsonTest : public testing::Test {
 protected:
  Value Parse(std::string_view text, const ParseOptions& options = {}) {
    const Result<Value> value = ParseJson(text, arena_, options);
    EXPECT_TRUE(value.has_value()) << text << ": " << (value ? "" : value.error().ToString());
    return value.value_or(Value());
  }
  // Reads and writes again.
  std::string Again(std::string_view text, const ParseOptions& options = {}) {
    return ToJson(Parse(text, options));
  }
  std::string ErrorOf(std::string_view text, const ParseOptions& options = {}) {
    const Result<Value> value = ParseJson(text, arena_, options);
    return value ? "no error: " + ToJson(*value) : value.error().ToString();
  }

  Arena arena_;
};

TEST_F(JsonTest, ReadsEveryKindOfValueAndSortsKeys) {
  EXPECT_EQ(
      Again(R"( {"b":[1, -2.50, 1e400, "x", null, true, false, {}, []], "a" : {"z":1,"y":2}} )"),
      R"({"a":{"y":2,"z":1},"b":[1,-2.50,1e400,"x",null,true,false,{},[]]})");
}

TEST_F(JsonTest, ReadsScalarsAtTheRoot) {
  EXPECT_EQ(Again("1"), "1");
  EXPECT_EQ(Again(" \"a\" "), "\"a\"");
  EXPECT_EQ(Again("null\n"), "null");
  EXPECT_EQ(Again("9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(Again("\"\""), "\"\"");
}

TEST_F(JsonTest, DependsOnNothingButTheArena) {
  std::string text = R"({"key":"value","number":1.50})";
  const Value value = Parse(text);
  text.assign(text.size(), 'X');
  EXPECT_EQ(ToJson(value), R"({"key":"value","number":1.50})");
}

TEST_F(JsonTest, KeepsTheSpellingOfNumbersInExactMode) {
  for (const std::string_view number :
       {"0", "-0", "1.0", "1.50", "1e3", "1E+03", "-9223372036854775808", "12345678901234567890",
        "0.1", "1e1000000000000"}) {
    EXPECT_EQ(Again(number), number);
  }
  EXPECT_TRUE(Parse("-9223372036854775808").is_int());
  EXPECT_TRUE(Parse("1.0").is_decimal());
}

TEST_F(JsonTest, ReadsNumbersAsGoDoesInFloatMode) {
  const auto as_go = [&](std::string_view text) { return Again(text, kGo); };
  EXPECT_EQ(as_go("1000000"), "1e+06");
  EXPECT_EQ(as_go("999999"), "999999");
  EXPECT_EQ(as_go("-0"), "-0");
  EXPECT_EQ(as_go("1.0"), "1");
  EXPECT_EQ(as_go("123456789012"), "1.23456789012e+11");
  EXPECT_EQ(as_go("9007199254740993"), "9.007199254740992e+15");
  EXPECT_EQ(as_go("12345678901234567890"), "1.2345678901234567e+19");
  EXPECT_EQ(as_go("0.00001"), "1e-05");
  EXPECT_EQ(as_go("0.0001"), "0.0001");
  EXPECT_EQ(as_go("1e-400"), "0");
  EXPECT_EQ(ErrorOf("[1e400]", kGo), "1:2: invalid JSON: the number is too large for float64");
}

TEST_F(JsonTest, ReadsEscapes) {
  EXPECT_EQ(Parse(R"("\"\\\/\b\f\n\r\t")").string(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Parse(R"("a\u00e9\u20ac\ud83d\ude00z\u0000")").string(),
            std::string_view("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z\0", 12));
  EXPECT_EQ(Parse(R"({"\u0061\n":"\\"})").Find("a\n").string(), "\\");
}

TEST_F(JsonTest, SaysWhereAnEscapeIsWrong) {
  EXPECT_EQ(ErrorOf("\n  [\"ab\\x\"]"), "2:7: invalid JSON: no such escape in a string");
  EXPECT_EQ(ErrorOf(R"("\u12g4")"), "1:2: invalid JSON: no such escape in a string");
  EXPECT_EQ(ErrorOf(R"("\u12")"), "1:2: invalid JSON: no such escape in a string");
  EXPECT_EQ(ErrorOf(R"("\ud800")"), "1:2: invalid JSON: half a surrogate pair in a string");
  EXPECT_EQ(ErrorOf(R"("\ud800\u0041")"), "1:2: invalid JSON: half a surrogate pair in a string");
  EXPECT_EQ(ErrorOf(R"("\ude00")"), "1:2: invalid JSON: half a surrogate pair in a string");
}

TEST_F(JsonTest, ReplacesWhatGoReplaces) {
  EXPECT_EQ(Parse(R"("\ud800\u0041")", kGo).string(),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(Parse("\"a\xFF\"", kGo).string(), "a\xEF\xBF\xBD");
}

TEST_F(JsonTest, SaysWhereTheTextIsWrong) {
  EXPECT_EQ(ErrorOf(""), "1:1: invalid JSON: the text is empty");
  EXPECT_EQ(ErrorOf(" \n "), "2:2: invalid JSON: the text is empty");
  EXPECT_EQ(ErrorOf("{\"a\":1,\n\"b\" 2}"),
            "2:5: invalid JSON: expected ':' after an object's key");
  EXPECT_EQ(ErrorOf("[1 2]"), "1:4: invalid JSON: expected ',' or ']' after an array's item");
  EXPECT_EQ(ErrorOf("[1,]"), "1:4: invalid JSON: expected a value");
  EXPECT_EQ(ErrorOf("{\"a\":1,}"), "1:8: invalid JSON: expected a string as an object's key");
  EXPECT_EQ(ErrorOf("{\"a\":1"), "1:7: invalid JSON: expected ',' or '}' after an object's member");
  EXPECT_EQ(ErrorOf("[1"), "1:3: invalid JSON: expected ',' or ']' after an array's item");
  EXPECT_EQ(ErrorOf("["), "1:2: invalid JSON: the text ends where a value should be");
  EXPECT_EQ(ErrorOf("1 2"), "1:3: invalid JSON: something follows the value");
  EXPECT_EQ(ErrorOf("{}}"), "1:3: invalid JSON: something follows the value");
  EXPECT_EQ(ErrorOf("\"ab"), "1:1: invalid JSON: a string does not end");
  EXPECT_EQ(ErrorOf("[\"a\nb\"]"), "1:4: invalid JSON: a control character in a string");
  EXPECT_EQ(ErrorOf("[\"a\xC3\"]"), "1:4: invalid JSON: not UTF-8");
  EXPECT_EQ(ErrorOf("\xEF\xBB\xBF{}"), "1:1: invalid JSON: expected a value");
  EXPECT_EQ(ErrorOf("[1", {.file = "a.json"}),
            "a.json:1:3: invalid JSON: expected ',' or ']' after an array's item");
}

TEST_F(JsonTest, RefusesWhatOnlyLooksLikeAValue) {
  for (const std::string_view bad : {"01",
                                     "+1",
                                     ".5",
                                     "1.",
                                     "1e",
                                     "0x10",
                                     "NaN",
                                     "Infinity",
                                     "tru",
                                     "nul",
                                     "truefalse",
                                     "- 1",
                                     "-",
                                     "\"a\"b",
                                     "\"a\"\"b\"",
                                     "1a",
                                     "'a'",
                                     "[,1]",
                                     "{1:2}",
                                     "{a:1}",
                                     "//x\n1",
                                     "\x0c"
                                     "1"}) {
    EXPECT_EQ(ParseJson(bad, arena_).has_value(), false) << bad;
  }
}

TEST_F(JsonTest, RefusesRepeatedKeysOrKeepsTheLast) {
  constexpr std::string_view kText = R"({"b":1,"a":2,"b":3})";
  EXPECT_EQ(ErrorOf(kText), "1:14: invalid JSON: the key \"b\" is there twice");
  EXPECT_EQ(ErrorOf(R"({"a":1,"a":1})"), "1:8: invalid JSON: the key \"a\" is there twice");
  EXPECT_EQ(Again(kText, kGo), R"({"a":2,"b":3})");
  EXPECT_EQ(Again(R"({"a":1,"a":2,"a":3})", kGo), R"({"a":3})");
}

TEST_F(JsonTest, SortsManyKeys) {
  std::string text = "{";
  for (int i = 999; i >= 0; --i) {
    text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + (i > 0 ? "," : "}");
  }
  const Value value = Parse(text);
  ASSERT_EQ(value.size(), 1000U);
  for (std::uint32_t i = 1; i < value.size(); ++i) {
    EXPECT_LT(value.KeyAt(i - 1).string(), value.KeyAt(i).string());
  }
  EXPECT_EQ(value.Find("k517").integer(), 517);
}

TEST_F(JsonTest, LimitsDepthAndSize) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseJson(nested(1000), arena_).has_value());
  const Result<Value> deep = ParseJson(nested(1001), arena_);
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(deep.error().ToString(), "1:1001: invalid JSON: more than 1000 levels deep");
  const Result<Value> large = ParseJson("[1,2,3]", arena_, {.max_bytes = 6});
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::kExhausted);
}

TEST_F(JsonTest, WritesStringsInBothStyles) {
  const Value text = Value::String("<a> & \"b\" \\ \x01\x08\n\xE2\x80\xA8\xC3\xA9\x7F\xFF");
  EXPECT_EQ(ToJson(text),
            "\"<a> & \\\"b\\\" \\\\ \\u0001\\b\\n\xE2\x80\xA8\xC3\xA9\x7F\xEF\xBF\xBD\"");
  EXPECT_EQ(ToJson(text, JsonStyle::kGo),
            "\"\\u003ca\\u003e \\u0026 \\\"b\\\" \\\\ \\u0001\\b\\n\\u2028\xC3\xA9\x7F\\ufffd\"");
}

TEST_F(JsonTest, WritesPrettyText) {
  EXPECT_EQ(ToJson(Parse(R"({"a":[1,{}],"b":{"c":[]}})"), JsonStyle::kPretty),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}");
}

TEST_F(JsonTest, WritesSetsAndOddKeysAsOpaDoes) {
  SetBuilder set(arena_);
  set.Add(Value::String("b"));
  set.Add(Value::Int(1));
  ObjectBuilder object(arena_);
  object.Add(Value::Int(9), Value::Int(1));
  object.Add(Value::Int(10), set.Finish());
  object.Add(Value::String("9"), Value::Int(3));
  object.Add(Parse(R"(["x"])"), Value::Null());
  object.Add(Value::Boolean(true), Value::Null());
  EXPECT_EQ(ToJson(object.Finish()), R"({"10":[1,"b"],"9":3,"[\"x\"]":null,"true":null})");
}

TEST_F(JsonTest, PrintsRegoTerms) {
  EXPECT_EQ(ToRego(Parse(R"({"b":[1,"a\u200b\u0007\u00e9\u2028<>\n\u007f",null],"a":{}})")),
            R"({"a": {}, "b": [1, "a\u200b\aé\u2028<>\n\x7f", null]})");
  SetBuilder set(arena_);
  EXPECT_EQ(ToRego(set.Finish()), "set()");
  set.Add(Value::Int(2));
  set.Add(Value::Float(1e6));
  set.Add(Value::Boolean(true));
  EXPECT_EQ(ToRego(set.Finish()), "{true, 2, 1e+06}");
  EXPECT_EQ(ToRego(Value::String("\xFFz\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF")),
            "\"\\xffz\xF0\x9F\x98\x80\\U0010ffff\"");
}

}  // namespace
}  // namespace portcullis::document
