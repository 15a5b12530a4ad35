// Conditions that hold only for keys or items of a collection: what tells that all items of one collection are in another.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "rules/rego/ast.h"
#include "rules/rego/origins.h"

namespace portcullis::rego {

struct ItemTest {
  bool of_key = false;    // The item's key is tested, not its value.
  bool in_items = false;  // It is among the items of the collection, not its keys.
  // The collection: this term, or where `prefix` is not 0 its first so many operands.
  const Term* collection = nullptr;
  std::size_t prefix = 0;
};

// `test` mentions the variables `key` (may be null) and `value`; `kind_of` says of what a term is made.
// What follows from it for each item that passes: collection[key], value in collection, collection[_] == value and the like, where the
// collection is kInvariant.
[[nodiscard]] std::optional<ItemTest> FindItemTest(
    const Expr& test, const Term* key, const Term* value,
    const std::function<Origin::Kind(const Term&)>& kind_of);

}  // namespace portcullis::rego
