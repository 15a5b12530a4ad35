// is_*, type_name, to_number and the old cast_*. SOURCE: OPA's policy reference, "Types", "Conversions".

#include <cctype>
#include <charconv>
#include <string>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using document::Type;

template <Type type>
Value Is(CallContext&, Arguments arguments) {
  return Value::Boolean(arguments[0].type() == type);
}

Value NameOfType(CallContext&, Arguments arguments) {
  return Value::String(TypeName(arguments[0]));
}

Value ParseNumber(CallContext& context, const Value& value) {
  const std::string_view text = value.string();
  std::string lower;
  for (const char c : text) {
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  const std::string unsigned_text =
      lower.substr(std::min(lower.size(), lower.find_first_not_of("+-")));
  if (unsigned_text == "inf" || unsigned_text == "infinity" || unsigned_text == "nan") {
    return context.FailOperand(1, "valid number string", value);
  }
  const auto fail = [&](std::string_view why) {
    std::string message = "strconv.ParseFloat: parsing ";
    document::AppendJsonString(text, document::JsonStyle::kCompact, &message);
    return context.Fail(message.append(": ").append(why));
  };
  if (!IsDecimalText(text)) {
    return fail("invalid syntax");
  }
  // The number keeps the author's spelling: "+1", ".5".
  const Value number = Value::Decimal(context.arena.CopyString(text));
  const double nearest = document::ToDouble(number);
  if (nearest - nearest != 0) {
    return fail("value out of range");
  }
  return number;
}

Value ToNumber(CallContext& context, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_number()) {
    return value;
  }
  if (value.is_null() || value.is_boolean()) {
    return Value::Int(value.is_true() ? 1 : 0);
  }
  if (value.is_string()) {
    return ParseNumber(context, value);
  }
  return context.FailOperand(1, "one of {null, boolean, number, string}", value);
}

Value CastArray(CallContext& context, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_array()) {
    return value;
  }
  if (!value.is_set()) {
    return context.FailOperand(1, "one of {array, set}", value);
  }
  document::ArrayBuilder items(context.arena);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    items.Add(value.ItemAt(i));
  }
  return items.Finish();
}

Value CastSet(CallContext& context, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_set()) {
    return value;
  }
  if (!value.is_array()) {
    return context.FailOperand(1, "one of {array, set}", value);
  }
  document::SetBuilder items(context.arena);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    items.Add(value.ItemAt(i));
  }
  return items.Finish();
}

template <Type type>
Value Cast(CallContext& context, Arguments arguments) {
  if (arguments[0].type() == type) {
    return arguments[0];
  }
  constexpr std::string_view kWanted = type == Type::kString    ? "string"
                                       : type == Type::kBoolean ? "boolean"
                                       : type == Type::kNull    ? "null"
                                                                : "object";
  return context.FailOperand(1, kWanted, arguments[0]);
}

constexpr std::string_view kTestType = "(any) -> boolean";
constexpr Builtin kTypes[] = {
    {.name = "is_null", .type = kTestType, .function = Is<Type::kNull>},
    {.name = "is_boolean", .type = kTestType, .function = Is<Type::kBoolean>},
    {.name = "is_number", .type = kTestType, .function = Is<Type::kNumber>},
    {.name = "is_string", .type = kTestType, .function = Is<Type::kString>},
    {.name = "is_array", .type = kTestType, .function = Is<Type::kArray>},
    {.name = "is_object", .type = kTestType, .function = Is<Type::kObject>},
    {.name = "is_set", .type = kTestType, .function = Is<Type::kSet>},
    {.name = "type_name", .type = "(any) -> string", .function = NameOfType},
};
constexpr Builtin kCasts[] = {
    {.name = "to_number",
     .type = "(null | boolean | number | string) -> number",
     .function = ToNumber},
    {.name = "cast_array",
     .type = "(any) -> array[any]",
     .function = CastArray,
     .deprecated = true},
    {.name = "cast_set", .type = "(any) -> set[any]", .function = CastSet, .deprecated = true},
    {.name = "cast_string",
     .type = "(any) -> string",
     .function = Cast<Type::kString>,
     .deprecated = true},
    {.name = "cast_boolean",
     .type = kTestType,
     .function = Cast<Type::kBoolean>,
     .deprecated = true},
    {.name = "cast_null",
     .type = "(any) -> null",
     .function = Cast<Type::kNull>,
     .deprecated = true},
    {.name = "cast_object",
     .type = "(any) -> object[any: any]",
     .function = Cast<Type::kObject>,
     .deprecated = true},
};

}  // namespace

std::span<const Builtin> TypeBuiltins() {
  return kTypes;
}
std::span<const Builtin> CastBuiltins() {
  return kCasts;
}

}  // namespace portcullis::builtins
