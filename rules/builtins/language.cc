// What the compiler rewrites the language to, and sprintf.

#include <string>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

Value Sprintf(CallContext& context, Arguments arguments) {
  const auto format = StringOperand(context, arguments, 1);
  if (!format || !ArrayOperand(context, arguments, 2)) {
    return {};
  }
  std::string text;
  text.reserve(format->size() + 64);
  if (context.HaltsOnText(arguments[1])) {
    return {};
  }
  FormatGo(*format, arguments[1], context.arena.limit_bytes(), &text);
  if (context.HaltsBeyond(text.size())) {
    return {};
  }
  return MakeString(context, text);
}

// Each item is a primitive, or the set of what the expression in braces gave.
Value TemplateString(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1)) {
    return {};
  }
  std::string text;
  for (std::uint32_t i = 0; i < arguments[0].size(); ++i) {
    Value part = arguments[0].ItemAt(i);
    if (part.is_set()) {
      if (part.size() > 1) {
        return context.Fail("template-strings must not produce multiple outputs");
      }
      if (part.size() == 0) {
        text.append("<undefined>");
        continue;
      }
      part = part.ItemAt(0);
    }
    if (context.HaltsOnText(part)) {
      return {};
    }
    if (part.is_string()) {
      text.append(part.string());
    } else {
      document::AppendRego(part, &text);
    }
    if (context.HaltsBeyond(text.size())) {
      return {};
    }
  }
  return MakeString(context, text);
}

// The text goes to whoever traces the evaluation; nobody does here.
Value Trace(CallContext& context, Arguments arguments) {
  if (!StringOperand(context, arguments, 1)) {
    return {};
  }
  return Value::Boolean(true);
}

// The compiler puts the annotations in the place of the call; it cannot where there is no rule around it.
template <const std::string_view& name>
Value Metadata(CallContext& context, Arguments) {
  return context.Fail("the " + std::string(name) +
                      " function must only be called within the scope of a rule");
}
constexpr std::string_view kChain = "rego.metadata.chain";
constexpr std::string_view kRule = "rego.metadata.rule";

// Marks the case of a test for a test runner; elsewhere it does nothing.
Value TestCase(CallContext&, Arguments) {
  return Value::Boolean(true);
}

constexpr Builtin kBuiltins[] = {
    {.name = "trace", .type = "(string) -> boolean", .function = Trace},
    {.name = kChain, .type = "() -> array[any]", .function = Metadata<kChain>},
    {.name = kRule, .type = "() -> any", .function = Metadata<kRule>},
    {.name = "internal.test_case", .type = "(array[any]) -> nothing", .function = TestCase},
    {.name = "sprintf", .type = "(string, array[any]) -> string", .function = Sprintf},
    {.name = "internal.template_string",
     .type = "(array[any]) -> string",
     .function = TemplateString},
    {.name = "print", .type = "(any...) -> nothing"},
    {.name = "internal.print", .type = "(array[set[any]]) -> nothing"},
};

}  // namespace

std::span<const Builtin> LanguageBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
