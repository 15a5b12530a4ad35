#include "tests/rules/builtins_support.h"

#include <vector>

#include "document/json.h"

namespace portcullis::builtins {

Value WithSets(const Value& value, document::Arena& arena) {
  if (value.is_array()) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      items.Add(WithSets(value.ItemAt(i), arena));
    }
    return items.Finish();
  }
  if (!value.is_object()) {
    return value;
  }
  const Value set = value.Find("set!");
  if (set.is_array()) {
    document::SetBuilder items(arena);
    for (std::uint32_t i = 0; i < set.size(); ++i) {
      items.Add(WithSets(set.ItemAt(i), arena));
    }
    return items.Finish();
  }
  document::ObjectBuilder members(arena);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    members.Add(value.KeyAt(i), WithSets(value.ValueAt(i), arena));
  }
  return members.Finish();
}

std::string BuiltinCaller::Call(std::string_view name, std::string_view operands) {
  document::Arena arena(limit_bytes);
  const auto parsed = document::ParseJson(operands, arena);
  if (!parsed) {
    return "bad operands: " + parsed.error().message;
  }
  const Value list = WithSets(*parsed, arena);
  std::vector<Value> arguments;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    arguments.push_back(list.ItemAt(i));
  }
  const Builtin* builtin = catalog_->Find(name);
  if (builtin == nullptr || builtin->function == nullptr) {
    return "no such builtin";
  }
  CallContext context(arena, prepared_, clock);
  context.deadline = deadline;
  const Value result = builtin->function(context, arguments);
  if (result.is_defined()) {
    return document::ToRego(result);
  }
  return context.failure == FailureKind::kNone ? "undefined" : "error: " + context.failure_message;
}

}  // namespace portcullis::builtins
