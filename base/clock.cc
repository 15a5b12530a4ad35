#include "base/clock.h"

namespace portcullis {

std::chrono::steady_clock::time_point SystemClock::Now() {
  return std::chrono::steady_clock::now();
}

std::chrono::system_clock::time_point SystemClock::WallNow() {
  return std::chrono::system_clock::now();
}

void ManualClock::Advance(std::chrono::nanoseconds by) {
  now_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(by);
  wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
}

}  // namespace portcullis
