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
    if (part.is_string()) {
      text.append(part.string());
    } else {
      document::AppendRego(part, &text);
    }
    if (context.ShouldHalt() || context.HaltsBeyond(text.size())) {
      return {};
    }
  }
  return MakeString(context, text);
}

constexpr Builtin kBuiltins[] = {
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
