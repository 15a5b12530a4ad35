// What a secondary index is: which objects it covers and which of their values are its keys.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "store/object_key.h"

namespace portcullis::index {

// One step of a path into an object.
struct PathStep {
  enum class Kind : std::uint8_t {
    kField,   // .name
    kAnyItem  // [_]: every item of an array, every value of an object
  };
  Kind kind = Kind::kField;
  std::string field;  // Of kField.
  friend auto operator<=>(const PathStep&, const PathStep&) = default;
};

// Covers the objects of one scope and kind, whatever their group version; has one entry for each distinct value that the path
// reaches in the object, and none where it reaches nothing. At most kMaxPathSteps steps.
struct Definition {
  store::Scope scope = store::Scope::kNamespaced;
  std::string kind;  // "" covers every kind.
  std::vector<PathStep> path;

  // As people and plans write it: "namespace/*/*/Ingress: spec.rules[_].host". Parses back.
  [[nodiscard]] std::string ToString() const;
  static Result<Definition> Parse(std::string_view text);
  [[nodiscard]] bool Covers(const store::ObjectKey& key) const;
  friend auto operator<=>(const Definition&, const Definition&) = default;
};

inline constexpr std::size_t kMaxPathSteps = 64;

// The distinct values that `definition.path` reaches in `object`, in Rego's order.
void ExtractKeys(const Definition& definition, const document::Value& object,
                 std::vector<document::Value>* keys);

}  // namespace portcullis::index
