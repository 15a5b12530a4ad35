#include "rules/builtins/operands.h"

#include <string>

namespace portcullis::builtins {
namespace {

const Value& At(Arguments arguments, int operand) {
  return arguments[static_cast<std::size_t>(operand - 1)];
}

}  // namespace

std::string_view TypeName(const Value& value) {
  switch (value.type()) {
    case document::Type::kUndefined:
      return "undefined";
    case document::Type::kNull:
      return "null";
    case document::Type::kBoolean:
      return "boolean";
    case document::Type::kNumber:
      return "number";
    case document::Type::kString:
      return "string";
    case document::Type::kArray:
      return "array";
    case document::Type::kObject:
      return "object";
    case document::Type::kSet:
      return "set";
  }
  return "undefined";
}

std::optional<std::int64_t> IntOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (value.is_int()) [[likely]] {
    return value.integer();
  }
  if (!value.is_number()) {
    context.FailOperand(operand, "number", value);
    return std::nullopt;
  }
  if (const auto whole = AsGoInt(value)) {
    return whole;
  }
  context.FailType("operand " + std::to_string(operand) +
                   " must be integer number but got floating-point number");
  return std::nullopt;
}

bool NumberOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (value.is_number()) {
    return true;
  }
  context.FailOperand(operand, "number", value);
  return false;
}

bool ArrayOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (value.is_array()) {
    return true;
  }
  context.FailOperand(operand, "array", value);
  return false;
}

bool ObjectOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (value.is_object()) {
    return true;
  }
  context.FailOperand(operand, "object", value);
  return false;
}

bool SetOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (value.is_set()) {
    return true;
  }
  context.FailOperand(operand, "set", value);
  return false;
}

std::optional<std::vector<std::string_view>> StringsOperand(CallContext& context,
                                                            Arguments arguments, int operand) {
  const Value& value = At(arguments, operand);
  if (!IsCollection(value)) {
    context.FailOperand(operand, "one of {array, set}", value);
    return std::nullopt;
  }
  std::vector<std::string_view> strings;
  strings.reserve(value.size());
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value item = value.ItemAt(i);
    if (!item.is_string()) {
      FailElement(context, operand, value, "string", item);
      return std::nullopt;
    }
    strings.push_back(item.string());
  }
  return strings;
}

Value FailElement(CallContext& context, int operand, const Value& collection,
                  std::string_view wanted, const Value& element) {
  std::string message = "operand " + std::to_string(operand) + " must be ";
  message.append(TypeName(collection)).append(" of ").append(wanted).append("s but got ");
  message.append(TypeName(collection)).append(" containing ").append(TypeName(element));
  return context.FailType(std::move(message));
}

}  // namespace portcullis::builtins
