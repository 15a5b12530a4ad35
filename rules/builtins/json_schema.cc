// json.match_schema and json.verify_schema. SOURCE: the drafts of JSON Schema; the texts and their order are gojsonschema's.
// No library of Debian's (nlohmann's json-schema-validator, valijson) gives its words, its best match of alternatives or its drafts
// side by side.

#include "rules/builtins/json_schema.h"

#include <optional>
#include <string>
#include <utility>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/json_schema_validator.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

// JSON text or the value itself.
std::expected<Value, std::string> ReadDocument(CallContext& context, const Value& value) {
  if (value.is_object() || value.is_array()) {
    if (auto fault = NumberFault(context, value)) {
      return std::unexpected(*std::move(fault));
    }
    return value;
  }
  if (!value.is_string()) {
    return std::unexpected("wrong type, expected string or object");
  }
  const auto parsed = document::ParseJson(value.string(), context.arena,
                                          {.duplicates = document::DuplicateKeys::kKeepLast});
  if (!parsed) {
    return std::unexpected("invalid JSON string");
  }
  return *parsed;
}

Value MakePair(CallContext& context, bool valid, Value second) {
  const std::span<Value> pair = context.arena.AllocateArray<Value>(2);
  pair[0] = Value::Boolean(valid);
  pair[1] = second;
  return Value::Array(pair);
}

Value VerifySchema(CallContext& context, Arguments arguments) {
  const auto schema = ReadDocument(context, arguments[0]);
  std::optional<std::string> problem;
  if (!schema) {
    problem = schema.error();
  } else {
    problem = SchemaFault(context, *schema);
  }
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  return problem ? MakePair(context, false, MakeString(context, "jsonschema: " + *problem))
                 : MakePair(context, true, Value::Null());
}

Value MatchSchema(CallContext& context, Arguments arguments) {
  const auto value = ReadDocument(context, arguments[0]);
  if (!value) {
    return context.Fail(value.error());
  }
  const auto schema = ReadDocument(context, arguments[1]);
  if (!schema) {
    return context.Fail(schema.error());
  }
  if (const auto problem = SchemaFault(context, *schema)) {
    return context.Fail(*problem);
  }
  const SchemaOutcome outcome =
      context.failure == FailureKind::kHalt
          ? SchemaOutcome()
          : SchemaValidator(context, *schema).Validate(*schema, *value, "(Root)", 0);
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  document::ArrayBuilder errors(context.arena);
  for (const SchemaFinding& finding : outcome.findings) {
    document::ObjectBuilder error(context.arena);
    error.Add("error", MakeString(context, finding.field + ": " + finding.text));
    error.Add("type", MakeString(context, finding.type));
    error.Add("field", MakeString(context, finding.field));
    error.Add("desc", MakeString(context, finding.text));
    errors.Add(error.Finish());
  }
  return MakePair(context, outcome.findings.empty(), errors.Finish());
}

constexpr Builtin kBuiltins[] = {
    {.name = "json.match_schema",
     .type =
         "(string | object[any: any], string | object[any: any]) -> "
         R"([boolean, array[{"desc": string, "error": string, "field": string, "type": string}]])",
     .function = MatchSchema,
     .nondeterministic = true},
    {.name = "json.verify_schema",
     .type = "(string | object[any: any]) -> [boolean, null | string]",
     .function = VerifySchema,
     .nondeterministic = true},
};

}  // namespace

bool IsWholeNumber(const Value& number) {
  return document::ToInt64(number).has_value() || ToBigInt(number).has_value();
}

std::span<const Builtin> JsonSchemaBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
