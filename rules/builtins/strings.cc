// Strings: searching, cutting, joining and replacing. SOURCE: OPA's policy reference, "Strings"; rego.md 7.5.

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

// Where `part` begins in `text` from `begin` on, or npos. COST: linear, whatever the two are.
std::size_t FindText(std::string_view text, std::string_view part, std::size_t begin = 0) {
  if (part.empty() || begin >= text.size()) {
    return part.empty() && begin <= text.size() ? begin : text.npos;
  }
  const void* const found =
      memmem(text.data() + begin, text.size() - begin, part.data(), part.size());
  return found == nullptr ? text.npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

template <bool (*test)(std::string_view, std::string_view)>
Value Test(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, part] = *operands;
  return Value::Boolean(test(text, part));
}

bool HasPrefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}
bool HasSuffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix);
}
bool HasPart(std::string_view text, std::string_view part) {
  return FindText(text, part) != text.npos;
}

// The rune at which the byte at `offset` begins.
std::int64_t RuneIndex(std::string_view text, std::size_t offset) {
  return static_cast<std::int64_t>(CountRunes(text.substr(0, offset)));
}

Value IndexOf(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, part] = *operands;
  if (part.empty()) {
    return context.Fail("empty search character");
  }
  const std::size_t at = FindText(text, part);
  return Value::Int(at == std::string_view::npos ? -1 : RuneIndex(text, at));
}

Value IndexOfAll(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, part] = *operands;
  if (part.empty()) {
    return context.Fail("empty search character");
  }
  document::ArrayBuilder result(context.arena);
  std::int64_t rune = 0;
  std::size_t counted = 0;
  // Each search looks at the whole of `part` first.
  const std::size_t steps = 1 + part.size() / 64;
  for (std::size_t at = FindText(text, part); at != text.npos; at = FindText(text, part, at + 1)) {
    if (context.ShouldHalt(steps) || context.HaltsBeyond(result.size() * sizeof(Value))) {
      return {};
    }
    rune += RuneIndex(text.substr(counted), at - counted);
    counted = at;
    result.Add(Value::Int(rune));
  }
  return result.Finish();
}

Value Substring(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  const auto start = text ? IntOperand(context, arguments, 2) : std::nullopt;
  const auto length = start ? IntOperand(context, arguments, 3) : std::nullopt;
  if (!length) {
    return {};
  }
  if (*start < 0) {
    return context.Fail("negative offset");
  }
  const std::string_view tail = text->substr(ByteOffset(*text, static_cast<std::size_t>(*start)));
  if (*length < 0) {
    return Value::String(tail);
  }
  return Value::String(tail.substr(0, ByteOffset(tail, static_cast<std::size_t>(*length))));
}

// The parts of `text` between `separator`s; an empty separator cuts between runes. Nothing where `context` halts.
std::optional<std::vector<std::string_view>> SplitText(CallContext& context, std::string_view text,
                                                       std::string_view separator) {
  std::vector<std::string_view> parts;
  const auto halts = [&] {
    return context.ShouldHalt() || context.HaltsBeyond(parts.size() * sizeof(Value));
  };
  while (separator.empty() && !text.empty()) {
    if (halts()) {
      return std::nullopt;
    }
    const std::size_t width = DecodeRune(text).width;
    parts.push_back(text.substr(0, width));
    text.remove_prefix(width);
  }
  if (separator.empty()) {
    return parts;
  }
  for (std::size_t at = FindText(text, separator); at != text.npos;
       at = FindText(text, separator)) {
    if (halts()) {
      return std::nullopt;
    }
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

Value MakeArray(CallContext& context, std::span<const std::string_view> parts) {
  const std::span<Value> items = context.arena.AllocateArray<Value>(parts.size());
  std::ranges::transform(parts, items.begin(), Value::String);
  return Value::Array(items);
}

Value Split(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, separator] = *operands;
  const auto parts = SplitText(context, text, separator);
  return parts ? MakeArray(context, *parts) : Value();
}

// The first `n` parts; for a negative `n` the last ones.
Value SplitN(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  const auto n = operands ? IntOperand(context, arguments, 3) : std::nullopt;
  const auto parts = n ? SplitText(context, (*operands)[0], (*operands)[1]) : std::nullopt;
  if (!parts) {
    return {};
  }
  const auto size = static_cast<std::int64_t>(parts->size());
  const std::span<const std::string_view> all = *parts;
  if (*n >= 0) {
    return MakeArray(context, all.first(static_cast<std::size_t>(std::min(*n, size))));
  }
  return MakeArray(context, all.last(static_cast<std::size_t>(*n <= -size ? size : -*n)));
}

Value Concat(CallContext& context, Arguments arguments) {
  const auto separator = StringOperand(context, arguments, 1);
  if (!separator) {
    return {};
  }
  const Value& items = arguments[1];
  if (!IsCollection(items)) {
    return context.FailOperand(2, "one of {set, array}", items);
  }
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = items.ItemAt(i);
    if (!item.is_string()) {
      return FailElement(context, 2, items, "string", item);
    }
    size += item.string().size() + (i > 0 ? separator->size() : 0);
    if (context.HaltsBeyond(size)) {
      return {};
    }
  }
  const std::span<char> joined = context.arena.AllocateArray<char>(size);
  auto out = joined.begin();
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (i > 0) {
      out = std::ranges::copy(*separator, out).out;
    }
    out = std::ranges::copy(items.ItemAt(i).string(), out).out;
  }
  return Value::String({joined.data(), joined.size()});
}

template <char32_t (*map)(char32_t)>
Value MapRunes(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  std::string mapped;
  mapped.reserve(text->size());
  for (std::size_t i = 0; i < text->size();) {
    const Rune rune = DecodeRune(text->substr(i));
    AppendRune(map(rune.value), &mapped);
    i += rune.width;
  }
  return mapped == *text ? arguments[0] : MakeString(context, mapped);
}

Value Reverse(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const std::span<char> reversed = context.arena.AllocateArray<char>(text->size());
  for (std::size_t i = 0; i < text->size();) {
    const std::uint32_t width = DecodeRune(text->substr(i)).width;
    std::ranges::copy(text->substr(i, width),
                      reversed.end() - static_cast<std::ptrdiff_t>(i + width));
    i += width;
  }
  return Value::String({reversed.data(), reversed.size()});
}

Value CountParts(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<2>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, part] = *operands;
  if (part.empty()) {
    return Value::Int(static_cast<std::int64_t>(CountRunes(text)) + 1);
  }
  std::int64_t count = 0;
  for (std::size_t at = FindText(text, part); at != text.npos;
       at = FindText(text, part, at + part.size())) {
    ++count;
  }
  return Value::Int(count);
}

struct Replacement {
  std::string_view from;
  std::string_view to;
};

// One pass from left to right; at each byte the first replacement that matches is made, an empty pattern once.
Value ReplaceAll(CallContext& context, const Value& original,
                 std::span<const Replacement> replacements) {
  const std::string_view text = original.string();
  std::string result;
  result.reserve(text.size());
  bool after_empty = false;
  for (std::size_t i = 0; i <= text.size();) {
    if (context.ShouldHalt() || context.HaltsBeyond(result.size())) {
      return {};
    }
    const std::string_view rest = text.substr(i);
    const auto match = std::ranges::find_if(replacements, [&](const Replacement& replacement) {
      if (replacement.from.empty() || rest.empty()) {
        return replacement.from.empty() && !after_empty;
      }
      return rest.front() == replacement.from.front() &&
             !context.ShouldHalt(1 + replacement.from.size() / 64) &&
             rest.starts_with(replacement.from);
    });
    after_empty = match != replacements.end() && match->from.empty();
    if (match != replacements.end()) {
      result.append(match->to);
      i += match->from.size();
    } else {
      if (i < text.size()) {
        result.push_back(text[i]);
      }
      ++i;
    }
  }
  return result == text ? original : MakeString(context, result);
}

// Each place of `from`, which is not empty.
Value ReplaceOne(CallContext& context, const Value& original, std::string_view from,
                 std::string_view to) {
  const std::string_view text = original.string();
  std::size_t at = FindText(text, from);
  if (at == text.npos) {
    return original;
  }
  std::string result;
  std::size_t copied = 0;
  for (; at != text.npos; at = FindText(text, from, copied)) {
    result.append(text, copied, at - copied).append(to);
    copied = at + from.size();
    if (context.ShouldHalt() || context.HaltsBeyond(result.size())) {
      return {};
    }
  }
  result.append(text, copied);
  return MakeString(context, result);
}

Value Replace(CallContext& context, Arguments arguments) {
  const auto operands = StringOperands<3>(context, arguments);
  if (!operands) {
    return {};
  }
  const auto [text, from, to] = *operands;
  if (!from.empty()) {
    return ReplaceOne(context, arguments[0], from, to);
  }
  const Replacement replacement{from, to};
  return ReplaceAll(context, arguments[0], {&replacement, 1});
}

Value ReplaceN(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1) || !StringOperand(context, arguments, 2)) {
    return {};
  }
  std::vector<Replacement> replacements;
  for (std::uint32_t i = 0; i < arguments[0].size(); ++i) {
    const Value from = arguments[0].KeyAt(i);
    const Value to = arguments[0].ValueAt(i);
    if (!from.is_string()) {
      return context.FailType("operand 1 non-string key found in pattern object");
    }
    if (!to.is_string()) {
      return context.FailType("operand 1 non-string value found in pattern object");
    }
    replacements.push_back({from.string(), to.string()});
  }
  return ReplaceAll(context, arguments[1], replacements);
}

Value FormatInt(CallContext& context, Arguments arguments) {
  if (!NumberOperand(context, arguments, 1) || !NumberOperand(context, arguments, 2)) {
    return {};
  }
  const Value& number = arguments[0];
  const std::int64_t base = arguments[1].is_int() ? arguments[1].integer() : 0;
  if (base != 2 && base != 8 && base != 10 && base != 16) {
    return context.FailType("operand 2 must be one of {2, 8, 10, 16}");
  }
  if (number.is_int() && base == 10) {
    return MakeString(context, std::to_string(number.integer()));
  }
  const auto exact = ParseBigInt(document::NumberText(number));
  if (exact) {
    return MakeString(context, exact->Text(static_cast<int>(base)));
  }
  const auto floating = ToBigFloat(number);
  if (!floating) {
    return context.Fail("number too big");
  }
  return MakeString(context, floating->Truncated().Text(static_cast<int>(base)));
}

// Whether any of one operand's strings begins (ends) with any of the other's.
template <bool (*test)(std::string_view, std::string_view)>
Value TestAny(CallContext& context, Arguments arguments) {
  std::array<std::vector<std::string_view>, 2> lists;
  for (int operand = 1; operand <= 2; ++operand) {
    const auto index = static_cast<std::size_t>(operand - 1);
    const Value& value = arguments[index];
    if (value.is_string()) {
      lists[index] = {value.string()};
      continue;
    }
    if (!IsCollection(value)) {
      return context.FailOperand(operand, "one of {string, set, array}", value);
    }
    auto strings = StringsOperand(context, arguments, operand);
    if (!strings) {
      return {};
    }
    lists[index] = *std::move(strings);
  }
  for (const std::string_view text : lists[0]) {
    for (const std::string_view part : lists[1]) {
      if (context.ShouldHalt()) {
        return {};
      }
      if (test(text, part)) {
        return Value::Boolean(true);
      }
    }
  }
  return Value::Boolean(false);
}

constexpr std::string_view kTestType = "(string, string) -> boolean";
constexpr std::string_view kMapType = "(string) -> string";
constexpr std::string_view kAnyType =
    "(string | array[string] | set[string], string | array[string] | set[string]) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "startswith", .type = kTestType, .function = Test<HasPrefix>},
    {.name = "endswith", .type = kTestType, .function = Test<HasSuffix>},
    {.name = "contains", .type = kTestType, .function = Test<HasPart>},
    {.name = "indexof", .type = "(string, string) -> number", .function = IndexOf},
    {.name = "indexof_n", .type = "(string, string) -> array[number]", .function = IndexOfAll},
    {.name = "substring", .type = "(string, number, number) -> string", .function = Substring},
    {.name = "split", .type = "(string, string) -> array[string]", .function = Split},
    {.name = "strings.split_n",
     .type = "(string, string, number) -> array[string]",
     .function = SplitN},
    {.name = "concat",
     .type = "(string, array[string] | set[string]) -> string",
     .function = Concat},
    {.name = "lower", .type = kMapType, .function = MapRunes<ToLower>},
    {.name = "upper", .type = kMapType, .function = MapRunes<ToUpper>},
    {.name = "strings.reverse", .type = kMapType, .function = Reverse},
    {.name = "strings.count", .type = "(string, string) -> number", .function = CountParts},
    {.name = "replace", .type = "(string, string, string) -> string", .function = Replace},
    {.name = "strings.replace_n",
     .type = "(object[string: string], string) -> string",
     .function = ReplaceN},
    {.name = "format_int", .type = "(number, number) -> string", .function = FormatInt},
    {.name = "strings.any_prefix_match", .type = kAnyType, .function = TestAny<HasPrefix>},
    {.name = "strings.any_suffix_match", .type = kAnyType, .function = TestAny<HasSuffix>},
};

}  // namespace

std::span<const Builtin> StringBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
