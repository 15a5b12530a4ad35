#include "rules/rego/scratch.h"

#include <chrono>
#include <utility>

namespace portcullis::rego {
namespace {

// Memory with something in it that must stay is filled up to here before it is laid aside, so that many small
// leftovers do not cost a block each.
constexpr std::size_t kFullBytes = std::size_t{16} << 10;

}  // namespace

std::unique_ptr<builtins::CallContext> MakeCallContext(document::Arena& arena,
                                                       builtins::PreparedCache& prepared,
                                                       const EvaluationRequest& request) {
  auto context = std::make_unique<builtins::CallContext>(arena, prepared, *request.clock);
  const auto wall = request.clock->WallNow().time_since_epoch();
  context->query_time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count();
  context->deadline = request.deadline;
  context->seed = static_cast<std::uint64_t>(context->query_time_ns);
  return context;
}

Evaluator::CandidateMemory::~CandidateMemory() {
  if (scratch_ == nullptr) {
    return;
  }
  if (dirty_) {
    Retire();
  } else {
    evaluator_.free_scratch_.push_back(std::move(scratch_));
  }
}

void Evaluator::CandidateMemory::Begin() {
  if (scratch_ == nullptr) {
    if (evaluator_.free_scratch_.empty()) {
      scratch_ = std::make_unique<Scratch>();
      scratch_->arena.set_limit_bytes(evaluator_.request_.arena->limit_bytes());
      scratch_->call = MakeCallContext(scratch_->arena, evaluator_.prepared_, evaluator_.request_);
      scratch_->call->query_time_ns = evaluator_.root_call_->query_time_ns;
      scratch_->call->outer = evaluator_.root_call_.get();
    } else {
      scratch_ = std::move(evaluator_.free_scratch_.back());
      evaluator_.free_scratch_.pop_back();
    }
  }
  yields_ = evaluator_.yields_;
  keeps_ = evaluator_.keeps_;
  outer_arena_ = std::exchange(evaluator_.arena_, &scratch_->arena);
  outer_call_ = std::exchange(evaluator_.call_, scratch_->call.get());
}

void Evaluator::CandidateMemory::End() {
  evaluator_.arena_ = outer_arena_;
  evaluator_.call_ = outer_call_;
  dirty_ = dirty_ || yields_ != evaluator_.yields_ || keeps_ != evaluator_.keeps_;
  if (!dirty_) {
    scratch_->arena.Reset();
  } else if (scratch_->arena.used_bytes() >= kFullBytes) {
    Retire();
  }
}

void Evaluator::CandidateMemory::Retire() {
  evaluator_.scratch_bytes_ += scratch_->arena.used_bytes();
  evaluator_.kept_scratch_.push_back(std::move(scratch_));
  dirty_ = false;
}

}  // namespace portcullis::rego
