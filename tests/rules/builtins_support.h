// Calls builtins on operands written as JSON.

#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "document/arena.h"
#include "rules/builtins/builtin.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::builtins {

// With each {"set!": […]} made a set.
[[nodiscard]] Value WithSets(const Value& value, document::Arena& arena);

class BuiltinCaller {
 public:
  // The result as Rego prints it, or "error: …", or "undefined". `operands` is a JSON array; {"set!": […]} in it is a set.
  std::string Call(std::string_view name, std::string_view operands);

  // The limits of the calls that follow.
  std::size_t limit_bytes = std::size_t{256} << 20;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  ManualClock clock;

 private:
  std::unique_ptr<const Catalog> catalog_ = Catalog::Create();
  PreparedCache prepared_;
};

}  // namespace portcullis::builtins
