#include <string_view>

#include <gtest/gtest.h>

#include "tests/rules/builtins_support.h"

namespace portcullis::builtins {
namespace {

struct Case {
  std::string_view name;
  std::string_view operands;
  std::string_view want;
};

void ExpectAll(std::initializer_list<Case> cases) {
  BuiltinCaller caller;
  for (const Case& test : cases) {
    EXPECT_EQ(caller.Call(test.name, test.operands), test.want) << test.name << test.operands;
  }
}

TEST(Arithmetic, WholeNumbersAreExactAtAnySize) {
  ExpectAll({{"plus", "[9223372036854775807, 1]", "9223372036854775808"},
             {"mul", "[100000000000, 100000000000]", "10000000000000000000000"},
             {"rem", "[-7, 3]", "-1"},
             {"rem", "[10, 18446744073709551616]", "10"},
             {"rem", "[5, 2.5]", "error: modulo on floating-point number"},
             {"rem", "[5, 0]", "error: modulo by zero"}});
}

TEST(Arithmetic, OtherNumbersHaveSixtyFourBitsAndPrintTheFewestDigits) {
  ExpectAll({{"div", "[1, 3]", "0.33333333333333333334"},
             {"div", "[6, 3]", "2"},
             {"div", "[1, 0.0]", "error: divide by zero"},
             {"plus", "[0.1, 0.2]", "0.3"},
             {"mul", "[3.0, 1]", "3"},
             {"plus", "[123456789.5, 0]", "1.234567895e+08"},
             {"round", "[2.5]", "3"},
             {"round", "[-2.5]", "-3"},
             {"floor", "[-1.5]", "-2"},
             {"ceil", "[1.1]", "2"},
             {"abs", "[-4.5]", "4.5"}});
}

TEST(Sets, OperatorsMergeSortedMembers) {
  ExpectAll({{"and", R"([{"set!": [1, 2, 3]}, {"set!": [2, 3, 4]}])", "{2, 3}"},
             {"or", R"([{"set!": [1]}, {"set!": [0]}])", "{0, 1}"},
             {"minus", R"([{"set!": [1, 2]}, {"set!": [2]}])", "{1}"},
             {"minus", R"([{"set!": []}, 1])", "error: operand 2 must be set but got number"},
             {"intersection", R"([{"set!": []}])", "set()"}});
}

TEST(Aggregates, CoverAllCollections) {
  ExpectAll({{"count", R"(["añb"])", "3"},
             {"sum", "[[1, 2.5]]", "3.5"},
             {"sum", R"([[1, "a"]])",
              "error: operand 1 must be array of numbers but got array containing string"},
             {"product", "[[]]", "1"},
             {"max", "[[]]", "undefined"},
             {"max", R"([[1, "a", null]])", "\"a\""},
             {"sort", R"([[3, 1, 2]])", "[1, 2, 3]"},
             {"internal.member_2", R"([1, {"a": 1}])", "true"},
             {"internal.member_3", R"(["a", 2, {"a": 1}])", "false"}});
}

TEST(Strings, CountByCodePoint) {
  ExpectAll({{"indexof", R"(["aéb", "b"])", "2"},
             {"indexof", R"(["a", ""])", "error: empty search character"},
             {"indexof_n", R"(["éaéa", "a"])", "[1, 3]"},
             {"substring", R"(["aébc", 1, 2])", "\"éb\""},
             {"substring", R"(["abc", -1, 2])", "error: negative offset"},
             {"split", R"(["aé", ""])", R"(["a", "é"])"},
             {"strings.split_n", R"(["a,b,c", ",", -2])", R"(["b", "c"])"},
             {"strings.reverse", R"(["aéb"])", "\"béa\""},
             {"upper", R"(["straße"])", "\"STRAßE\""}});
}

TEST(Strings, ReplaceInOnePass) {
  ExpectAll({{"replace", R"(["abab", "a", "x"])", "\"xbxb\""},
             {"strings.replace_n", R"([{"ab": "1", "a": "2"}, "ab"])", "\"2b\""},
             {"trim", R"(["--a-b--", "-"])", "\"a-b\""},
             {"trim_space", "[\"\\u00a0 a\\n\"]", "\"a\""},
             {"concat", R"(["/", ["a", "b"]])", "\"a/b\""},
             {"format_int", "[255, 16]", "\"ff\""},
             {"format_int", "[1, 3]", "error: operand 2 must be one of {2, 8, 10, 16}"}});
}

TEST(Sprintf, SpeaksGo) {
  ExpectAll({{"sprintf", R"(["%s is %d", ["a", 1]])", "\"a is 1\""},
             {"sprintf", R"(["%d", [true]])", "\"%!d(string=true)\""},
             {"sprintf", R"(["%d", []])", "\"%!d(MISSING)\""},
             {"sprintf", R"(["a", [2]])", "\"a%!(EXTRA int64=2)\""},
             {"sprintf", R"(["%", []])", "\"%!(NOVERB)\""},
             {"sprintf", R"(["%f", [3]])", "\"%!f(int64=3)\""},
             {"sprintf", R"(["%5.2f|%-4d|%04d", [3.14159, 7, 42]])", "\" 3.14|7   |0042\""},
             {"sprintf", R"(["%[2]v %[1]v", [1, 2]])", "\"2 1\""},
             {"sprintf", R"(["%v %v", [10.50, [10.50]]])", "\"10.5 [10.50]\""},
             {"sprintf", R"(["%x %q", ["hi", "b"]])", R"("6869 \"b\"")"}});
}

TEST(Regex, LoopsOverMatchesAsGo) {
  ExpectAll(
      {{"regex.match", R"(["^a+$", "aaa"])", "true"},
       {"regex.match", R"(["[a", "a"])", "error: error parsing regexp: missing closing ]: `[a`"},
       {"regex.find_n", R"(["a*", "baac", -1])", R"(["", "aa", ""])"},
       {"regex.split", R"([",", "a,b,"])", R"(["a", "b", ""])"},
       {"regex.replace", R"x(["foo bar", "(?<x>\\w+) (\\w+)", "$2 ${x} $1y"])x", "\"bar foo \""},
       {"regex.template_match", R"(["a:{[0-9]+}.", "a:12.", "{", "}"])", "true"},
       {"regex.globs_match", R"(["a.*b", "acb+"])", "true"},
       {"regex.globs_match", R"(["[0-9]+", "[a-z]+"])", "false"}});
}

TEST(Objects, FollowPathsAndMerge) {
  ExpectAll(
      {{"object.get", R"([{"a": {"b": 1}}, ["a", "b"], 0])", "1"},
       {"object.get", R"([{"a": 1}, ["a", "b"], 0])", "0"},
       {"object.union", R"([{"a": {"b": 1}}, {"a": {"c": 2}}])", R"({"a": {"b": 1, "c": 2}})"},
       {"object.union_n", R"([[{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}]])",
        R"({"a": {"c": 3}})"},
       {"object.subset", "[[1, 2, 3], [2, 3]]", "true"},
       {"json.filter", R"([{"a": {"b": 1, "c": 2}}, ["a/b"]])", R"({"a": {"b": 1}})"},
       {"json.remove", R"([{"a": [1, 2]}, ["a/0"]])", R"({"a": [2]})"}});
}

TEST(JsonPatch, AppliesOperationsInOrder) {
  ExpectAll(
      {{"json.patch", R"([{"a": [1]}, [{"op": "add", "path": "/a/-", "value": 2}]])",
        R"({"a": [1, 2]})"},
       {"json.patch", R"([{"a": 1}, [{"op": "move", "from": "a", "path": "b"}]])", R"({"b": 1})"},
       {"json.patch", R"([{"set!": [1]}, [{"op": "add", "path": [2], "value": 2}]])", "{1, 2}"},
       {"json.patch", R"([[1], [{"op": "remove", "path": "/1"}]])",
        "error: index for array delete out of bounds"}});
}

TEST(Encoding, RoundTripsAndRefusesGarbage) {
  ExpectAll({{"json.marshal", R"([{"a": "<"}])", R"("{\"a\":\"\\u003c\"}")"},
             {"json.unmarshal", R"(["{\"a\":1,\"a\":2}"])", R"({"a": 2})"},
             {"base64.decode", R"(["YQ=="])", "\"a\""},
             {"base64.decode", R"(["YQ"])", "error: illegal base64 data at input byte 0"},
             {"base64url.decode", R"(["YQ"])", "\"a\""},
             {"hex.decode", R"(["6g"])", "error: encoding/hex: invalid byte: U+0067 'g'"},
             {"urlquery.encode", R"(["a b&c"])", "\"a+b%26c\""},
             {"urlquery.decode", R"(["%zz"])", R"(error: invalid URL escape "%zz")"}});
}

TEST(Glob, StarsStopAtDelimiters) {
  ExpectAll(
      {{"glob.match", R"(["*.com", [], "a.com"])", "true"},
       {"glob.match", R"(["*.com", [], "a.b.com"])", "false"},
       {"glob.match", R"(["**.com", [], "a.b.com"])", "true"},
       {"glob.match", R"(["{a,b[!c]}?", null, "bdx"])", "true"},
       {"glob.match", R"(["{a", null, "a"])", "error: glob: syntax error at 2: unclosed `{`"}});
}

TEST(Units, KeepExactQuantities) {
  ExpectAll(
      {{"units.parse", R"(["10Gi"])", "10737418240"},
       {"units.parse", R"(["100m"])", "0.1000000000"},
       {"units.parse", R"(["1 G"])", "error: units.parse: spaces not allowed in resource strings"},
       {"units.parse_bytes", R"(["1.5KiB"])", "1536"}});
}

TEST(Time, ReadsAndWritesGoLayouts) {
  ExpectAll(
      {{"time.parse_rfc3339_ns", R"(["1970-01-01T00:00:01.5+01:00"])", "-3598500000000"},
       {"time.parse_ns", R"(["2006-01-02", "2023-02-30"])",
        "error: parsing time \"2023-02-30\": day out of range"},
       {"time.format", R"([[0, "Asia/Tokyo", "RFC1123"]])", "\"Thu, 01 Jan 1970 09:00:00 JST\""},
       {"time.add_date", "[0, 0, 1, -1]", "2592000000000000"},
       {"time.diff", "[0, 31622461000000000]", "[1, 0, 1, 0, 1, 1]"},
       {"time.parse_duration_ns", R"(["1d1.5s"])", "86401500000000"},
       {"time.clock", R"([[0, "No/Where"]])", "error: unknown time zone No/Where"}});
}

TEST(Net, ComparesNetworks) {
  ExpectAll({{"net.cidr_contains", R"(["10.0.0.0/8", "10.1.0.0/16"])", "true"},
             {"net.cidr_contains", R"(["::/80", "::/80"])", "true"},
             {"net.cidr_merge", R"([["10.0.0.0/25", "10.0.0.128/25"]])", R"({"10.0.0.0/24"})"},
             {"net.cidr_expand", R"(["1.2.3.4/31"])", R"({"1.2.3.4", "1.2.3.5"})"},
             {"net.cidr_is_valid", R"(["1.2.3.04/31"])", "false"}});
}

TEST(Versions, OrderBySemanticVersioning) {
  ExpectAll({{"semver.compare", R"(["1.0.0-alpha.1", "1.0.0-alpha.beta"])", "-1"},
             {"semver.compare", R"(["v1.0.0", "1.0.0+build"])", "0"},
             {"semver.is_valid", R"(["1.02.0"])", "false"}});
}

TEST(Graphql, ParsesAndChecks) {
  ExpectAll({{"graphql.is_valid", R"(["{a}", "type Query {a: Int}"])", "true"},
             {"graphql.is_valid", R"(["{b}", "type Query {a: Int}"])", "false"},
             {"graphql.is_valid", R"(["query($x: Int) {a}", "type Query {a: Int}"])", "false"},
             {"graphql.parse_query", R"(["{a"])",
              "error: Expected Name, found <EOF> in GraphQL string at location 1:3"},
             {"graphql.schema_is_valid", R"(["type A implements B {c: Int}"])", "false"}});
}

TEST(JsonSchema, ReportsWhatDoesNotFit) {
  ExpectAll(
      {{"json.match_schema", R"([{"a": 1}, {"properties": {"a": {"type": "integer"}}}])",
        "[true, []]"},
       {"json.match_schema", R"([{}, {"required": ["a"]}])",
        R"x([false, [{"desc": "a is required", "error": "(Root): a is required", "field": "(Root)", "type": "required"}]])x"},
       {"json.verify_schema", R"([{"type": "number"}])", "[true, null]"},
       {"json.verify_schema", R"(["{"])", R"([false, "jsonschema: invalid JSON string"])"}});
}

TEST(Tokens, VerifyWithSecrets) {
  constexpr std::string_view kToken =
      R"("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5)"
      R"(MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c")";
  BuiltinCaller caller;
  const std::string token(kToken);
  EXPECT_EQ(caller.Call("io.jwt.verify_hs256", "[" + token + ", \"your-256-bit-secret\"]"), "true");
  EXPECT_EQ(caller.Call("io.jwt.verify_hs256", "[" + token + ", \"other\"]"), "false");
  EXPECT_EQ(caller.Call("io.jwt.decode", R"(["a.b"])"),
            "error: encoded JWT must have 3 sections, found 2");
}

TEST(Limits, LongLoopsHaltAtTheDeadline) {
  BuiltinCaller caller;
  caller.deadline = caller.clock.Now();
  EXPECT_EQ(caller.Call("numbers.range", "[1, 1000000000000]"),
            "error: caller cancelled query execution");
  EXPECT_EQ(caller.Call("net.cidr_expand", R"(["::/0"])"),
            "error: net.cidr_expand: timed out before generating all IP addresses");
}

TEST(Limits, GrowthHaltsAtTheMemoryLimit) {
  BuiltinCaller caller;
  caller.limit_bytes = 1 << 20;
  EXPECT_EQ(caller.Call("sprintf", R"(["%1000000d%1000000d%1000000d", [1, 2, 3]])"),
            "error: memory limit reached");
  EXPECT_EQ(caller.Call("bits.lsh", "[1, 1000000000000]"), "error: number too big");
}

}  // namespace
}  // namespace portcullis::builtins
