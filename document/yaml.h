// YAML in and out, as kubectl reads it: libyaml's parser, YAML 1.1 scalars (yes/on are booleans,
// 017 is octal), anchors, merge keys, several documents in one file. JSON is YAML.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::document {

// Whose YAML is read.
enum class YamlSchema : std::uint8_t {
  kKubectl,  // YAML 1.1's scalars: yes and on are booleans. JSON keeps the spelling of its numbers.
  // As OPA's yaml.unmarshal reads it, errors in its words: yes and on are strings, empty documents
  // count, keys go before merged ones, all numbers but whole ones are float64.
  kOpa,
};

struct YamlDocument {
  Value value;
  std::uint32_t line = 1;  // Where it begins in the text.
};

// The documents of `text`; empty ones (only comments or white space) are left out.
// ERRORS: as ParseJson's, with line and column; kExhausted also for aliases that would unfold
// beyond max_bytes. LIFETIME: the values live in `arena` alone.
[[nodiscard]] Result<std::vector<YamlDocument>> ParseYaml(std::string_view text, Arena& arena,
                                                          const ParseOptions& options = {},
                                                          YamlSchema schema = YamlSchema::kKubectl);

// The documents of `text` with each Kubernetes List (`kind: List`, or `kind: FooList` with `items`)
// replaced by its items. Items without apiVersion and kind take them from a typed list, as kubectl
// does.
[[nodiscard]] Result<std::vector<YamlDocument>> ParseManifests(std::string_view text, Arena& arena,
                                                               const ParseOptions& options = {});

// Block style, keys sorted, as `kubectl get -o yaml` prints; strings that would read as something
// else are quoted.
[[nodiscard]] std::string ToYaml(const Value& value);

// As Go's yaml.v3 prints: steps of four, lists indented, keys in the order of the numbers in them. For output that stands
// for gator's. A line "key: scalar", or the lines of "key:" and the collection below it.
void AppendVersion3Member(std::string_view key, const Value& value, std::size_t indent,
                          std::string* out);
// The same in flow style: {a: [1, 2]}.
[[nodiscard]] std::string ToVersion3Flow(const Value& value);
// Whether YAML 1.1 and 1.2 both read the text for a string where it stands without quotes, its characters apart: "yes", "1"
// and 1:30 they do not.
[[nodiscard]] bool ReadsAsYamlString(std::string_view text);
// The lines of a block scalar, each on a line of its own behind `indent` spaces; empty ones are left empty.
void AppendBlockLines(std::string_view text, std::size_t indent, std::string* out);

}  // namespace portcullis::document
