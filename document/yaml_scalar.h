// What a plain YAML 1.1 scalar means, as kubectl's parser resolves it. Private to document/.
// SOURCE: go.yaml.in/yaml/v2, the parser under sigs.k8s.io/yaml: y, yes and on are booleans, 017 is octal, 1_000 is a
// number, numbers of base 60 are strings.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "document/yaml.h"

namespace portcullis::document {

struct YamlScalar {
  enum class Kind : std::uint8_t {
    kString,
    kNull,
    kFalse,
    kTrue,
    kInt,
    kUnsigned,  // Beyond int64.
    kFloat,
    kNotFinite,  // .inf and .nan, which JSON cannot hold.
    kTimestamp,  // Read as a string, but not written plainly.
    kMerge,      // <<
  };
  Kind kind = Kind::kString;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
};

[[nodiscard]] YamlScalar ResolveYamlScalar(std::string_view text,
                                           YamlSchema schema = YamlSchema::kKubectl);

}  // namespace portcullis::document
