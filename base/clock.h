// Time, passed in: tests and seeded runs set it themselves.

#pragma once

#include <chrono>

namespace portcullis {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; for measuring and for deadlines.
  virtual std::chrono::steady_clock::time_point Now() = 0;
  // What the calendar says, UTC.
  virtual std::chrono::system_clock::time_point WallNow() = 0;
};

// THREADS: may be used from any thread.
class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() override;
  std::chrono::system_clock::time_point WallNow() override;
};

// Stands still until it is told to go on. THREADS: one.
class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() override { return now_; }
  std::chrono::system_clock::time_point WallNow() override { return wall_; }
  void Advance(std::chrono::nanoseconds by);

 private:
  std::chrono::steady_clock::time_point now_{};
  std::chrono::system_clock::time_point wall_{};
};

}  // namespace portcullis
