// YAML from anywhere: it parses or it is refused, and what was read is written and read again as the same values.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "document/yaml.h"

using portcullis::document::Arena;
using portcullis::document::Equal;
using portcullis::document::NumberMode;
using portcullis::document::ParseManifests;
using portcullis::document::ParseOptions;
using portcullis::document::ParseYaml;
using portcullis::document::ToYaml;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseOptions options;
  options.numbers = NumberMode::kFloat64;
  options.max_bytes = std::size_t{1} << 20;
  Arena arena;
  const auto documents = ParseYaml(text, arena, options);
  if (!documents) {
    return 0;
  }
  if (!ParseManifests(text, arena, options)) {
    std::abort();
  }
  for (const auto& document : *documents) {
    Arena again;
    const std::string yaml = ToYaml(document.value);
    ParseOptions roomy = options;
    roomy.max_bytes = std::size_t{64} << 20;
    const auto read = ParseYaml(yaml, again, roomy);
    if (!read || read->size() != 1 || !Equal(read->front().value, document.value)) {
      std::abort();
    }
  }
  return 0;
}
