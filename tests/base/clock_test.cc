#include "base/clock.h"

#include <chrono>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

using std::chrono::milliseconds;

TEST(ClockTest, ManualTimeMovesOnlyWhenItIsTold) {
  ManualClock clock;
  const auto now = clock.Now();
  const auto wall = clock.WallNow();
  EXPECT_EQ(clock.Now(), now);
  clock.Advance(milliseconds(1500));
  EXPECT_EQ(clock.Now() - now, milliseconds(1500));
  EXPECT_EQ(clock.WallNow() - wall, milliseconds(1500));
}

TEST(ClockTest, SystemTimeNeverGoesBack) {
  SystemClock clock;
  const auto first = clock.Now();
  EXPECT_GE(clock.Now(), first);
  EXPECT_GT(clock.WallNow().time_since_epoch().count(), 0);
}

}  // namespace
}  // namespace portcullis
