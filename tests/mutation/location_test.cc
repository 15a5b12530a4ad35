#include "mutation/location.h"

#include <gtest/gtest.h>

namespace portcullis::mutation {
namespace {

std::string Shown(std::string_view text) {
  const auto location = ParseLocation(text);
  return location ? location->ToString() : "error: " + location.error().message;
}

TEST(LocationTest, FieldsListsAndQuotesAreRead) {
  EXPECT_EQ(Shown("spec.containers[name:*].image"), "spec.containers[name: *].image");
  EXPECT_EQ(Shown(" spec . containers [ name : foo ] "), "spec.containers[name: foo]");
  EXPECT_EQ(Shown("ports[containerPort: 80].x"), "ports[containerPort: 80].x");
  EXPECT_EQ(Shown("ports[containerPort: '80']"), "ports[containerPort: \"80\"]");
  EXPECT_EQ(Shown(R"(metadata.labels."x.y/z")"), R"(metadata.labels."x.y/z")");
  EXPECT_EQ(Shown(R"('it\'s "so"\\'.b)"), R"("it's \"so\"\\".b)");
  EXPECT_EQ(Shown(R"("".a-b_c)"), R"("".a-b_c)");
  EXPECT_EQ(Shown("'ключ'"), "ключ");
  EXPECT_EQ(Shown(""), "");
  EXPECT_EQ(Shown("  "), "");
}

TEST(LocationTest, WhatIsShownReadsAsTheSame) {
  for (const char* text : {"a.b.c", R"(a["k \"k\"": "1"].'x.y')", "a[b:5].c", "a[b:*]", "'5'.-"}) {
    const auto location = ParseLocation(text);
    ASSERT_TRUE(location) << text;
    const auto again = ParseLocation(location->ToString());
    ASSERT_TRUE(again) << location->ToString();
    EXPECT_EQ(*location, *again);
  }
}

TEST(LocationTest, ErrorsAreGatekeepers) {
  EXPECT_EQ(Shown("a."), "error: trailing separators are forbidden");
  EXPECT_EQ(Shown("a..b"),
            R"(error: unexpected token: expected field name or eof, got: SEPARATOR: ".")");
  EXPECT_EQ(Shown(".a"),
            R"(error: unexpected token: expected field name or eof, got: SEPARATOR: ".")");
  EXPECT_EQ(Shown("a b"), R"(error: unexpected token: expected '.' or eof, got: IDENT: "b")");
  EXPECT_EQ(Shown("a.5"), R"(error: unexpected token: expected field name or eof, got: INT: "5")");
  EXPECT_EQ(Shown("a[]"),
            R"(error: unexpected token: expected keyField in listSpec, got: RBRACKET: "]")");
  EXPECT_EQ(Shown("a[k]"),
            "error: unexpected token: expected ':' following keyField k, got: "
            R"(RBRACKET: "]")");
  EXPECT_EQ(
      Shown("a[k:]"),
      R"(error: unexpected token: expected key value or glob in listSpec, got: RBRACKET: "]")");
  EXPECT_EQ(Shown("a[k:v"),
            R"(error: unexpected token: expected ']' following listSpec, got: EOF: "")");
  EXPECT_EQ(Shown("a[k:v][l:w]"),
            R"(error: unexpected token: expected '.' or eof, got: LBRACKET: "[")");
  EXPECT_EQ(Shown("a.%"),
            R"(error: unexpected token: expected field name or eof, got: ERROR: "%")");
  EXPECT_EQ(Shown("a.'b"),
            R"(error: unexpected token: expected field name or eof, got: ERROR: "b")");
  EXPECT_EQ(Shown("a[k:9223372036854775808]"),
            "error: invalid integer: overflow in integer string: 9223372036854775808: parsing key "
            "value for key: k");
}

TEST(LocationTest, ErrorsHaveAPosition) {
  const auto location = ParseLocation("spec.a[k:!]");
  ASSERT_FALSE(location);
  ASSERT_TRUE(location.error().position);
  EXPECT_EQ(location.error().position->column, 10U);
}

TEST(LocationTest, AVeryLongLocationIsRefused) {
  std::string text = "a";
  for (int i = 0; i < 100000; ++i) {
    text += ".a";
  }
  EXPECT_EQ(Shown(text), "error: a location has at most 1000 steps");
}

TEST(LocationTest, PrefixesCompareStepsNotTexts) {
  const auto longer = ParseLocation("a.b[k:v].c").value();
  EXPECT_TRUE(ParseLocation("a.b").value().IsPrefixOf(longer));
  EXPECT_TRUE(ParseLocation("a.b[k:'v']").value().IsPrefixOf(longer));
  EXPECT_FALSE(ParseLocation("a.b[k:*]").value().IsPrefixOf(longer));
  EXPECT_FALSE(ParseLocation("a.b.k").value().IsPrefixOf(longer));
}

}  // namespace
}  // namespace portcullis::mutation
