// == != < <= > >=, and the two operands that the compiler unifies itself: = and :=.

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

Value EqualTo(CallContext&, Arguments arguments) {
  return Value::Boolean(document::Equal(arguments[0], arguments[1]));
}

Value NotEqual(CallContext&, Arguments arguments) {
  return Value::Boolean(!document::Equal(arguments[0], arguments[1]));
}

Value Less(CallContext&, Arguments arguments) {
  return Value::Boolean(document::Compare(arguments[0], arguments[1]) < 0);
}

Value LessOrEqual(CallContext&, Arguments arguments) {
  return Value::Boolean(document::Compare(arguments[0], arguments[1]) <= 0);
}

Value Greater(CallContext&, Arguments arguments) {
  return Value::Boolean(document::Compare(arguments[0], arguments[1]) > 0);
}

Value GreaterOrEqual(CallContext&, Arguments arguments) {
  return Value::Boolean(document::Compare(arguments[0], arguments[1]) >= 0);
}

constexpr std::string_view kType = "(any, any) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "eq", .type = kType, .infix = "="},
    {.name = "assign", .type = kType, .infix = ":="},
    {.name = "equal", .type = kType, .function = EqualTo, .infix = "=="},
    {.name = "neq", .type = kType, .function = NotEqual, .infix = "!="},
    {.name = "lt", .type = kType, .function = Less, .infix = "<"},
    {.name = "lte", .type = kType, .function = LessOrEqual, .infix = "<="},
    {.name = "gt", .type = kType, .function = Greater, .infix = ">"},
    {.name = "gte", .type = kType, .function = GreaterOrEqual, .infix = ">="},
};

}  // namespace

std::span<const Builtin> ComparisonBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
