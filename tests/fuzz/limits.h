// What an evaluation is given in fuzz targets, and the check that it kept to it.

#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"
#include "document/arena.h"

namespace portcullis::fuzz {

inline constexpr std::chrono::milliseconds kTimeLimit{200};
inline constexpr std::size_t kMemoryLimit = std::size_t{8} << 20;

// The calendar stands still, so that two evaluations are alike; deadlines are real.
class HalfClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point WallNow() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  }
};

// From here to Done(): at most ten times the time, computed and not waited for, since a machine that is busy elsewhere breaks
// no promise; at most four times the memory, since the arena's limit is soft.
class LimitCheck {
 public:
  explicit LimitCheck(const document::Arena& arena);
  void Done() const;

 private:
  const document::Arena& arena_;
  std::chrono::nanoseconds begin_;
};

}  // namespace portcullis::fuzz
