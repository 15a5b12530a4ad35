#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <vector>

#include "rules/builtins/codec.h"
#include "rules/builtins/go_template.h"
#include "rules/builtins/go_template_value.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

[[noreturn]] void Fail(std::string message) {
  throw TemplateFailure{std::move(message)};
}

constexpr std::string_view kFunctions[] = {
    "and", "call", "eq",  "ge", "gt",    "html",   "index",   "js",    "le",      "len",
    "lt",  "ne",   "not", "or", "print", "printf", "println", "slice", "urlquery"};

GoArgument Plain(const GoValue& value) {
  return value.is_present() ? value.value : GoArgument(GoNil());
}

bool IsText(const GoValue& value) {
  return value.text() != nullptr;
}

// fmt.Sprint: a space between two operands of which neither is a string.
std::string Print(CallContext& context, const std::vector<GoValue>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && !IsText(values[i]) && !IsText(values[i - 1])) {
      text.push_back(' ');
    }
    AppendGo(Plain(values[i]), context.arena.limit_bytes(), &text);
  }
  return text;
}

// As Print, where what is nil has no value.
std::string Evaluated(CallContext& context, std::vector<GoValue> values) {
  for (GoValue& value : values) {
    if (std::holds_alternative<GoNil>(value.value)) {
      value = GoValue::Of(std::string("<no value>"));
    }
  }
  return Print(context, values);
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\0':
        escaped.append("\uFFFD");
        break;
      case '"':
        escaped.append("&#34;");
        break;
      case '\'':
        escaped.append("&#39;");
        break;
      case '&':
        escaped.append("&amp;");
        break;
      case '<':
        escaped.append("&lt;");
        break;
      case '>':
        escaped.append("&gt;");
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

std::string EscapeJs(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    const char c = text.front();
    if (std::string_view("\\'\"").contains(c)) {
      escaped.append({'\\', c});
    } else if (std::string_view("<>&=").contains(c) || static_cast<unsigned char>(c) < ' ' ||
               (rune.value >= 0x80 && !IsPrint(rune.value))) {
      std::array<char, 16> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "\\u%04X", static_cast<unsigned>(rune.value));
      escaped.append(buffer.data());
    } else {
      AppendRune(rune.value, &escaped);
    }
    text.remove_prefix(rune.width);
  }
  return escaped;
}

// A whole number to index with, at most `limit`.
std::size_t Index(const GoValue& index, std::size_t limit) {
  if (!index.is_present()) {
    Fail("cannot index slice/array with nil");
  }
  std::int64_t number = 0;
  if (const auto* whole = std::get_if<GoInt>(&index.value)) {
    number = whole->value;
  } else if (const auto* byte = std::get_if<std::uint8_t>(&index.value); byte != nullptr) {
    number = *byte;
  } else {
    Fail("cannot index slice/array with type " + std::string(index.type()));
  }
  if (number < 0 || static_cast<std::uint64_t>(number) > limit) {
    Fail("index out of range: " + std::to_string(number));
  }
  return static_cast<std::size_t>(number);
}

GoValue IndexInto(const std::vector<GoValue>& arguments) {
  GoValue item = arguments[0].Unboxed();
  if (!item.is_present()) {
    Fail("index of untyped nil");
  }
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (item.is_nil_interface()) {
      Fail("index of nil pointer");
    }
    item = item.Unboxed();
    if (const std::string* text = item.text()) {
      const std::size_t at = Index(arguments[i].Unboxed(), text->size());
      if (at == text->size()) {
        Fail("reflect: string index out of range");
      }
      item = GoValue::Of(static_cast<std::uint8_t>((*text)[at]));
      continue;
    }
    const Value* container = item.container();
    if (container == nullptr) {
      Fail("can't index item of type " + std::string(item.type()));
    }
    if (container->is_array()) {
      const std::size_t at = Index(arguments[i].Unboxed(), container->size());
      if (at == container->size()) {
        Fail("reflect: slice index out of range");
      }
      item = GoValue::Boxed(container->ItemAt(static_cast<std::uint32_t>(at)));
      continue;
    }
    const GoValue key = arguments[i].Unboxed();
    if (!key.is_present()) {
      Fail("value is nil; should be of type string");
    }
    const auto* name = std::get_if<std::string>(&key.value);
    if (name == nullptr) {
      Fail("value has type " + std::string(key.type()) + "; should be string");
    }
    const Value found = container->Find(*name);
    item = found.is_defined() ? GoValue::Boxed(found) : GoValue::NilInterface();
  }
  return item;
}

// How many items Go's decoder has made room for.
std::size_t Capacity(const Value& array) {
  return array.size() == 0 ? 0 : array.size() <= 512 ? std::bit_ceil(array.size()) : array.size();
}

GoValue Slice(CallContext& context, const std::vector<GoValue>& arguments) {
  const GoValue item = arguments[0].Unboxed();
  if (!item.is_present()) {
    Fail("slice of untyped nil");
  }
  const std::size_t count = arguments.size() - 1;
  if (count > 3) {
    Fail("too many slice indexes: " + std::to_string(count));
  }
  const std::string* text = item.text();
  const Value* container = item.container();
  if (text != nullptr && count == 3) {
    Fail("cannot 3-index slice a string");
  }
  if (text == nullptr && (container == nullptr || !container->is_array())) {
    Fail("can't slice item of type " + std::string(item.type()));
  }
  const std::size_t size = text != nullptr ? text->size() : container->size();
  const std::size_t capacity = text != nullptr ? size : Capacity(*container);
  std::array<std::size_t, 3> at = {0, size, 0};
  for (std::size_t i = 0; i < count; ++i) {
    at[i] = Index(arguments[i + 1], capacity);
  }
  const auto check = [&](std::size_t a, std::size_t b) {
    if (a > b) {
      Fail("invalid slice index: " + std::to_string(a) + " > " + std::to_string(b));
    }
  };
  check(at[0], at[1]);
  if (count == 3) {
    check(at[1], at[2]);
  }
  if (text != nullptr) {
    return GoValue::Of(text->substr(at[0], at[1] - at[0]));
  }
  document::ArrayBuilder items(context.arena);
  for (std::size_t i = at[0]; i < at[1]; ++i) {
    items.Add(i < size ? container->ItemAt(static_cast<std::uint32_t>(i)) : Value::Null());
  }
  return GoValue::Of(items.Finish());
}

GoValue Length(const GoValue& argument) {
  if (argument.is_nil_interface()) {
    Fail("len of nil pointer");
  }
  if (!argument.is_present()) {
    Fail("reflect: call of reflect.Value.Type on zero Value");
  }
  const GoValue item = argument.Unboxed();
  if (const std::string* text = item.text()) {
    return GoValue::Of(GoInt{static_cast<std::int64_t>(text->size())});
  }
  if (const Value* container = item.container()) {
    return GoValue::Of(GoInt{container->size()});
  }
  Fail("len of type " + std::string(item.type()));
}

enum class Basic : std::uint8_t { kNone, kBool, kComplex, kInt, kFloat, kText, kUint };

Basic BasicOf(const GoValue& value) {
  if (!value.is_present()) {
    return Basic::kNone;
  }
  if (std::holds_alternative<bool>(value.value)) {
    return Basic::kBool;
  }
  if (std::holds_alternative<GoInt>(value.value)) {
    return Basic::kInt;
  }
  if (std::holds_alternative<double>(value.value)) {
    return Basic::kFloat;
  }
  if (std::holds_alternative<std::complex<double>>(value.value)) {
    return Basic::kComplex;
  }
  if (std::holds_alternative<std::uint8_t>(value.value)) {
    return Basic::kUint;
  }
  return value.text() != nullptr ? Basic::kText : Basic::kNone;
}

std::int64_t WholeOf(const GoValue& value) {
  const auto* whole = std::get_if<GoInt>(&value.value);
  return whole != nullptr ? whole->value : std::get<std::uint8_t>(value.value);
}

bool AreWhole(Basic a, Basic b) {
  return (a == Basic::kInt || a == Basic::kUint) && (b == Basic::kInt || b == Basic::kUint);
}

[[noreturn]] void FailIncompatible(const GoValue& a, const GoValue& b) {
  Fail("incompatible types for comparison: " + std::string(a.type()) + " and " +
       std::string(b.type()));
}

bool EqualTo(CallContext& context, const GoValue& a, const GoValue& b) {
  const Basic kind = BasicOf(a);
  const Basic other = BasicOf(b);
  if (AreWhole(kind, other)) {
    return WholeOf(a) == WholeOf(b);
  }
  if (kind != other) {
    if (a.is_present() && b.is_present()) {
      FailIncompatible(a, b);
    }
    return false;
  }
  switch (kind) {
    case Basic::kBool:
      return std::get<bool>(a.value) == std::get<bool>(b.value);
    case Basic::kComplex:
      return std::get<std::complex<double>>(a.value) == std::get<std::complex<double>>(b.value);
    case Basic::kFloat:
      return std::get<double>(a.value) == std::get<double>(b.value);
    case Basic::kText:
      return *a.text() == *b.text();
    default:
      break;
  }
  if (!a.is_present() || !b.is_present()) {
    return a.is_present() == b.is_present();
  }
  const auto shown = [&](const GoValue& value) {
    std::string text;
    AppendGo(value.value, context.arena.limit_bytes(), &text);
    return text;
  };
  if (a.container()->is_object() != b.container()->is_object()) {
    Fail("non-comparable types " + shown(a) + ": " + std::string(a.type()) + ", " +
         std::string(b.type()) + ": " + shown(b));
  }
  Fail("non-comparable type " + shown(b) + ": " + std::string(b.type()));
}

bool IsEqual(CallContext& context, const std::vector<GoValue>& arguments) {
  if (arguments.size() < 2) {
    Fail("missing argument for comparison");
  }
  const GoValue first = arguments[0].Unboxed();
  return std::any_of(arguments.begin() + 1, arguments.end(), [&](const GoValue& other) {
    return EqualTo(context, first, other.Unboxed());
  });
}

bool IsLess(const GoValue& left, const GoValue& right) {
  const GoValue a = left.Unboxed();
  const GoValue b = right.Unboxed();
  const Basic kind = BasicOf(a);
  const Basic other = BasicOf(b);
  if (kind == Basic::kNone || other == Basic::kNone) {
    Fail("invalid type for comparison");
  }
  if (AreWhole(kind, other)) {
    return WholeOf(a) < WholeOf(b);
  }
  if (kind != other) {
    FailIncompatible(a, b);
  }
  if (kind == Basic::kBool || kind == Basic::kComplex) {
    Fail("invalid type for comparison");
  }
  return kind == Basic::kFloat ? std::get<double>(a.value) < std::get<double>(b.value)
                               : *a.text() < *b.text();
}

}  // namespace

GoValue GoValue::Boxed(const Value& json) {
  return {Presence::kPresent, true, ToGoArgument(json)};
}

GoValue GoValue::Unboxed() const {
  if (is_nil_interface()) {
    return {};
  }
  GoValue plain = *this;
  plain.boxed = false;
  return plain;
}

const std::string* GoValue::text() const {
  if (const auto* number = std::get_if<GoJsonNumber>(&value)) {
    return &number->text;
  }
  return std::get_if<std::string>(&value);
}

bool GoValue::truth() const {
  if (!is_present()) {
    return false;
  }
  if (const std::string* string = text()) {
    return !string->empty();
  }
  if (const Value* items = container()) {
    return items->size() > 0;
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return *real != 0;
  }
  if (const auto* complex = std::get_if<std::complex<double>>(&value)) {
    return *complex != 0.0;
  }
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return *boolean;
  }
  return !std::holds_alternative<GoNil>(value) && WholeOf(*this) != 0;
}

bool IsTemplateFunction(std::string_view name) {
  return std::ranges::find(kFunctions, name) != std::end(kFunctions);
}

TemplateArity ArityOf(std::string_view name) {
  if (name == "not" || name == "len") {
    return {.fixed = 1};
  }
  if (name == "ne" || name == "lt" || name == "le" || name == "gt" || name == "ge") {
    return {.fixed = 2};
  }
  if (name == "printf") {
    return {.fixed = 1,
            .variadic = true,
            .first = TemplateOperand::kString,
            .others = TemplateOperand::kInterface};
  }
  if (name == "print" || name == "println" || name == "html" || name == "js" ||
      name == "urlquery") {
    return {.fixed = 0,
            .variadic = true,
            .first = TemplateOperand::kInterface,
            .others = TemplateOperand::kInterface};
  }
  return {.fixed = 1, .variadic = true};
}

GoValue CallTemplateFunction(CallContext& context, std::string_view name,
                             std::vector<GoValue> arguments, std::string_view first_written) {
  const auto text = [](std::string made) { return GoValue::Of(std::move(made)); };
  const auto boolean = [](bool truth) { return GoValue::Of(truth); };
  if (name == "print") {
    return text(Print(context, arguments));
  }
  if (name == "println") {
    std::string line;
    for (const GoValue& argument : arguments) {
      line.append(&argument == arguments.data() ? "" : " ");
      AppendGo(Plain(argument), context.arena.limit_bytes(), &line);
    }
    return text(line + "\n");
  }
  if (name == "printf") {
    std::vector<GoArgument> values;
    std::ranges::transform(arguments.begin() + 1, arguments.end(), std::back_inserter(values),
                           Plain);
    std::string formatted;
    FormatGo(*arguments[0].text(), values, context.arena.limit_bytes(), &formatted);
    return text(std::move(formatted));
  }
  if (name == "html") {
    return text(EscapeHtml(Evaluated(context, std::move(arguments))));
  }
  if (name == "js") {
    return text(EscapeJs(Evaluated(context, std::move(arguments))));
  }
  if (name == "urlquery") {
    return text(EscapeQuery(Evaluated(context, std::move(arguments))));
  }
  if (name == "index") {
    return IndexInto(arguments);
  }
  if (name == "slice") {
    return Slice(context, arguments);
  }
  if (name == "len") {
    return Length(arguments[0]);
  }
  if (name == "not") {
    return boolean(!arguments[0].truth());
  }
  if (name == "eq") {
    return boolean(IsEqual(context, arguments));
  }
  if (name == "ne") {
    return boolean(!IsEqual(context, arguments));
  }
  if (name == "lt") {
    return boolean(IsLess(arguments[0], arguments[1]));
  }
  if (name == "ge") {
    return boolean(!IsLess(arguments[0], arguments[1]));
  }
  if (name == "call") {
    const GoValue function = arguments[0].Unboxed();
    Fail(function.is_present() ? "non-function " + std::string(first_written) + " of type " +
                                     std::string(function.type())
                               : "call of nil");
  }
  // "le" and "gt" ask for less first.
  const bool at_most = IsLess(arguments[0], arguments[1]) || IsEqual(context, arguments);
  return boolean(name == "le" ? at_most : !at_most);
}

}  // namespace portcullis::builtins
