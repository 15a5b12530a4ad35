#include "tests/rules/frontend_support.h"

#include <cstdlib>
#include <utility>

#include "rules/rego/catalog.h"

#ifndef PORTCULLIS_SHARED
#define PORTCULLIS_SHARED ""
#endif

namespace portcullis::rego::testing {
namespace {

std::string Text(const Rule& rule) {
  std::string text = rule.is_default ? "default " : "";
  text += ToString(*rule.reference);
  for (std::size_t i = 0; i < rule.arguments.size(); ++i) {
    text += (i == 0 ? "(" : ", ") + ToString(*rule.arguments[i]);
  }
  if (rule.IsFunction()) {
    text += ')';
  }
  if (rule.kind == RuleKind::kPartialSet) {
    text += " contains " + ToString(*rule.key);
  }
  if (rule.value) {
    text += " = " + ToString(*rule.value);
  }
  text += " { " + ToString(rule.body) + " }";
  if (rule.else_rule) {
    text += " else " + Text(*rule.else_rule);
  }
  return text;
}

}  // namespace

std::filesystem::path SharedFolder() {
  const char* given = std::getenv("PORTCULLIS_SHARED");
  std::filesystem::path folder = given != nullptr ? given : PORTCULLIS_SHARED;
  return std::filesystem::is_directory(folder / "conformance") ? folder : std::filesystem::path();
}

std::string ParseText(const std::string& text, Version version) {
  auto module = ParseModule("test.rego", text, version);
  return module ? "ok" : ToString(module.error());
}

std::string CompileText(const CompileRequest& request) {
  std::vector<std::unique_ptr<Module>> modules;
  for (const std::string& text : request.modules) {
    auto module =
        ParseModule("test-" + std::to_string(modules.size()) + ".rego", text, request.version);
    if (!module) {
      return ToString(module.error());
    }
    modules.push_back(std::move(*module));
  }
  auto catalog = rego::CreateCatalog();
  CompileOptions options{
      .catalog = catalog.get(), .strict = request.strict, .keep_prints = request.keep_prints};
  auto policy = Compile(std::move(modules), options);
  if (!policy) {
    return ToString(policy.error());
  }
  std::string text;
  for (const std::unique_ptr<Module>& module : (*policy)->modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      text += Text(*rule) + '\n';
    }
  }
  return text;
}

}  // namespace portcullis::rego::testing
