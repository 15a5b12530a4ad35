// How the objects that a reference below data.inventory names are reached: by key, by a range of keys, or through a secondary
// index that turns a join into a look-up.
//
// An index only narrows the candidates. It may be used where every object that it leaves out would have failed the
// equality that it serves, without anything being evaluated on the way there that could have ended in an error.

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "index/definition.h"
#include "rules/rego/ast.h"
#include "rules/rego/error_analysis.h"

namespace portcullis::rego {

// A reference data.inventory.<scope>[…]… as it stands in a body, seen from the moment before its expression runs.
struct InventorySite {
  const Term* reference = nullptr;
  store::Scope scope = store::Scope::kNamespaced;
  std::size_t object_end =
      0;  // The operands from here on go into the object: reference->items[object_end…].
  const Body* body = nullptr;
  std::size_t expression = 0;  // The reference's expression in the body.
  // True for variables that have a value before the expression.
  std::function<bool(const std::string&)> is_bound;
};

// A condition on a key of the reference, to be tried before what lies below the key is read.
struct KeyCondition {
  std::size_t level = 0;
  const Expr* expr = nullptr;
};

struct AccessPath {
  std::optional<index::Definition> index;
  const Term* key = nullptr;  // What to look up. Needs only what is bound before the expression.
  std::vector<KeyCondition> conditions;
  std::string reason;  // Why no index serves.
};

[[nodiscard]] AccessPath FindAccessPath(const InventorySite& site, ErrorAnalysis& errors);

}  // namespace portcullis::rego
