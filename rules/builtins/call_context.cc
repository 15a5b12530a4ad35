#include <utility>

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

bool CallContext::ShouldHalt() {
  if (failure == FailureKind::kHalt) {
    return true;
  }
  if (arena.over_limit()) {
    return HaltForMemory();
  }
  if (++ticks_ % 1024 != 0) {
    return false;
  }
  if (deadline != std::chrono::steady_clock::time_point::max() && clock.Now() >= deadline) {
    failure = FailureKind::kHalt;
    failure_message = "caller cancelled query execution";
    return true;
  }
  return false;
}

bool CallContext::HaltForMemory() {
  failure = FailureKind::kHalt;
  failure_message = "memory limit reached";
  return true;
}

}  // namespace portcullis::builtins
