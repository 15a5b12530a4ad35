#include "rules/rego/catalog.h"

#include <vector>

#include "document/json.h"
#include "rules/builtins/operands.h"
#include "rules/rego/ast_json.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {
namespace {

using builtins::Arguments;
using builtins::CallContext;
using document::Value;

// The syntax tree of a module, as OPA writes it.
Value ParseModuleText(CallContext& context, Arguments arguments) {
  const auto file = builtins::StringOperand(context, arguments, 1);
  // OPA calls both the first.
  const auto text = file ? builtins::StringOperand(context, arguments.subspan(1), 1) : std::nullopt;
  if (!text) {
    return {};
  }
  const auto module = ParseModule(std::string(*file), std::string(*text), Version::kV1);
  if (!module) {
    const std::vector<Diagnostic>& errors = module.error();
    const bool is_empty = errors.size() == 1 && errors[0].message == "empty module";
    return context.Fail(is_empty ? (file->empty() ? "0:0" : std::string(*file) + ":0") + ": " +
                                       errors[0].code + ": " + errors[0].message
                                 : ToString(errors));
  }
  const std::string json = ToJson(**module);
  if (context.HaltsBeyond(json.size())) {
    return {};
  }
  document::ParseOptions options;
  options.max_depth = kMaximumJsonDepth;
  auto value = document::ParseJson(context.arena.CopyString(json), context.arena, options);
  return value ? *value : context.Fail(value.error().ToString());
}

constexpr builtins::Builtin kBuiltins[] = {
    {.name = "rego.parse_module",
     .type = "(string, string) -> object[string: any]",
     .function = ParseModuleText},
};

}  // namespace

std::unique_ptr<const builtins::Catalog> CreateCatalog(std::span<const std::string> disabled,
                                                       std::span<const builtins::Builtin> more) {
  std::vector<builtins::Builtin> all(std::begin(kBuiltins), std::end(kBuiltins));
  all.insert(all.end(), more.begin(), more.end());
  return builtins::Catalog::Create(disabled, std::move(all));
}

}  // namespace portcullis::rego
