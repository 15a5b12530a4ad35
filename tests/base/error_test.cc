#include "base/error.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

Result<int> Parse(int value) {
  if (value < 0) {
    return Fail(ErrorCode::kInvalidArgument, "negative",
                {.file = "a.rego", .line = 3, .column = 7});
  }
  return value;
}

Result<std::string> Twice(int value) {
  const int parsed = TRY(AddContext(Parse(value), "twice"));
  return std::to_string(2 * parsed);
}

Result<void> Check(int value) {
  TRY(Parse(value));
  return {};
}

Result<std::unique_ptr<int>> Make(int value) {
  return std::make_unique<int>(value);
}

Result<int> Take(int value) {
  const std::unique_ptr<int> made = TRY(Make(value));
  return *made;
}

TEST(ErrorTest, TryHandsOnTheValueOrReturnsTheError) {
  EXPECT_EQ(Twice(4).value(), "8");
  EXPECT_EQ(Twice(-1).error().ToString(), "a.rego:3:7: twice: negative");
  EXPECT_EQ(Twice(-1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Check(1).has_value());
  EXPECT_FALSE(Check(-1).has_value());
}

TEST(ErrorTest, TryMovesWhatCannotBeCopied) {
  EXPECT_EQ(Take(5).value(), 5);
}

TEST(ErrorTest, PrintsWhatIsKnownOfThePosition) {
  const auto text = [](Position position) {
    return Fail(ErrorCode::kInternal, "m", std::move(position)).error().ToString();
  };
  EXPECT_EQ(text({.file = "f", .line = 1, .column = 2}), "f:1:2: m");
  EXPECT_EQ(text({.file = "f", .line = 1, .column = 0}), "f:1: m");
  EXPECT_EQ(text({.file = "f", .line = 0, .column = 0}), "f: m");
  EXPECT_EQ(text({.file = "", .line = 1, .column = 2}), "1:2: m");
  EXPECT_EQ(text({.file = "", .line = 0, .column = 0}), "m");
  EXPECT_EQ(Fail(ErrorCode::kInternal, "m").error().ToString(), "m");
}

TEST(ErrorTest, NamesEveryCodeDifferently) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(ErrorCodeName(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
}

}  // namespace
}  // namespace portcullis
