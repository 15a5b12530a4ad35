// A YAML text as a tree with lines and tags, for readers that say what is wrong with it in the words of Go's yaml.v3
// (yes and on are strings, 0o17 and 017 are octal).

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::document {

struct YamlTree {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kFloat,
    kString,
    kTimestamp,
    kSequence,
    kMapping,  // items: key, value, key, value, …
    kAlias,    // items: what it stands for.
  };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::uint32_t line = 1;
  std::string text;    // Of scalars, as written.
  std::string number;  // Of kInteger and kFloat, as Go prints it.
  std::vector<std::shared_ptr<const YamlTree>> items;

  [[nodiscard]] bool IsScalar() const { return kind < Kind::kSequence; }
  // "!!str", "!!int", …
  [[nodiscard]] std::string_view Tag() const;
};

// The first document of the text; null: it has none. Lines count from 1.
// ERRORS: yaml.v3's text, without its "yaml: ".
[[nodiscard]] std::expected<std::shared_ptr<const YamlTree>, std::string> ParseYamlTree(
    std::string_view text);

}  // namespace portcullis::document
