// Answers of this engine to the requests of tests/opa_peer, in the same form, so that the two can be compared as text.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/builtins/builtin.h"

namespace portcullis::differential {

enum class EvaluateBy : std::uint8_t {
  kPlan,
  kSteps,  // As `eval --explain` does.
};

// One request (a JSON object: Request in tests/opa_peer/answer.go) and its answer, a line without its end. Solutions have
// the query's variables only, not the values of its expressions: ask for `x = data.a.b`. What is no request, and a failure of
// the engine itself, is answered with an error of the code "other". THREADS: any.
[[nodiscard]] std::string Answer(std::string_view request, const builtins::Catalog& catalog,
                                 EvaluateBy by = EvaluateBy::kPlan);

}  // namespace portcullis::differential
