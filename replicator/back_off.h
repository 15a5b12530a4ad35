// How long to wait before the next attempt: doubling up to a limit, with jitter, so that many that
// failed together do not come back together.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace portcullis::replicator {

// THREADS: one.
class BackOff {
 public:
  BackOff(std::chrono::milliseconds base, std::chrono::milliseconds limit, std::uint64_t seed)
      : base_(base), limit_(limit), random_(seed) {}

  // Between a half and the whole of base * 2^n, at most the limit.
  std::chrono::milliseconds Next() {
    const std::chrono::milliseconds full = std::min(limit_, base_ * (std::int64_t{1} << attempts_));
    attempts_ = std::min(attempts_ + 1, 20);
    std::uniform_int_distribution<std::int64_t> distribution(full.count() / 2, full.count());
    return std::chrono::milliseconds(distribution(random_));
  }
  void Reset() { attempts_ = 0; }

 private:
  const std::chrono::milliseconds base_;
  const std::chrono::milliseconds limit_;
  std::mt19937_64 random_;
  int attempts_ = 0;
};

}  // namespace portcullis::replicator
