#include "document/walk_guard.h"

#include <utility>

namespace portcullis::document {
namespace {

// Takes the value's bytes from `left`; false: there are not so many.
bool Take(const Value& value, std::size_t& left) {
  const std::uint32_t size = value.size();
  const std::size_t text = value.is_string() ? value.string().size() : 0;
  const std::size_t own = sizeof(Value) + text;
  if (own > left || (size > 0 && !MayWalk(size))) {
    return false;
  }
  left -= own;
  for (std::uint32_t i = 0; i < size; ++i) {
    const bool taken = value.is_object()
                           ? Take(value.KeyAt(i), left) && Take(value.ValueAt(i), left)
                           : Take(value.ItemAt(i), left);
    if (!taken) {
      return false;
    }
  }
  return true;
}

}  // namespace

constinit thread_local WalkBudget walk_budget;

WalkGuard::WalkGuard(std::size_t limit_bytes, std::function<bool()> must_end)
    : must_end_(std::move(must_end)),
      outer_(walk_budget.guard),
      outer_limit_bytes_(walk_budget.limit_bytes) {
  walk_budget = {
      .parts = WalkBudget::kPartsBetweenQuestions, .limit_bytes = limit_bytes, .guard = this};
}

WalkGuard::~WalkGuard() {
  walk_budget = {.parts = WalkBudget::kPartsBetweenQuestions,
                 .limit_bytes = outer_limit_bytes_,
                 .guard = outer_};
}

bool AskWalkGuard(std::size_t bytes) {
  WalkGuard* const guard = walk_budget.guard;
  if (guard != nullptr && guard->end_ == WalkGuard::End::kNone) {
    if (bytes > walk_budget.limit_bytes) {
      guard->end_ = WalkGuard::End::kBytes;
    } else if (guard->must_end_()) {
      guard->end_ = WalkGuard::End::kTime;
    }
  }
  if (guard != nullptr && guard->end_ != WalkGuard::End::kNone) {
    walk_budget.parts = 0;  // Whoever asks next comes here again.
    return false;
  }
  walk_budget.parts = WalkBudget::kPartsBetweenQuestions;
  return true;
}

bool IsWithin(const Value& value, std::size_t bytes) {
  return Take(value, bytes);
}

}  // namespace portcullis::document
