#include "document/value.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/encoding.h"
#include "document/json.h"
#include "tests/document/random_value.h"

namespace portcullis::document {
namespace {

class ValueTest : public testing::Test {
 protected:
  Value Parse(std::string_view text) { return ParseJson(text, arena_).value(); }

  Arena arena_;
};

TEST_F(ValueTest, OrdersTypesAsRegoDoes) {
  SetBuilder set(arena_);
  const std::vector<Value> ascending = {Value(),
                                        Value::Null(),
                                        Value::Boolean(false),
                                        Value::Boolean(true),
                                        Value::Int(-1),
                                        Value::Float(1e6),
                                        Value::String(""),
                                        Value::String("a"),
                                        Parse("[]"),
                                        Parse("[0]"),
                                        Parse("[1]"),
                                        Parse("{}"),
                                        Parse("{\"a\":1}"),
                                        Parse("{\"a\":2}"),
                                        Parse("{\"a\":2,\"b\":0}"),
                                        Parse("{\"b\":0}"),
                                        set.Finish()};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t k = 0; k < ascending.size(); ++k) {
      EXPECT_EQ(Compare(ascending[i], ascending[k]), i <=> k) << i << " " << k;
      EXPECT_EQ(Equal(ascending[i], ascending[k]), i == k) << i << " " << k;
    }
  }
}

TEST_F(ValueTest, ComparesNumbersByTheirExactValue) {
  const auto order = [this](std::string_view a, std::string_view b) {
    return Compare(Parse(a), Parse(b));
  };
  for (const std::string_view one : {"1", "1.0", "1e0", "10e-1", "0.1e1", "1.000E+00", "0.01e2"}) {
    EXPECT_TRUE(order("1", one) == 0) << one;
    EXPECT_EQ(Hash(Parse("1")), Hash(Parse(one))) << one;
  }
  EXPECT_TRUE(order("0", "-0.0") == 0);
  EXPECT_TRUE(order("0e5", "-0") == 0);
  EXPECT_TRUE(order("9007199254740993", "9007199254740992.0") > 0);
  EXPECT_TRUE(order("1e400", "1e401") < 0);
  EXPECT_TRUE(order("-1e400", "-1e401") > 0);
  EXPECT_TRUE(order("1e-401", "1e-400") < 0);
  EXPECT_TRUE(order("-1", "1e-400") < 0);
  EXPECT_TRUE(order("0.12", "0.123") < 0);
  EXPECT_TRUE(order("-0.12", "-0.123") > 0);
  EXPECT_TRUE(order("1e1000000000", "2e999999999") > 0);
  EXPECT_TRUE(order("1e99999999999999999999999", "1e5") > 0);
  EXPECT_TRUE(order("1000000000000000000000", "1e21") == 0);
  EXPECT_EQ(Hash(Parse("1000000000000000000000")), Hash(Parse("1e21")));
  EXPECT_EQ(Hash(Parse("12.50")), Hash(Parse("125e-1")));
}

TEST_F(ValueTest, TakesAFloatForItsShortestSpelling) {
  EXPECT_TRUE(Equal(Value::Float(0.1), Parse("0.1")));
  EXPECT_TRUE(Equal(Value::Float(1e18), Value::Int(1'000'000'000'000'000'000)));
  // 2^60 prints as 1.152921504606847e+18.
  EXPECT_FALSE(Equal(Value::Float(1152921504606846976.0), Value::Int(1152921504606846976)));
  EXPECT_TRUE(Compare(Value::Float(1.5), Value::Int(1)) > 0);
  EXPECT_TRUE(Compare(Value::Int(-2), Value::Float(-1.5)) < 0);
  EXPECT_TRUE(Compare(Value::Float(-1.5), Value::Int(-1)) < 0);
  EXPECT_TRUE(Equal(Value::Float(2e6), Value::Int(2'000'000)));
  EXPECT_EQ(Hash(Value::Float(2e6)), Hash(Value::Int(2'000'000)));
  EXPECT_EQ(Hash(Value::Float(1e18)), Hash(Value::Int(1'000'000'000'000'000'000)));
}

TEST_F(ValueTest, SpellsNumbersAsGoDoes) {
  const auto text = [](double value) { return NumberText(Value::Float(value)); };
  EXPECT_EQ(text(1e6), "1e+06");
  EXPECT_EQ(text(123456), "123456");
  EXPECT_EQ(text(1234567), "1.234567e+06");
  EXPECT_EQ(text(123456.5), "123456.5");
  EXPECT_EQ(text(1234567.5), "1.2345675e+06");
  EXPECT_EQ(text(0.0001), "0.0001");
  EXPECT_EQ(text(0.00001), "1e-05");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(1e100), "1e+100");
  EXPECT_EQ(text(5e-324), "5e-324");
  EXPECT_EQ(text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_TRUE(Value::Float(999999).is_int());
  EXPECT_TRUE(Value::Float(1000000).is_float());
  EXPECT_TRUE(Value::Decimal("12").is_int());
  EXPECT_EQ(NumberText(Value::Decimal("1.50")), "1.50");
  // What to_number takes keeps its spelling, but in JSON.
  for (const auto& [spelt, json, like] : {std::tuple("+1", "1", "1"),
                                          {"01", "1", "1"},
                                          {".5", "0.5", "0.5"},
                                          {"-.50e1", "-0.50e1", "-5"},
                                          {"5.", "5", "5"},
                                          {"+00.", "0", "0"}}) {
    EXPECT_EQ(NumberText(Value::Decimal(spelt)), spelt);
    EXPECT_EQ(ToJson(Value::Decimal(spelt)), json);
    EXPECT_TRUE(Equal(Value::Decimal(spelt), Value::Decimal(like))) << spelt;
    EXPECT_EQ(Hash(Value::Decimal(spelt)), Hash(Value::Decimal(like))) << spelt;
    EXPECT_EQ(ToDouble(Value::Decimal(spelt)), ToDouble(Value::Decimal(like))) << spelt;
  }
  EXPECT_EQ(NumberText(Value::Int(INT64_MIN)), "-9223372036854775808");
}

TEST_F(ValueTest, ConvertsNumbers) {
  EXPECT_EQ(ToInt64(Parse("1.0")), 1);
  EXPECT_EQ(ToInt64(Parse("1e3")), 1000);
  EXPECT_EQ(ToInt64(Parse("-9223372036854775808.0")), INT64_MIN);
  EXPECT_EQ(ToInt64(Parse("9223372036854775808")), std::nullopt);
  EXPECT_EQ(ToInt64(Parse("1.5")), std::nullopt);
  EXPECT_EQ(ToInt64(Parse("1e1000000000")), std::nullopt);
  EXPECT_EQ(ToInt64(Parse("1e-1000000000")), std::nullopt);
  EXPECT_EQ(ToInt64(Parse("0e1000000000")), 0);
  EXPECT_EQ(ToDouble(Parse("0.1")), 0.1);
  EXPECT_EQ(ToDouble(Parse("1e400")), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ToDouble(Parse("-1e400")), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ToDouble(Parse("1e-400")), 0.0);
  EXPECT_EQ(ToDouble(Parse("5e-324")), 5e-324);
}

TEST_F(ValueTest, FindsMembersAndItems) {
  const Value object = Parse(R"({"a":1,"b":[10,20],"c":{"d":"x"}})");
  EXPECT_EQ(object.Find("a").integer(), 1);
  EXPECT_TRUE(object.Find("z").is_undefined());
  EXPECT_EQ(object.Find("b").Find(Value::Int(1)).integer(), 20);
  EXPECT_TRUE(object.Find("b").Find(Value::Int(2)).is_undefined());
  EXPECT_TRUE(object.Find("b").Find(Value::Int(-1)).is_undefined());
  EXPECT_TRUE(Equal(object.Find("b").Find(Parse("1.0")), object.Find("b").ItemAt(1)));
  EXPECT_TRUE(object.Find("b").Find(Parse("1e0")).is_undefined());
  EXPECT_TRUE(object.Find("b").Find("1").is_undefined());
  EXPECT_EQ(object.GetString({"c", "d"}), "x");
  EXPECT_EQ(object.GetString({"c", "d", "e"}), "");
  EXPECT_TRUE(object.Get({"c", "x", "y"}).is_undefined());
  EXPECT_TRUE(Value::Int(1).Find("a").is_undefined());
  EXPECT_TRUE(Value().Find(Value::Null()).is_undefined());
}

TEST_F(ValueTest, FindsKeysOfEveryType) {
  for (const int size : {3, 40}) {
    ObjectBuilder builder(arena_);
    builder.Add(Value::Null(), Value::Int(-1));
    builder.Add(Parse("[1]"), Value::Int(-2));
    for (int i = 0; i < size; ++i) {
      builder.Add(Value::Int(i), Value::Int(i));
      builder.Add(arena_.CopyString("k" + std::to_string(i)), Value::Int(i));
    }
    const Value object = builder.Finish();
    EXPECT_EQ(object.Find(Value::Null()).integer(), -1);
    EXPECT_EQ(object.Find(Parse("[1.0]")).integer(), -2);
    EXPECT_EQ(object.Find(Parse("2.0")).integer(), 2);
    EXPECT_EQ(object.Find("k2").integer(), 2);
    EXPECT_TRUE(object.Find("k").is_undefined());
    EXPECT_TRUE(object.Find(Value::Boolean(true)).is_undefined());
  }
}

TEST_F(ValueTest, BuildsSetsOfWhatWasAddedFirst) {
  SetBuilder builder(arena_);
  for (const std::string_view text : {"1.0", "\"b\"", "1", "null", "1e0", "\"b\""}) {
    builder.Add(Parse(text));
  }
  const Value set = builder.Finish();
  EXPECT_EQ(ToRego(set), R"({null, 1.0, "b"})");
  EXPECT_EQ(ToRego(set.Find(Value::Int(1))), "1.0");
  EXPECT_EQ(set.Find("b").string(), "b");
  EXPECT_TRUE(set.Find("c").is_undefined());
  EXPECT_EQ(builder.size(), 0U);
}

TEST_F(ValueTest, BuildsObjectsWithOneValueForAKey) {
  ObjectBuilder builder(arena_);
  builder.Add("b", Value::Int(1));
  builder.Add("a", Value::Int(2));
  builder.Add("b", Value::Int(3));
  EXPECT_EQ(ToJson(builder.Finish()), R"({"a":2,"b":3})");
  builder.Add("a", Value::Int(1));
  builder.Add("a", Parse("1.0"));
  EXPECT_EQ(ToJson(builder.FinishUnique()), R"({"a":1})");
  builder.Add("a", Value::Int(1));
  builder.Add("a", Value::Int(2));
  EXPECT_TRUE(builder.FinishUnique().is_undefined());
  EXPECT_EQ(builder.size(), 0U);
}

TEST_F(ValueTest, CopiesWithoutTheSource) {
  Value copy;
  {
    Arena other;
    const Value value = ParseJson(R"({"a":["x",1.50,{"b":null}]})", other).value();
    copy = DeepCopy(value, arena_);
  }
  EXPECT_EQ(ToJson(copy), R"({"a":["x",1.50,{"b":null}]})");
}

TEST_F(ValueTest, ConvertsToGoFloats) {
  const Value value = Parse(R"({"a":[1000000,1.50,9007199254740993,7,1e400],"b":["x"]})");
  const Value converted = WithFloatNumbers(value, arena_);
  EXPECT_EQ(ToJson(converted), R"({"a":[1e+06,1.5,9.007199254740992e+15,7,1e400],"b":["x"]})");
  SetBuilder set(arena_);
  set.Add(Value::Int(9007199254740993));
  set.Add(Value::Int(9007199254740992));
  EXPECT_EQ(WithFloatNumbers(set.Finish(), arena_).size(), 1U);
}

TEST_F(ValueTest, ObeysTheLawsOfATotalOrder) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Arena arena;
    RandomValues random(seed, arena, true);
    std::vector<Value> values;
    for (int i = 0; i < 40; ++i) {
      values.push_back(i % 2 == 0 ? random.Number() : random.Make(2));
    }
    for (const Value& a : values) {
      for (const Value& b : values) {
        const auto order = Compare(a, b);
        ASSERT_EQ(order, 0 <=> Compare(b, a)) << ToRego(a) << " " << ToRego(b);
        ASSERT_EQ(order == 0, Equal(a, b)) << ToRego(a) << " " << ToRego(b);
        if (order == 0) {
          ASSERT_EQ(Hash(a), Hash(b)) << ToRego(a) << " " << ToRego(b);
        }
        for (const Value& c : values) {
          if (order <= 0 && Compare(b, c) <= 0) {
            ASSERT_TRUE(Compare(a, c) <= 0) << ToRego(a) << " " << ToRego(b) << " " << ToRego(c);
          }
        }
      }
    }
  }
}

TEST_F(ValueTest, ReadsItsOwnJsonAgain) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Arena arena;
    const Value value = RandomValues(seed, arena, false).Make(5);
    for (const JsonStyle style : {JsonStyle::kCompact, JsonStyle::kGo, JsonStyle::kPretty}) {
      const auto again = ParseJson(ToJson(value, style), arena);
      ASSERT_TRUE(again.has_value()) << again.error().ToString();
      EXPECT_TRUE(Equal(*again, value));
    }
  }
}

}  // namespace
}  // namespace portcullis::document
