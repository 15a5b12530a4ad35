#include "rules/rego/fold.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/clock.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::rego {
namespace {

// Sorted. What each costs is in proportion to its operands.
constexpr std::array<std::string_view, 27> kCheap = {
    "abs",        "array.concat", "ceil",      "concat",     "contains", "count",
    "div",        "endswith",     "floor",     "format_int", "indexof",  "lower",
    "minus",      "mul",          "plus",      "rem",        "replace",  "round",
    "split",      "startswith",   "substring", "to_number",  "trim",     "trim_prefix",
    "trim_space", "trim_suffix",  "upper"};
static_assert(std::ranges::is_sorted(kCheap));
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

}  // namespace

std::optional<document::Value> Fold(const builtins::Builtin& builtin,
                                    std::span<const document::Value> operands,
                                    document::Arena& arena) {
  if (!std::ranges::binary_search(kCheap, builtin.name)) {
    return std::nullopt;
  }
  document::Arena own(kMostBytes);
  builtins::PreparedCache prepared(1);
  ManualClock clock;
  builtins::CallContext context(own, prepared, clock);
  const document::Value result = builtin.function(context, operands);
  if (context.failure != builtins::FailureKind::kNone || result.is_undefined() ||
      own.over_limit()) {
    return std::nullopt;
  }
  return document::DeepCopy(result, arena);
}

}  // namespace portcullis::rego
