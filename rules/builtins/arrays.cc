// array.*. SOURCE: OPA's policy reference, "Arrays".

#include <algorithm>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

Value Concat(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1) || !ArrayOperand(context, arguments, 2)) {
    return {};
  }
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.size() == 0) {
    return b;
  }
  if (b.size() == 0) {
    return a;
  }
  const std::span<Value> items =
      context.arena.AllocateArray<Value>(std::size_t{a.size()} + b.size());
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    items[size++] = a.ItemAt(i);
  }
  for (std::uint32_t i = 0; i < b.size(); ++i) {
    items[size++] = b.ItemAt(i);
  }
  return Value::Array(items);
}

Value Flatten(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1)) {
    return {};
  }
  const Value& array = arguments[0];
  document::ArrayBuilder result(context.arena);
  for (std::uint32_t i = 0; i < array.size(); ++i) {
    const Value item = array.ItemAt(i);
    if (!item.is_array()) {
      result.Add(item);
      continue;
    }
    for (std::uint32_t j = 0; j < item.size(); ++j) {
      if (context.ShouldHalt()) {
        return {};
      }
      result.Add(item.ItemAt(j));
    }
  }
  return result.Finish();
}

Value Slice(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1)) {
    return {};
  }
  const auto start = IntOperand(context, arguments, 2);
  const auto stop = start ? IntOperand(context, arguments, 3) : std::nullopt;
  if (!stop) {
    return {};
  }
  const Value& array = arguments[0];
  const auto end = std::clamp<std::int64_t>(*stop, 0, array.size());
  const auto begin = std::clamp<std::int64_t>(*start, 0, end);
  const std::span<Value> items =
      context.arena.AllocateArray<Value>(static_cast<std::size_t>(end - begin));
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i] = array.ItemAt(static_cast<std::uint32_t>(begin) + static_cast<std::uint32_t>(i));
  }
  return Value::Array(items);
}

Value Reverse(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1)) {
    return {};
  }
  const Value& array = arguments[0];
  const std::span<Value> items = context.arena.AllocateArray<Value>(array.size());
  for (std::uint32_t i = 0; i < array.size(); ++i) {
    items[array.size() - 1 - i] = array.ItemAt(i);
  }
  return Value::Array(items);
}

constexpr Builtin kBuiltins[] = {
    {.name = "array.concat", .type = "(array[any], array[any]) -> array[any]", .function = Concat},
    {.name = "array.flatten", .type = "(array[any]) -> array[any]", .function = Flatten},
    {.name = "array.slice",
     .type = "(array[any], number, number) -> array[any]",
     .function = Slice},
    {.name = "array.reverse", .type = "(array[any]) -> array[any]", .function = Reverse},
};

}  // namespace

std::span<const Builtin> ArrayBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
