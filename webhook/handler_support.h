// What the handlers of reviews share: memory that is used again for the next review, and the bounds of their durations.

#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "document/arena.h"
#include "rules/policy/review.h"
#include "webhook/review_reply.h"

namespace portcullis::webhook {

// What one review needs and leaves ready for the next.
struct Scratch {
  document::Arena arena;
  ReviewReply reply;
  std::vector<policy::TemplateTime> times;

  void Clear(std::size_t arena_limit) {
    times.clear();
    arena.Reset();
    arena.set_limit_bytes(arena_limit);
    reply.allowed = false;
    reply.code = 0;
    reply.reason = {};
    reply.message.clear();
    reply.warnings.clear();
    reply.patch.clear();
  }
};

class ScratchPool {
 public:
  std::unique_ptr<Scratch> Take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      return std::make_unique<Scratch>();
    }
    auto scratch = std::move(idle_.back());
    idle_.pop_back();
    return scratch;
  }
  void Return(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_;  // Guarded by mutex_.
};

// The bounds of Gatekeeper's histograms of request durations, in seconds.
[[nodiscard]] std::vector<double> RequestDurationBounds();

}  // namespace portcullis::webhook
