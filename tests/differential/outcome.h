// What an engine answered, in a form that two answers can be compared in.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::differential {

enum class OutcomeKind : std::uint8_t {
  kValue,
  kEmpty,      // Only empty collections, or none at all.
  kUndefined,  // No solution.
  kRejected,   // By the parser or the compiler.
  kFailed,     // An error of the evaluation.
  kBroken,     // No answer, or one of the engine's own failures.
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::kBroken;
  std::string code;  // Of the first error.
  // All there is to compare: values, or codes, places, texts and details of the errors.
  std::string text;
  std::uint64_t lookups = 0;  // Of indexes (inventory_answer.h).
};

// An answer as tests/opa_peer writes them; empty: none came.
[[nodiscard]] Outcome ReadOutcome(std::string_view answer);

// The sort of difference: shrinking keeps to one, so that it does not wander off to another fault.
[[nodiscard]] std::string DifferenceClass(const Outcome& ours, const Outcome& theirs);

}  // namespace portcullis::differential
