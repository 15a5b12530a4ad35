#include "document/walk_guard.h"

#include <string>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "document/yaml.h"

namespace portcullis::document {
namespace {

// 2^levels numbers in memory for `levels` arrays.
Value Shared(int levels, Arena& arena) {
  Value value = Value::Int(1);
  for (int i = 0; i < levels; ++i) {
    ArrayBuilder both(arena);
    both.Add(value);
    both.Add(value);
    value = both.Finish();
  }
  return value;
}

TEST(WalkGuard, EndsWalksOverValuesWhosePartsOccurVeryOften) {
  Arena arena;
  const Value a = Shared(60, arena);
  const Value b = Shared(60, arena);
  const auto ends = [](auto walk) {
    int questions = 0;
    const WalkGuard guard(std::size_t{1} << 40, [&] { return ++questions == 3; });
    walk();
    EXPECT_EQ(guard.end(), WalkGuard::End::kTime);
    EXPECT_TRUE(WalksHaveEnded());
    walk();  // Every further walk ends at once, without a question.
    EXPECT_EQ(questions, 3);
  };
  ends([&] { static_cast<void>(Compare(a, b)); });
  ends([&] { static_cast<void>(Equal(a, b)); });
  ends([&] { static_cast<void>(Hash(a)); });
  ends([&] { static_cast<void>(ToJson(a)); });
  ends([&] { static_cast<void>(ToRego(a)); });
  ends([&] { static_cast<void>(ToYaml(a)); });
  ends([&] { static_cast<void>(DeepCopy(a, arena)); });
  ends([&] { static_cast<void>(WithFloatNumbers(a, arena)); });
  EXPECT_FALSE(WalksHaveEnded());
}

TEST(WalkGuard, EndsWhatWritesTooMuch) {
  Arena arena;
  const WalkGuard guard(100'000, [] { return false; });
  EXPECT_LT(ToJson(Shared(60, arena)).size(), 200'000);
  EXPECT_EQ(guard.end(), WalkGuard::End::kBytes);
}

TEST(WalkGuard, LeavesOtherWalksAlone) {
  Arena arena;
  const Value value = Shared(16, arena);
  const std::string text = ToJson(value);
  const WalkGuard outer(text.size() - 100, [] { return false; });
  {
    const WalkGuard inner(std::size_t{64} << 20, [] { return false; });
    EXPECT_EQ(ToJson(value), text);
    EXPECT_TRUE(Equal(value, DeepCopy(value, arena)));
    EXPECT_EQ(inner.end(), WalkGuard::End::kNone);
  }
  EXPECT_EQ(outer.end(), WalkGuard::End::kNone);
  EXPECT_NE(ToJson(value), text);
  EXPECT_EQ(outer.end(), WalkGuard::End::kBytes);
}

TEST(WalkGuard, CountsSharedPartsAsOftenAsTheyOccur) {
  Arena arena;
  const Value value = Shared(4, arena);
  EXPECT_TRUE(IsWithin(value, 31 * sizeof(Value)));
  EXPECT_FALSE(IsWithin(value, 31 * sizeof(Value) - 1));
  EXPECT_FALSE(IsWithin(Value::String("0123456789"), sizeof(Value)));
}

}  // namespace
}  // namespace portcullis::document
