// JSON in and out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace portcullis::document {

enum class NumberMode : std::uint8_t {
  kExact,    // Whole numbers as int64, all others by their exact text.
  kFloat64,  // As Go's encoding/json reads into interface{}: Gatekeeper's review and inventory.
};

enum class DuplicateKeys : std::uint8_t {
  kReject,  // An error with the position of the second.
  // As Go's encoding/json, in the rest too: what is not UTF-8 and halves of surrogate pairs become
  // U+FFFD.
  kKeepLast,
};

// Which of Go's YAML parsers is followed, where they differ.
enum class YamlDialect : std::uint8_t {
  kKubernetes,  // kubectl's: y, yes and on are booleans.
  // gator's (yaml.v3): they are strings. Errors of syntax have its text: "yaml: line 3: …".
  kVersion3,
};

struct ParseOptions {
  NumberMode numbers = NumberMode::kExact;
  DuplicateKeys duplicates = DuplicateKeys::kReject;
  std::uint32_t max_depth = 1000;  // Arrays and objects within each other.
  std::size_t max_bytes = std::size_t{64} << 20;
  std::string file = {};                           // For the positions in errors.
  YamlDialect dialect = YamlDialect::kKubernetes;  // Of ParseYaml and ParseManifests.
};

// One JSON value, nothing but white space after it. Strings are valid UTF-8.
// ERRORS: kInvalidArgument with line and column; kExhausted: deeper or longer than allowed; in
// kFloat64, a number beyond float64 is kInvalidArgument. LIFETIME: the value lives in `arena`
// alone; `text` may go.
[[nodiscard]] Result<Value> ParseJson(std::string_view text, Arena& arena,
                                      const ParseOptions& options = {});

enum class JsonStyle : std::uint8_t {
  kCompact,  // {"a":1,"b":[1,2]} as JSON text: only what must be escaped is.
  kGo,       // The same, with <, >, &, U+2028 and U+2029 escaped, as Go's encoding/json and OPA's
             // json.marshal do.
  kPretty,   // Two spaces a level, not escaping.
};

// Appends `value` as JSON. Sets become arrays in order; keys that are not strings become their JSON
// text, as OPA does. Strings that are not valid UTF-8 have each bad byte replaced by U+FFFD.
// REQUIRES: defined.
void AppendJson(const Value& value, JsonStyle style, std::string* out);
[[nodiscard]] std::string ToJson(const Value& value, JsonStyle style = JsonStyle::kCompact);

// Appends `value` as Rego prints a term: {"a": 1}, [1, "a"], {1, 2}, set(), strings quoted, numbers
// as spelt.
void AppendRego(const Value& value, std::string* out);
[[nodiscard]] std::string ToRego(const Value& value);

// Appends `text` as Go's strconv.Quote does, which is how Rego prints strings.
void AppendRegoString(std::string_view text, std::string* out);

// Appends `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, JsonStyle style, std::string* out);

}  // namespace portcullis::document
