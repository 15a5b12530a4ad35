#include "document/arena.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace portcullis::document {
namespace {

TEST(ArenaTest, AlignsWhatItGives) {
  Arena arena;
  for (std::size_t i = 0; i < 200; ++i) {
    for (const std::size_t alignment : {1, 2, 4, 8, 16}) {
      const auto at = reinterpret_cast<std::uintptr_t>(arena.Allocate(i, alignment));
      EXPECT_EQ(at % alignment, 0U);
    }
  }
}

TEST(ArenaTest, KeepsWhatItCopied) {
  Arena arena;
  std::string text = "text";
  const std::string_view copy = arena.CopyString(text);
  text = "else";
  for (int i = 0; i < 100; ++i) {
    arena.CopyString(std::string(1000, 'x'));
  }
  EXPECT_EQ(copy, "text");
  EXPECT_EQ(arena.CopyString(""), "");
}

TEST(ArenaTest, SaysWhenItIsOverItsLimit) {
  Arena arena(10'000);
  EXPECT_EQ(arena.used_bytes(), 0U);
  arena.Allocate(100, 8);
  EXPECT_FALSE(arena.over_limit());
  arena.Allocate(20'000, 8);
  EXPECT_TRUE(arena.over_limit());
  arena.set_limit_bytes(1'000'000);
  EXPECT_FALSE(arena.over_limit());
}

TEST(ArenaTest, GivesBackAllButTheFirstBlock) {
  Arena arena;
  void* const first = arena.Allocate(100, 16);
  const std::size_t used = arena.used_bytes();
  for (int i = 0; i < 1000; ++i) {
    arena.Allocate(1000, 8);
  }
  EXPECT_GT(arena.used_bytes(), used);
  arena.Reset();
  EXPECT_EQ(arena.used_bytes(), used);
  EXPECT_EQ(arena.Allocate(100, 16), first);
}

}  // namespace
}  // namespace portcullis::document
