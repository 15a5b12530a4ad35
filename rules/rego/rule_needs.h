// What the input, the base documents and a function's arguments must be for OPA's rule index (v1/ast/index.go) to have a
// definition tried at all. It follows the body as it was compiled, expression by expression.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// A part of a document, or an argument. LIFETIME: of the rule's.
struct NeededPart {
  static constexpr std::int32_t kInput = -1;
  static constexpr std::int32_t kData = -2;
  std::int32_t root = kInput;  // From 0: the argument of that number.
  std::vector<const Term*> keys;
  [[nodiscard]] bool IsSame(const NeededPart& other) const;
};

// What a part must be.
struct Need {
  enum class Kind : std::uint8_t {
    kEqual,   // `value`: a scalar, or an array of scalars and variables; anything for other values.
    kMember,  // A collection that holds `value`.
    kPrefix,  // A string that begins with `value`, or a collection that holds one.
    kSuffix,
    kGlob,  // A string that `pattern` fits.
  };
  NeededPart part;
  Kind kind = Kind::kEqual;
  const Term* value = nullptr;                       // Null: anything that is there.
  std::string delimiter;                             // Of kGlob, as the following.
  std::vector<std::optional<std::string>> segments;  // None: any one.
  [[nodiscard]] bool IsAnything() const {
    return value == nullptr || (kind == Kind::kEqual && value->IsVar());
  }
};

// `key` must be a key of `collection`.
struct NeededKey {
  NeededPart key;
  NeededPart collection;
};

struct RuleNeeds {
  std::vector<std::vector<Need>> ways;  // One of them must be met, in all its needs.
  std::vector<NeededKey> keys;
  [[nodiscard]] bool HasValue(const NeededPart& part) const;  // Not only that it is there.
};

[[nodiscard]] RuleNeeds NeedsOf(const Rule& rule, const RuleTree& rules);

}  // namespace portcullis::rego
