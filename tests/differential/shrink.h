// Makes a program smaller while something about it stays.

#pragma once

#include <functional>

#include "tests/differential/program.h"

namespace portcullis::differential {

// True: the program still shows what is looked for.
using Probe = std::function<bool(const Program&)>;

// Takes away modules, lines and then tokens of modules, query, input and data, as long as the probe holds.
// COST: about a thousand probes.
[[nodiscard]] Program Shrink(Program program, const Probe& holds);

}  // namespace portcullis::differential
