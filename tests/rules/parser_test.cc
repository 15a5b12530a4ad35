#include "tests/rules/frontend_support.h"

namespace portcullis::rego {
namespace {

using testing::ParseText;

// A query, printed as OPA prints it.
std::string Printed(const std::string& query) {
  auto body = ParseQuery(query);
  return body ? ToString(*body) : ToString(body.error());
}

struct Case {
  const char* query;
  const char* want;
};

TEST(Parser, ReadsTermsAsOpaPrintsThem) {
  const Case cases[] = {
      {"1.50 + 2", "plus(1.50, 2)"},
      {"-3", "-3"},
      {"-input.x", "minus(0, input.x)"},
      {".5", ".5"},
      {R"("a\u00e9\n")", R"("aé\n")"},
      {"`raw \\n`", R"("raw \\n")"},
      {"[1, [2, 3,],]", "[1, [2, 3]]"},
      {"{}", "{}"},
      {"set()", "set()"},
      {"{3, 1, 2, 1}", "{1, 2, 3}"},
      {R"({"b": 1, "a": 2})", R"({"a": 2, "b": 1})"},
      {"{x | x := 1}", "{x | assign(x, 1)}"},
      {"[x | x = y[_]; y]", "[x | x = y[_]; y]"},
      {"{k: v | v := x[k]}", "{k: v | assign(v, x[k])}"},
      {"{a | b}", "{a | b}"},
      {"[1,2][i]", "[1, 2][i]"},
      {"f(x)[y].z", "f(x)[y].z"},
      {R"(input["a-b"].c["in"])", R"(input["a-b"].c["in"])"},
      {"input.package.if", R"(input["package"]["if"])"},
      {"$\"a{x}b\\{\"", "$\"a{x}b\\{\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Printed(c.query), c.want) << c.query;
  }
}

TEST(Parser, BindsOperatorsAsOpaDoes) {
  const Case cases[] = {
      {"a + b * c - d", "minus(plus(a, mul(b, c)), d)"},
      {"a | b & c", "or(a, and(b, c))"},
      {"a < b == c", "equal(lt(a, b), c)"},
      {"x in xs", "internal.member_2(x, xs)"},
      {"k, v in xs", "internal.member_3(k, v, xs)"},
      {"x in [1] in y", "internal.member_2(internal.member_2(x, [1]), y)"},
      {"x := y == z", "assign(x, equal(y, z))"},
      {"(1 + 2) * 3", "mul(plus(1, 2), 3)"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Printed(c.query), c.want) << c.query;
  }
}

TEST(Parser, ReadsLiterals) {
  const Case cases[] = {
      {"some x, y; x", "some x, y; x"},
      {"some k, v in xs", "some k, v in xs"},
      {"every x in xs { x > 1 }", "every x in xs { gt(x, 1) }"},
      {"not f(x) with input as 1 with data.a as 2", "not f(x) with input as 1 with data.a as 2"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Printed(c.query), c.want) << c.query;
  }
}

TEST(Parser, ReadsAllFormsOfRulesInVersion0) {
  EXPECT_EQ(ParseText(R"(package a.b["c-d"]
import data.lib as l
import future.keywords.every
default allow = false
allow { input.x } { input.y }
last { input.x } else = 3 { true } else = 4
p[x] { x = 1 }
q[x] = y { x = 1; y = 2 }
f(x) = y { y = x } else = 2
r.s[t].u := 1 { t = 1 }
pi := 3.14
v = {"a": 1}
contains := 1
)",
                      Version::kV0),
            "ok");
}

TEST(Parser, AsksForTheKeywordsOfVersion1) {
  EXPECT_EQ(
      ParseText("package a\np { true }"),
      "1 error occurred: test.rego:2: rego_parse_error: `if` keyword is required before rule body");
  EXPECT_EQ(ParseText("package a\np[1] { true }"),
            "2 errors occurred:\n"
            "test.rego:2: rego_parse_error: `if` keyword is required before rule body\n"
            "test.rego:2: rego_parse_error: `contains` keyword is required for partial set rules");
  EXPECT_EQ(ParseText("package a\nimport rego.v1\np if { true }", Version::kV0), "ok");
}

TEST(Parser, SaysWhereATextIsWrong) {
  EXPECT_EQ(ParseText("package a\np { x = }", Version::kV0),
            "1 error occurred: test.rego:2: rego_parse_error: unexpected } token\n\tp { x = }\n\t  "
            "      ^");
  EXPECT_EQ(ParseText("package a\np if { input.x y }"),
            "1 error occurred: test.rego:2: rego_parse_error: unexpected identifier token: "
            "expected \\n or ; or }\n"
            "\tp if { input.x y }\n\t               ^");
  EXPECT_EQ(ParseText(""), "1 error occurred: test.rego:0: rego_parse_error: empty module");
  EXPECT_EQ(ParseText("p := 1"),
            "1 error occurred: test.rego:1: rego_parse_error: package expected");
}

TEST(Parser, HintsAtMissingImports) {
  EXPECT_EQ(ParseText("package a\np { some x in xs }", Version::kV0)
                    .find("hint: `import future.keywords.in`") != std::string::npos,
            true);
}

TEST(Parser, RefusesNestingThatIsTooDeep) {
  std::string deep(20'000, '[');
  EXPECT_NE(Printed(deep).find("max parsing recursion depth exceeded"), std::string::npos);
  std::string chain = "x";
  for (int i = 0; i < 20'000; ++i) {
    chain += "+x";
  }
  EXPECT_NE(Printed(chain).find("max parsing recursion depth exceeded"), std::string::npos);
}

TEST(Parser, TakesNoExponentialTime) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "[[";
  }
  text += "1";
  for (int i = 0; i < 200; ++i) {
    text += "]+1]";
  }
  EXPECT_EQ(Printed(text).substr(0, 5), "[plus");
  std::string ambiguous;
  for (int i = 0; i < 60; ++i) {
    ambiguous += "[a | ";
  }
  ambiguous += "b";
  for (int i = 0; i < 60; ++i) {
    ambiguous += ", c]";
  }
  EXPECT_FALSE(Printed(ambiguous).empty());
}

}  // namespace
}  // namespace portcullis::rego
