#include <utility>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {

Value CallContext::Fail(std::string message) {
  failure = FailureKind::kBuiltin;
  failure_message = std::move(message);
  return {};
}

Value CallContext::FailType(std::string message) {
  failure = FailureKind::kType;
  failure_message = std::move(message);
  return {};
}

Value CallContext::FailOperand(int operand, std::string_view wanted, const Value& got) {
  std::string message = "operand " + std::to_string(operand) + " must be ";
  message.append(wanted).append(" but got ").append(TypeName(got));
  return FailType(std::move(message));
}

bool CallContext::ShouldHalt(std::size_t steps) {
  if (failure == FailureKind::kHalt) {
    return true;
  }
  if (arena.over_limit()) {
    return HaltForMemory();
  }
  constexpr std::size_t kStepsToClock = 1024;
  ticks_ += steps;
  if (ticks_ < kStepsToClock) {
    return false;
  }
  ticks_ = 0;
  if (deadline != std::chrono::steady_clock::time_point::max() && clock.Now() >= deadline) {
    failure = FailureKind::kHalt;
    failure_message = "caller cancelled query execution";
    return true;
  }
  return false;
}

bool CallContext::HaltsOnText(const Value& value) {
  std::size_t bytes = 0;
  std::vector<Value> open = {value};
  while (!open.empty()) {
    const Value next = open.back();
    open.pop_back();
    bytes += 2 + (next.is_string() ? next.string().size() : 0);
    if (ShouldHalt() || HaltsBeyond(bytes)) {
      return true;
    }
    for (std::uint32_t i = 0; i < next.size(); ++i) {
      open.push_back(next.is_object() ? next.ValueAt(i) : next.ItemAt(i));
      if (next.is_object()) {
        open.push_back(next.KeyAt(i));
      }
    }
  }
  return false;
}

bool CallContext::HaltForMemory() {
  failure = FailureKind::kHalt;
  failure_message = "memory limit reached";
  return true;
}

}  // namespace portcullis::builtins
