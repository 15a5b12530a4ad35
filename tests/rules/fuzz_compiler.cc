// Any program is compiled and planned, or refused with reasons; see tests/fuzz/program.h for the form of the text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "tests/fuzz/program.h"

using portcullis::fuzz::Require;
namespace rego = portcullis::rego;

namespace {

// `input` of the program's text is a query here.
void CompileQuery(const std::shared_ptr<const rego::CompiledPolicy>& policy,
                  const portcullis::fuzz::Program& program) {
  auto query = rego::ParseQuery(program.input);
  if (!query) {
    return;
  }
  const rego::CompileOptions options{.catalog = policy->catalog, .strict = program.strict};
  auto compiled = rego::CompileQuery(*policy, std::move(*query), options);
  if (!compiled) {
    Require(!rego::ToString(compiled.error()).empty(), "what is refused has a reason");
    return;
  }
  static_cast<void>(rego::ToString(*compiled));
  static_cast<void>(rego::MakeQueryPlan(policy, std::move(*compiled)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const portcullis::fuzz::Program program = portcullis::fuzz::ReadProgram(data, size);
  const auto policy = portcullis::fuzz::CompileProgram(program);
  if (!policy) {
    Require(!rego::ToString(policy.error()).empty(), "what is refused has a reason");
    return 0;
  }
  for (const auto& module : (*policy)->modules) {
    for (const auto& rule : module->rules) {
      static_cast<void>(rego::ToString(rule->body));
    }
    const auto plan = rego::MakePlan(*policy, module->package);
    if (plan) {
      static_cast<void>((*plan)->Explain());
    }
  }
  CompileQuery(*policy, program);
  return 0;
}
