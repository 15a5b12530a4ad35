// Differences that docs/compatibility.md lists: seen in the program's form, and narrowly.

#pragma once

#include <string_view>

#include "tests/differential/outcome.h"
#include "tests/differential/program.h"

namespace portcullis::differential {

// What the two answers differ in; empty: it is not known.
[[nodiscard]] std::string_view KnownDifference(const Program& program, const Outcome& ours,
                                               const Outcome& theirs);

}  // namespace portcullis::differential
