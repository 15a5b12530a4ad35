// yaml.*. SOURCE: OPA's policy reference, "Encoding".

#include "document/yaml.h"

#include <algorithm>
#include <utility>

#include "rules/builtins/families.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/yaml_emit.h"

namespace portcullis::builtins {
namespace {

Value Marshal(CallContext& context, Arguments arguments) {
  std::string error;
  const std::string text = EmitYaml(context, arguments[0], &error);
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  if (const auto fault = NumberFault(context, arguments[0])) {
    return context.Fail("error marshaling into JSON: " + *fault);
  }
  return error.empty() ? MakeString(context, text) : context.Fail(std::move(error));
}

// The first document of the text; null where there is none.
Result<Value> Parse(CallContext& context, std::string_view text) {
  document::ParseOptions options;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  options.max_bytes = std::min(options.max_bytes, context.arena.limit_bytes());
  auto documents = document::ParseYaml(text, context.arena, options, document::YamlSchema::kOpa);
  if (!documents) {
    return std::unexpected(std::move(documents).error());
  }
  return documents->empty() ? Value::Null() : documents->front().value;
}

Value Unmarshal(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto value = Parse(context, *text);
  if (!value) {
    return context.Fail(value.error().message);
  }
  return *value;
}

Value IsValid(CallContext& context, Arguments arguments) {
  return Value::Boolean(arguments[0].is_string() &&
                        Parse(context, arguments[0].string()).has_value());
}

constexpr Builtin kBuiltins[] = {
    {.name = "yaml.marshal", .type = "(any) -> string", .function = Marshal},
    {.name = "yaml.unmarshal", .type = "(string) -> any", .function = Unmarshal},
    {.name = "yaml.is_valid", .type = "(string) -> boolean", .function = IsValid},
};

}  // namespace

std::span<const Builtin> YamlBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
