// Sets and arrays collected from the inventory only to be asked for one member:
//
//   taken := {v | other := data.inventory.cluster[_][_][_]; v := other.metadata.labels[key]}
//   taken[value]
//
// are not collected. The body is asked with the member in its place, where an index can serve:
//
//   some other := data.inventory.cluster[_][_][_]; other.metadata.labels[key] == value

#pragma once

#include <optional>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/error_analysis.h"

namespace portcullis::rego {

// The rule's body with such sets gone; nothing where it has none. `count({v} - set) == 0`, `v in set` and `count(set) > 0` are seen as well, and
// arrays that the set is made of, one by one or together by array.concat.
[[nodiscard]] std::optional<Body> AskInsteadOfCollecting(const Rule& rule, ErrorAnalysis& errors);

}  // namespace portcullis::rego
