// Any YAML is a ConstraintTemplate that is compiled and explained, or refused with a reason.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "document/yaml.h"
#include "rules/policy/template.h"
#include "tests/fuzz/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace document = portcullis::document;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  document::ParseOptions options;
  options.max_bytes = std::size_t{1} << 20;
  document::Arena arena;
  const auto documents = document::ParseYaml(text, arena, options);
  if (!documents) {
    return 0;
  }
  // It lives as long as the program.
  const std::shared_ptr<const portcullis::builtins::Catalog> catalog(
      &portcullis::fuzz::OfflineCatalog(), [](const auto*) {});
  for (const document::YamlDocument& document : *documents) {
    static_cast<void>(portcullis::policy::CheckTemplateMetadata(document.value));
    static_cast<void>(portcullis::policy::CheckTemplateOperations(document.value));
    const auto parsed = portcullis::policy::ParseTemplate(document.value, catalog);
    if (!parsed) {
      portcullis::fuzz::Require(!parsed.error().message.empty(), "what is refused has a reason");
    } else {
      static_cast<void>((*parsed)->plan->Explain());
    }
  }
  return 0;
}
