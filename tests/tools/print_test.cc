// What the commands that stand for Go programs print.

#include <gtest/gtest.h>

#include "document/json.h"
#include "tools/eval_print.h"
#include "tools/go_json.h"

namespace portcullis::tools {
namespace {

using document::Value;

TEST(GoJsonTest, FloatsAreSpeltAsGoSpellsThem) {
  const auto text = [](double number, Floats floats = Floats::kGo) {
    return GoJson::Of(Value::Float(number), floats).Compact();
  };
  EXPECT_EQ(text(1e6), "1000000");
  EXPECT_EQ(text(12345678901234567890.0), "12345678901234567000");
  EXPECT_EQ(text(1e21), "1e+21");
  EXPECT_EQ(text(-0.00001), "-0.00001");
  EXPECT_EQ(text(1e-7), "1e-7");
  EXPECT_EQ(text(1.5), "1.5");
  EXPECT_EQ(text(1e6, Floats::kRego), "1e+06");
}

TEST(GoJsonTest, RawJsonIsPrintedInLinesLikeTheRest) {
  const std::string raw = R"({"a":[1,{"b":"}[\\\",:"},[]],"c":{}})";
  GoJson json = GoJson::Struct();
  json.Add("raw", GoJson::Raw(raw)).Add("text", GoJson::Raw(R"("[]")"));
  EXPECT_EQ(json.Compact(), R"({"raw":)" + raw + R"(,"text":"[]"})");
  EXPECT_EQ(json.Indented(1), R"({
 "raw": {
  "a": [
   1,
   {
    "b": "}[\\\",:"
   },
   []
  ],
  "c": {}
 },
 "text": "[]"
})");
}

TEST(GoJsonTest, StructsKeepTheirOrderAndTextsAreEscapedForHtml) {
  GoJson json = GoJson::Struct();
  json.Add("z", GoJson::Text("<a>")).Add("a", GoJson::List()).Add("b", GoJson::Struct());
  EXPECT_EQ(json.Compact(), R"({"z":"\u003ca\u003e","a":[],"b":{}})");
  EXPECT_EQ(json.Indented(2), "{\n  \"z\": \"\\u003ca\\u003e\",\n  \"a\": [],\n  \"b\": {}\n}");
}

TEST(TableTest, CellsAreAsWideAsTheWidestAndHeadersStandInTheMiddle) {
  EXPECT_EQ(TableText({"x", "name"}, {{"\"\u00e9\u00e9\"", "1"}, {"2", "long text"}}),
            "┌──────┬───────────┐\n"
            "│  x   │   name    │\n"
            "├──────┼───────────┤\n"
            "│ \"éé\" │ 1         │\n"
            "│ 2    │ long text │\n"
            "└──────┴───────────┘\n");
}

}  // namespace
}  // namespace portcullis::tools
