// JSON as Go's encoding/json prints it: structs in the order of their fields, maps by key, <, > and & escaped. For output that
// stands for a Go program's.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/value.h"

namespace portcullis::tools {

// How float64 numbers are spelt: as Go's JSON does (1000000), or as Rego prints them (1e+06).
enum class Floats : std::uint8_t { kGo, kRego };

class GoJson {
 public:
  static GoJson Null() { return Leaf("null"); }
  static GoJson Boolean(bool value) { return Leaf(value ? "true" : "false"); }
  static GoJson Number(std::int64_t value) { return Leaf(std::to_string(value)); }
  static GoJson Text(std::string_view text);
  // REQUIRES: compact JSON, as Go spells it.
  static GoJson Raw(std::string json) { return Leaf(std::move(json)); }
  static GoJson List() { return GoJson(Kind::kList); }
  static GoJson Struct() { return GoJson(Kind::kStruct); }
  // Sets become lists; keys that are no strings, their JSON. REQUIRES: defined.
  static GoJson Of(const document::Value& value, Floats floats = Floats::kGo);

  // A field of a struct.
  GoJson& Add(std::string name, GoJson value);
  // An item of a list.
  GoJson& Append(GoJson item);
  [[nodiscard]] bool empty() const { return items_.empty(); }

  // `step` spaces a level; no line break at the end.
  [[nodiscard]] std::string Indented(std::size_t step) const;
  [[nodiscard]] std::string Compact() const;

 private:
  enum class Kind : std::uint8_t { kLeaf, kList, kStruct };
  explicit GoJson(Kind kind) : kind_(kind) {}
  static GoJson Leaf(std::string text);
  void AppendTo(std::size_t step, std::size_t depth, std::string* out) const;

  Kind kind_;
  std::string text_;
  std::vector<std::pair<std::string, GoJson>> items_;
};

}  // namespace portcullis::tools
