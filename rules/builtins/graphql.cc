// graphql.*. SOURCE: OPA's policy reference, "GraphQL".

#include "rules/builtins/graphql.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

// An operand may be text or a syntax tree already; undefined after a failure.
template <Value (*parse)(CallContext&, std::string_view)>
Value TreeOperand(CallContext& context, Arguments arguments, std::size_t index) {
  const Value& value = arguments[index];
  if (value.is_object()) {
    return value;
  }
  if (value.is_string()) {
    return parse(context, value.string());
  }
  return context.FailOperand(static_cast<int>(index), "one of {string, object}", value);
}

struct Documents {
  Value query;
  Value schema;
};

// Both operands, parsed and checked; nothing after a failure.
std::optional<Documents> ReadAndCheck(CallContext& context, Arguments arguments) {
  Documents documents;
  documents.query = TreeOperand<ParseGraphqlQuery>(context, arguments, 0);
  if (!documents.query.is_defined()) {
    return std::nullopt;
  }
  documents.schema = TreeOperand<ParseGraphqlSchema>(context, arguments, 1);
  if (!documents.schema.is_defined()) {
    return std::nullopt;
  }
  auto problem = CheckGraphqlSchema(context, documents.schema);
  if (!problem) {
    problem = CheckGraphqlQuery(context, documents.schema, documents.query);
  }
  if (context.failure == FailureKind::kHalt) {
    return std::nullopt;
  }
  if (!problem) {
    return documents;
  }
  context.Fail(*std::move(problem));
  return std::nullopt;
}

// What a call gives in the place of a failure.
Value InsteadOfFailure(CallContext& context, const Value& value) {
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  context.failure = FailureKind::kNone;
  context.failure_message.clear();
  return value;
}

Value MakeArray(CallContext& context, std::initializer_list<Value> values) {
  const std::span<Value> items = context.arena.AllocateArray<Value>(values.size());
  std::ranges::copy(values, items.begin());
  return Value::Array(items);
}

Value Parse(CallContext& context, Arguments arguments) {
  const auto documents = ReadAndCheck(context, arguments);
  return documents ? MakeArray(context, {documents->query, documents->schema}) : Value();
}

Value ParseAndVerify(CallContext& context, Arguments arguments) {
  const auto documents = ReadAndCheck(context, arguments);
  if (documents) {
    return MakeArray(context, {Value::Boolean(true), documents->query, documents->schema});
  }
  return InsteadOfFailure(
      context, MakeArray(context, {Value::Boolean(false), Value::Object({}), Value::Object({})}));
}

Value IsValid(CallContext& context, Arguments arguments) {
  if (ReadAndCheck(context, arguments)) {
    return Value::Boolean(true);
  }
  return InsteadOfFailure(context, Value::Boolean(false));
}

Value ParseQuery(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  return text ? ParseGraphqlQuery(context, *text) : Value();
}

Value ParseSchema(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  return text ? ParseGraphqlSchema(context, *text) : Value();
}

Value SchemaIsValid(CallContext& context, Arguments arguments) {
  const Value schema = TreeOperand<ParseGraphqlSchema>(context, arguments, 0);
  const bool valid = schema.is_defined() && !CheckGraphqlSchema(context, schema);
  return InsteadOfFailure(context, Value::Boolean(valid));
}

constexpr Builtin kBuiltins[] = {
    {.name = "graphql.parse",
     .type = "(string | object[any: any], string | object[any: any]) -> [object[any: any], "
             "object[any: any]]",
     .function = Parse},
    {.name = "graphql.parse_and_verify",
     .type = "(string | object[any: any], string | object[any: any]) -> "
             "[boolean, object[any: any], object[any: any]]",
     .function = ParseAndVerify},
    {.name = "graphql.is_valid",
     .type = "(string | object[any: any], string | object[any: any]) -> boolean",
     .function = IsValid},
    {.name = "graphql.parse_query", .type = "(string) -> object[any: any]", .function = ParseQuery},
    {.name = "graphql.parse_schema",
     .type = "(string) -> object[any: any]",
     .function = ParseSchema},
    {.name = "graphql.schema_is_valid",
     .type = "(string | object[any: any]) -> boolean",
     .function = SchemaIsValid},
};

}  // namespace

std::span<const Builtin> GraphqlBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
