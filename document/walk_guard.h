// An end to walks over values. Values share parts, so a short policy can make one that nothing could ever walk
// (a1 := [a0, a0]; a2 := [a1, a1]; …): comparing, hashing, copying and writing take time for each part as often as it
// occurs. Whoever lets a policy make values guards what is done with them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

#include "document/value.h"

namespace portcullis::document {

// For as long as it lives, walks of this thread end early once `must_end` says so, or once one of them has written more than
// `limit_bytes`. What they give is of no use then: the owner asks end() before it hands on anything that came of them.
// Guards nest; the inner one counts. THREADS: one. COST: a subtraction for each container that is walked.
class WalkGuard {
 public:
  enum class End : std::uint8_t { kNone, kTime, kBytes };

  WalkGuard(std::size_t limit_bytes, std::function<bool()> must_end);
  ~WalkGuard();
  WalkGuard(const WalkGuard&) = delete;
  WalkGuard& operator=(const WalkGuard&) = delete;

  [[nodiscard]] End end() const { return end_; }

 private:
  friend bool AskWalkGuard(std::size_t bytes);
  const std::function<bool()> must_end_;
  WalkGuard* const outer_;
  const std::size_t outer_limit_bytes_;
  End end_ = End::kNone;
};

// For those who walk. The parts until the guard is asked, and what it allows.
struct WalkBudget {
  static constexpr std::int64_t kPartsBetweenQuestions = 16384;
  std::int64_t parts = kPartsBetweenQuestions;
  std::size_t limit_bytes = std::numeric_limits<std::size_t>::max();
  WalkGuard* guard = nullptr;
};
extern constinit thread_local WalkBudget walk_budget;

[[nodiscard]] bool AskWalkGuard(std::size_t bytes);

// Before the parts of a container are walked; `bytes` is what the walk has written so far. False: go back at once.
[[nodiscard]] inline bool MayWalk(std::size_t parts, std::size_t bytes = 0) {
  walk_budget.parts -= static_cast<std::int64_t>(parts) + 1;
  if (walk_budget.parts < 0 || bytes > walk_budget.limit_bytes) [[unlikely]] {
    return AskWalkGuard(bytes);
  }
  return true;
}

// Whether the guard of this thread has ended walks.
[[nodiscard]] inline bool WalksHaveEnded() {
  return walk_budget.guard != nullptr && walk_budget.guard->end() != WalkGuard::End::kNone;
}

// Whether the value, each part counted as often as it occurs, takes at most `bytes`, strings included. COST: a walk.
[[nodiscard]] bool IsWithin(const Value& value, std::size_t bytes);

}  // namespace portcullis::document
