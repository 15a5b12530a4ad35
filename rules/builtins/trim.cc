// trim and its kin: runes of a set, or one prefix or suffix, taken off the ends. None of them copies.

#include <algorithm>
#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

template <class Test>
std::string_view TrimStart(std::string_view text, Test drop) {
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (!drop(rune.value)) {
      break;
    }
    text.remove_prefix(rune.width);
  }
  return text;
}

template <class Test>
std::string_view TrimEnd(std::string_view text, Test drop) {
  while (!text.empty()) {
    const Rune rune = DecodeLastRune(text);
    if (!drop(rune.value)) {
      break;
    }
    text.remove_suffix(rune.width);
  }
  return text;
}

// The runes of a text, sorted. Where the call must halt, not all.
std::vector<char32_t> RuneSet(CallContext& context, std::string_view text) {
  std::vector<char32_t> runes;
  while (!text.empty() && !context.ShouldHalt()) {
    const Rune rune = DecodeRune(text);
    if (runes.empty() || runes.back() != rune.value) {
      runes.push_back(rune.value);
    }
    text.remove_prefix(rune.width);
  }
  std::ranges::sort(runes);
  return runes;
}

enum class End : std::uint8_t { kStart, kEnd, kBoth };

template <End end>
Value TrimRunes(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const std::vector<char32_t> runes = RuneSet(context, (*operands)[1]);
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  const auto drop = [&](char32_t rune) { return std::ranges::binary_search(runes, rune); };
  std::string_view trimmed = (*operands)[0];
  if constexpr (end != End::kEnd) {
    trimmed = TrimStart(trimmed, drop);
  }
  if constexpr (end != End::kStart) {
    trimmed = TrimEnd(trimmed, drop);
  }
  return Value::String(trimmed);
}

Value TrimPrefix(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  const auto prefix = text ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!prefix) {
    return {};
  }
  return text->starts_with(*prefix) ? Value::String(text->substr(prefix->size())) : arguments[0];
}

Value TrimSuffix(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  const auto suffix = text ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!suffix) {
    return {};
  }
  return text->ends_with(*suffix) ? Value::String(text->substr(0, text->size() - suffix->size()))
                                  : arguments[0];
}

Value TrimSpace(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  return Value::String(TrimEnd(TrimStart(*text, IsSpace), IsSpace));
}

constexpr std::string_view kType = "(string, string) -> string";
constexpr Builtin kBuiltins[] = {
    {.name = "trim", .type = kType, .function = TrimRunes<End::kBoth>},
    {.name = "trim_left", .type = kType, .function = TrimRunes<End::kStart>},
    {.name = "trim_right", .type = kType, .function = TrimRunes<End::kEnd>},
    {.name = "trim_prefix", .type = kType, .function = TrimPrefix},
    {.name = "trim_suffix", .type = kType, .function = TrimSuffix},
    {.name = "trim_space", .type = "(string) -> string", .function = TrimSpace},
};

}  // namespace

std::span<const Builtin> TrimBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
