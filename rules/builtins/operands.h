// Reading the operands of a builtin, with OPA's texts where one has the wrong type. Operands count from 1.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

using Arguments = std::span<const Value>;

// "null", "boolean", "number", "string", "array", "object", "set".
[[nodiscard]] std::string_view TypeName(const Value& value);

// Each says what is wrong through `context` where it gives nothing (or false).
[[nodiscard]] inline std::optional<std::string_view> StringOperand(CallContext& context,
                                                                   Arguments arguments,
                                                                   int operand) {
  const Value& value = arguments[static_cast<std::size_t>(operand - 1)];
  if (value.is_string()) [[likely]] {
    return value.string();
  }
  context.FailOperand(operand, "string", value);
  return std::nullopt;
}
// The first `count` operands.
template <std::size_t count>
[[nodiscard]] std::optional<std::array<std::string_view, count>> StringOperands(
    CallContext& context, Arguments arguments) {
  std::array<std::string_view, count> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = StringOperand(context, arguments, static_cast<int>(i + 1));
    if (!text) {
      return std::nullopt;
    }
    texts[i] = *text;
  }
  return texts;
}
[[nodiscard]] std::optional<std::int64_t> IntOperand(CallContext& context, Arguments arguments,
                                                     int operand);
[[nodiscard]] bool NumberOperand(CallContext& context, Arguments arguments, int operand);
[[nodiscard]] bool ArrayOperand(CallContext& context, Arguments arguments, int operand);
[[nodiscard]] bool ObjectOperand(CallContext& context, Arguments arguments, int operand);
[[nodiscard]] bool SetOperand(CallContext& context, Arguments arguments, int operand);
// The strings of an array or set.
[[nodiscard]] std::optional<std::vector<std::string_view>> StringsOperand(CallContext& context,
                                                                          Arguments arguments,
                                                                          int operand);

// "operand 1 must be array of numbers but got array containing string"
Value FailElement(CallContext& context, int operand, const Value& collection,
                  std::string_view wanted, const Value& element);

// A string in the arena of the call.
[[nodiscard]] inline Value MakeString(CallContext& context, std::string_view text) {
  return Value::String(context.arena.CopyString(text));
}

// An array or a set.
[[nodiscard]] inline bool IsCollection(const Value& value) {
  return value.is_array() || value.is_set();
}

}  // namespace portcullis::builtins
