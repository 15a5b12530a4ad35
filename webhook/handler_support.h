// What the handlers of reviews share: memory that is used again for the next review, the frame around a review from its bytes
// to its reply, and the bounds of their durations.

#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "document/arena.h"
#include "rules/policy/review.h"
#include "webhook/http_server.h"
#include "webhook/review_reply.h"
#include "webhook/review_request.h"

namespace portcullis::webhook {

inline constexpr std::int32_t kOk = 200;
inline constexpr std::int32_t kAllowedWithWarnings = 299;
inline constexpr std::int32_t kBadRequest = 400;
inline constexpr std::int32_t kForbidden = 403;
inline constexpr std::int32_t kInternalError = 500;
// Of the caller's timeout, what is left for the way back.
inline constexpr int kAnswerShare = 10;

// What one review needs and leaves ready for the next.
struct Scratch {
  document::Arena arena;
  ReviewReply reply;
  std::vector<policy::TemplateTime> times;
  std::vector<policy::ConstraintTime> constraint_times;

  void Clear(std::size_t arena_limit) {
    times.clear();
    constraint_times.clear();
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

// Codes below 400 allow.
void Answer(ReviewReply& reply, std::int32_t code, std::string message);

// The answer to a review that ended in an exception, memory or a mistake of ours: as Gatekeeper's after a panic. `what` is for
// the log: "a review failed".
void AnswerPanic(const Logger& logger, std::string_view what, std::string_view complaint,
                 ReviewReply& reply);

// Lets `run` fill in `reply` and appends it to `out`, unless a worker is wanted; what could not be read is answered with 400.
template <class Run>
Handling AnswerReview(const Result<ReviewRequest>& review, const Logger& logger,
                      std::string_view what, ReviewReply& reply, std::string* out, Run run) {
  if (!review) {
    Answer(reply, kBadRequest, review.error().message);
    AppendBareReply(reply, out);
    return Handling::kDone;
  }
  try {
    if (run(*review) == Handling::kNeedWorker) {
      return Handling::kNeedWorker;
    }
  } catch (const std::exception& exception) {
    AnswerPanic(logger, what, exception.what(), reply);
  }
  AppendReply(review->api_version, review->kind, review->request.GetString({"uid"}), reply, out);
  return Handling::kDone;
}

// The bounds of Gatekeeper's histograms of request durations, in seconds.
[[nodiscard]] std::vector<double> RequestDurationBounds();

// The object with metadata.namespace set; empty: taken out.
[[nodiscard]] document::Value WithNamespace(const document::Value& object,
                                            std::string_view name_space, document::Arena& arena);

}  // namespace portcullis::webhook
