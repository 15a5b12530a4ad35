#include "document/yaml.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "tests/document/random_value.h"

namespace portcullis::document {
namespace {

class YamlTest : public testing::Test {
 protected:
  // All documents as JSON, one a line.
  std::string Read(std::string_view text, const ParseOptions& options = {}) {
    const auto documents = ParseYaml(text, arena_, options);
    if (!documents) {
      return documents.error().ToString();
    }
    std::string json;
    for (const YamlDocument& document : *documents) {
      json += (json.empty() ? "" : "\n") + ToJson(document.value);
    }
    return json;
  }
  std::string Manifests(std::string_view text) {
    std::string json;
    const auto manifests = ParseManifests(text, arena_).value();
    for (const YamlDocument& manifest : manifests) {
      json += std::to_string(manifest.line) + " " + ToJson(manifest.value) + "\n";
    }
    return json;
  }

  Arena arena_;
};

TEST_F(YamlTest, ResolvesScalarsAsKubectlDoes) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"yes", "true"},
      {"y", "true"},
      {"On", "true"},
      {"TRUE", "true"},
      {"tRue", "\"tRue\""},
      {"no", "false"},
      {"n", "false"},
      {"off", "false"},
      {"~", "null"},
      {"null", "null"},
      {"''", "\"\""},
      {"\"yes\"", "\"yes\""},
      {"'1'", "\"1\""},
      {"1", "1"},
      {"+1", "1"},
      {"-12", "-12"},
      {"017", "15"},
      {"08", "8"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"-0x1f", "-31"},
      {"0b101", "5"},
      {"1_000", "1000"},
      {"9223372036854775808", "9223372036854775808"},
      {"18446744073709551616", "18446744073709552000"},
      {"1.50", "1.5"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {"1e21", "1e+21"},
      {"0.0000001", "1e-7"},
      {".5", "0.5"},
      {"1.", "1"},
      {"1e400", "\"1e400\""},
      {"1:30", "\"1:30\""},
      {"1.2.3", "\"1.2.3\""},
      {"2026-01-05", "\"2026-01-05\""},
      {"2026-01-05T10:11:12Z", "\"2026-01-05T10:11:12Z\""},
      {"0x", "\"0x\""},
      {"!!str 5", "\"5\""},
      {"!!int \"5\"", "5"},
      {"!!float 5", "5"},
      {"!!binary aGVsbG8=", "\"hello\""},
      {"!custom x", "\"x\""},
      {"<<", "\"<<\""},
  };
  for (const auto& [yaml, json] : cases) {
    EXPECT_EQ(Read("a: " + std::string(yaml)), "{\"a\":" + std::string(json) + "}") << yaml;
  }
}

TEST_F(YamlTest, RefusesNumbersThatJsonCannotHold) {
  EXPECT_EQ(
      Read("a:\n  b: .inf"),
      "2:6: invalid YAML: '.inf' is a number that JSON cannot hold; quote it to make it a string");
  EXPECT_NE(Read("-.INF").find("JSON cannot hold"), std::string::npos);
  EXPECT_NE(Read(".nan").find("JSON cannot hold"), std::string::npos);
}

TEST_F(YamlTest, RefusesTagsThatDoNotFit) {
  EXPECT_EQ(Read("!!int x"), "1:1: invalid YAML: 'x' is not of the tag !!int");
  EXPECT_EQ(Read("!!binary x"), "1:1: invalid YAML: !!binary with what is not base64");
}

TEST_F(YamlTest, TurnsKeysIntoStrings) {
  EXPECT_EQ(Read("1: a\nyes: b\n1.5: c\n0x10: d\n'2': e"),
            R"({"1":"a","1.5":"c","16":"d","2":"e","true":"b"})");
  EXPECT_EQ(Read("&a 1: x\nb:\n  *a : w"), R"({"1":"x","b":{"1":"w"}})");
  EXPECT_EQ(Read("~: a"), "1:1: invalid YAML: a key must be a string, a number or a boolean");
  EXPECT_EQ(Read("[1]: a"), "1:1: invalid YAML: a key must be a string, a number or a boolean");
}

TEST_F(YamlTest, ReadsSeveralDocuments) {
  EXPECT_EQ(Read("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\n"), "{\"a\":1}\n{\"b\":2}");
  EXPECT_EQ(Read("a: 1\r\nb:\r\n- x\r\n---\r\nc: |\r\n  d\r\n"),
            "{\"a\":1,\"b\":[\"x\"]}\n{\"c\":\"d\\n\"}");
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "a: 1\n"),
            "{\"a\":1}");
  EXPECT_EQ(Read(""), "");
  EXPECT_EQ(Read("# only a comment\n"), "");
  EXPECT_EQ(Read("---\n~\n"), "null");
}

TEST_F(YamlTest, ReadsATextOfNoBytes) {
  const auto documents = ParseYaml(std::string_view(), arena_);
  ASSERT_TRUE(documents.has_value());
  EXPECT_TRUE(documents->empty());
}

TEST_F(YamlTest, ReadsJson) {
  EXPECT_EQ(Read(R"( {"a": [1.50, "yes", null], "b": 1e400} )"),
            R"({"a":[1.50,"yes",null],"b":1e400})");
  EXPECT_EQ(Read("{a: 1, b: [yes]}"), R"({"a":1,"b":[true]})");
  EXPECT_EQ(Read("{\"a\":1}\n---\n{\"b\":2}"), "{\"a\":1}\n{\"b\":2}");
}

TEST_F(YamlTest, ReadsNumbersAsGoDoesInFloatMode) {
  EXPECT_EQ(Read("[1000000, 999999, 1.50, 9007199254740993]\n", {.numbers = NumberMode::kFloat64}),
            "[1e+06,999999,1.5,9.007199254740992e+15]");
  EXPECT_EQ(Read("- 1000000\n- 1.50\n", {.numbers = NumberMode::kFloat64}), "[1e+06,1.5]");
}

TEST_F(YamlTest, FollowsAliasesAndMerges) {
  EXPECT_EQ(Read("a: &x {b: 1}\nc: *x\nd: [*x, *x]"),
            R"({"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]})");
  EXPECT_EQ(Read("base: &b {x: 1, w: 2}\nd:\n  <<: *b\n  w: 3"),
            R"({"base":{"w":2,"x":1},"d":{"w":3,"x":1}})");
  EXPECT_EQ(Read("d:\n  <<: [{x: 1}, {x: 2, w: 2}]\n  z: 3"), R"({"d":{"w":2,"x":1,"z":3}})");
  EXPECT_EQ(Read("a: *b"), "1:4: invalid YAML: unknown anchor 'b'");
  EXPECT_EQ(Read("a: &a [*a]"), "1:8: invalid YAML: the value of anchor 'a' contains itself");
  EXPECT_EQ(Read("<<: 1"), "1:5: invalid YAML: << needs a mapping, or a sequence of mappings");
}

TEST_F(YamlTest, BoundsWhatAliasesUnfoldTo) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 9; ++k) {
      text += ", " + below;
    }
    text += "]\n";
  }
  const auto documents = ParseYaml(text, arena_);
  ASSERT_FALSE(documents.has_value());
  EXPECT_EQ(documents.error().code, ErrorCode::kExhausted);
}

TEST_F(YamlTest, BoundsDepthAlsoThroughAliases) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 1100; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_EQ(ParseYaml(text, arena_).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(ParseYaml(std::string(5000, '['), arena_).error().code, ErrorCode::kExhausted);
}

TEST_F(YamlTest, SaysWhereTheTextIsWrong) {
  EXPECT_EQ(Read("a: b: c", {.file = "x.yaml"}),
            "x.yaml:1:5: invalid YAML: mapping values are not allowed in this context");
  EXPECT_EQ(Read("a:\n\t- b").substr(0, 4), "2:1:");
  EXPECT_EQ(Read("\xC3\xA9: [\n").substr(0, 4), "2:1:");
  EXPECT_EQ(Read("a: \xFF").substr(0, 4), "1:4:");
  EXPECT_EQ(Read("a: 1\nb: 2\na: 3"), "3:1: invalid YAML: the key \"a\" is there twice");
  EXPECT_EQ(Read("a: 1\na: 3", {.duplicates = DuplicateKeys::kKeepLast}), R"({"a":3})");
}

TEST_F(YamlTest, UnfoldsLists) {
  EXPECT_EQ(
      Manifests(
          "kind: List\napiVersion: v1\nitems:\n- {kind: A}\n- kind: List\n  items: [{kind: B}]\n"
          "---\nnull\n---\nkind: AllowList\nspec: {}\n"),
      "1 {\"kind\":\"A\"}\n1 {\"kind\":\"B\"}\n10 {\"kind\":\"AllowList\",\"spec\":{}}\n");
  EXPECT_EQ(Manifests("apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a}}, "
                      "{apiVersion: v1, kind: Pod}]"),
            "1 {\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\"}}\n"
            "1 {\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\n");
}

TEST_F(YamlTest, WritesAsKubectlPrints) {
  const Value value =
      ParseJson(
          R"({"apiVersion":"v1","data":{"a":"x\ny\n","b":"x\n\ny","c":"yes","d":"1","e":"","f":"a: b",
      "g":"2026-01-05","h":"*x","i":"t\tt","j":"x\n\n"},"empty":{},"list":[{"a":1,"b":[1,[2,[]]]},"x",null],"n":1.5,"t":true})",
          arena_)
          .value();
  EXPECT_EQ(ToYaml(value), R"(apiVersion: v1
data:
  a: |
    x
    y
  b: |-
    x

    y
  c: "yes"
  d: "1"
  e: ""
  f: 'a: b'
  g: "2026-01-05"
  h: '*x'
  i: "t\tt"
  j: |+
    x

empty: {}
list:
- a: 1
  b:
  - 1
  - - 2
    - []
- x
- null
"n": 1.5
t: true
)");
}

TEST_F(YamlTest, ReadsBackWhatItWrites) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Arena arena;
    const Value value = RandomValues(seed, arena, false).Make(5);
    // YAML's own numbers are float64, and some are beyond it.
    const std::string json = ToJson(WithFloatNumbers(value, arena));
    if (json.find("e400") != std::string::npos || json.find("e401") != std::string::npos) {
      continue;
    }
    const std::string yaml = ToYaml(value);
    const auto documents = ParseYaml(yaml, arena, {.numbers = NumberMode::kFloat64});
    ASSERT_TRUE(documents.has_value()) << documents.error().ToString() << "\n" << yaml;
    ASSERT_EQ(documents->size(), 1U) << yaml;
    // Equal, not alike: -0 is 0 in YAML.
    EXPECT_TRUE(Equal(documents->front().value, WithFloatNumbers(value, arena))) << yaml;
  }
}

TEST_F(YamlTest, ReadsBackEveryAwkwardString) {
  std::vector<std::string> texts = {"-",
                                    "- a",
                                    "a:",
                                    ":a",
                                    "a #b",
                                    "#a",
                                    "? a",
                                    "?",
                                    "-1",
                                    "1_0",
                                    "0b1",
                                    "a\n b",
                                    " a",
                                    "a ",
                                    "\n",
                                    "a\n\nb\n\n\n",
                                    "a\n  b\nc",
                                    "\ta",
                                    "a\n\tb",
                                    "\r",
                                    "a\r\nb",
                                    "\x7F",
                                    "\xC2\x85",
                                    "\xE2\x80\xA8",
                                    "\xEF\xBB\xBF",
                                    "---",
                                    "--- a",
                                    "...",
                                    "'",
                                    "\"",
                                    "it's",
                                    "%",
                                    "@a",
                                    "`",
                                    "{",
                                    "a,b",
                                    "[a]",
                                    "|",
                                    ">",
                                    "!a",
                                    "&a",
                                    "*",
                                    "=",
                                    "<<",
                                    "1:30",
                                    "12:30:45",
                                    std::string(200, 'k'),
                                    std::string("\0", 1),
                                    "a: b\nc",
                                    "x \ny",
                                    "# a\nb",
                                    "\xF0\x9F\x98\x80",
                                    "\xF4\x8F\xBF\xBF",
                                    "\xEF\xBF\xBE",
                                    "- a\n- b",
                                    "...\na",
                                    "---\na"};
  for (const std::string& text : texts) {
    for (const bool as_key : {false, true}) {
      ObjectBuilder builder(arena_);
      builder.Add(as_key ? Value::String(text) : Value::String("key"),
                  as_key ? ParseJson("[{\"a\":1}]", arena_).value() : Value::String(text));
      ArrayBuilder outer(arena_);
      outer.Add(builder.Finish());
      const Value value = outer.Finish();
      const std::string yaml = ToYaml(value);
      const auto documents = ParseYaml(yaml, arena_);
      ASSERT_TRUE(documents.has_value()) << documents.error().ToString() << "\n" << yaml;
      ASSERT_EQ(documents->size(), 1U) << yaml;
      EXPECT_EQ(ToJson(documents->front().value), ToJson(value)) << yaml;
    }
  }
}

TEST_F(YamlTest, TheLayoutOfVersion3IsGators) {
  const Value value =
      ParseJson(
          R"({"a10":1.5,"a2":[{"k":["x",[]]},{}],"b":"two\nlines","c":"y","d":"a: b","e":1e6,)"
          R"("f":"tab\t","g":" \u0041\nB\n"})",
          arena_, {.numbers = NumberMode::kFloat64})
          .value();
  std::string text;
  AppendVersion3Member("top", value, 2, &text);
  EXPECT_EQ(text,
            "  top:\n"
            "    a2:\n"
            "        - k:\n"
            "            - x\n"
            "            - []\n"
            "        - {}\n"
            "    a10: 1.5\n"
            "    b: |-\n"
            "        two\n"
            "        lines\n"
            "    c: \"y\"\n"
            "    d: 'a: b'\n"
            "    e: 1e+06\n"
            "    f: \"tab\\t\"\n"
            "    g: |4\n"
            "         A\n"
            "        B\n");
  EXPECT_EQ(ToVersion3Flow(value),
            "{a2: [{k: [x, []]}, {}], a10: 1.5, b: \"two\\nlines\", c: \"y\", d: 'a: b', e: 1e+06, "
            "f: \"tab\\t\", g: \" A\\nB\\n\"}");
}

TEST_F(YamlTest, Version3HasNoYesAndSaysTheLine) {
  const ParseOptions options{.dialect = YamlDialect::kVersion3};
  const auto words = ParseYaml("n: [yes, on, true, 1]\n", arena_, options);
  ASSERT_TRUE(words);
  EXPECT_EQ(ToJson(words->front().value), R"({"n":["yes","on",true,1]})");
  const auto broken = ParseYaml("a: b\nc:\n\td: e\n", arena_, options);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "yaml: line 3: found character that cannot start any token");
}

}  // namespace
}  // namespace portcullis::document
