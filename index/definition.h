// What a secondary index is: which objects it covers and which of their values are its keys.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "store/object_key.h"

namespace portcullis::index {

// One step of a path into an object.
struct PathStep {
  enum class Kind : std::uint8_t {
    kField,    // .name
    kAnyItem,  // [_]: every item of an array, every value of an object
    kEntry,  // [key]: the same, and where it was found is part of the index key. At most one in a path.
  };
  Kind kind = Kind::kField;
  std::string field;  // Of kField.
  friend auto operator<=>(const PathStep&, const PathStep&) = default;
};

// Covers the objects of one scope and kind, whatever their group version; has one entry for each distinct value that the path
// reaches in the object, and none where it reaches nothing. At most kMaxPathSteps steps. Under a path with a kEntry the index
// keys are arrays of two: the key (or number) at that step and the value at the end. An empty path reaches the object, and
// stands for null: all objects of the kind are under one key.
struct Definition {
  store::Scope scope = store::Scope::kNamespaced;
  std::string kind;  // "" covers every kind.
  std::vector<PathStep> path;
  // Instead of a path, what computes the keys: index/key_program.h. Its first line is "# " and what people call it.
  std::string program = {};

  // As people and plans write it: "namespace/*/*/Ingress: spec.rules[_].host". Parses back.
  [[nodiscard]] std::string ToString() const;
  // The same in one line, with only the name of a program.
  [[nodiscard]] std::string Summary() const;
  static Result<Definition> Parse(std::string_view text);
  [[nodiscard]] bool Covers(const store::ObjectKey& key) const;
  friend auto operator<=>(const Definition&, const Definition&) = default;
};

inline constexpr std::size_t kMaxPathSteps = 64;

// The distinct keys that `definition.path` gives of `object`, in Rego's order. Pairs are made in `arena`.
void ExtractKeys(const Definition& definition, const document::Value& object,
                 document::Arena& arena, std::vector<document::Value>* keys);

}  // namespace portcullis::index
