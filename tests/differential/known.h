// Differences that docs/compatibility.md lists: seen in the program's form, and narrowly. Where the form can be written in another
// way of the same meaning, OPA itself must give this engine's answer to that.

#pragma once

#include <functional>
#include <string_view>

#include "tests/differential/outcome.h"
#include "tests/differential/program.h"

namespace portcullis::differential {

using AskOpa = std::function<Outcome(const Program&)>;

// What the two answers differ in; empty: it is not known. COST: OPA is asked once for each literal in the program.
[[nodiscard]] std::string_view KnownDifference(const Program& program, const Outcome& ours,
                                               const Outcome& theirs, const AskOpa& ask_opa);

}  // namespace portcullis::differential
