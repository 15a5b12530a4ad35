// The values that conflict, as an eval_conflict_error lists them.
// SOURCE: OPA's v1/topdown/conflicts.go.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "document/value.h"
#include "rules/rego/ast.h"

namespace portcullis::rego {

// Values after which no more are looked for.
inline constexpr std::size_t kMostConflicts = 10;

// What a definition gave.
struct ConflictingValue {
  document::Value value;
  const Location* location = nullptr;
};

// Appends a colon and a line a value, by place. `more`: there are more than these.
void AppendConflict(std::vector<ConflictingValue> values, bool more, std::string* text);

}  // namespace portcullis::rego
