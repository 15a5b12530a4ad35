// Any text is parsed, printed and compiled as both versions; what comes out is of no interest, that it comes out is.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/rego/compile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace portcullis;
  std::string text(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<const builtins::Catalog> catalog = builtins::Catalog::Create();
  rego::CompileOptions options{
      .catalog = catalog.get(), .strict = size % 2 == 0, .keep_prints = size % 3 == 0};
  for (rego::Version version : {rego::Version::kV0, rego::Version::kV1}) {
    auto module = rego::ParseModule("fuzz.rego", text, version);
    if (!module) {
      (void)rego::ToString(module.error());
      continue;
    }
    std::vector<std::unique_ptr<rego::Module>> modules;
    modules.push_back(std::move(*module));
    auto policy = rego::Compile(std::move(modules), options);
    if (!policy) {
      (void)rego::ToString(policy.error());
    }
  }
  auto query = rego::ParseQuery(text);
  if (query) {
    (void)rego::ToString(*query);
  }
  return 0;
}
