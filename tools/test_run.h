// What `portcullis test` does between reading and printing: all objects against the templates and constraints among them, as
// `gator test` does it (gatekeeper.md 9.2).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::tools {

struct TestResult {
  std::string message;
  document::Value details;  // Undefined: there are none.
  document::Value constraint;
  document::Value object;  // The one that was given; for an expanded one, its parent.
  std::string enforcement_action;
  std::vector<std::string> scoped_actions;

  [[nodiscard]] bool denies() const;
};

struct TestStatistics {
  std::string kind;  // The template's.
  std::size_t constraints = 0;
  std::chrono::steady_clock::duration runtime{};
  std::string implied_by;  // An ExpansionTemplate; empty: none.
};

struct TestReport {
  std::vector<TestResult> results;  // By enforcement action and message.
  std::vector<TestStatistics> statistics;
  std::string prints;
  std::string trace;  // Of all reviews; empty: none was made.
};

enum class TestPrints : std::uint8_t { kDrop, kKeep };
enum class TestTrace : std::uint8_t { kNone, kMake };

// `objects` are read with NumberMode::kFloat64. Each is reviewed, and all of them are data.inventory.
// LIFETIME: the report points into `objects`, `policies` and `arena`.
// ERRORS: kInvalidArgument with gator's text: a template or constraint that is refused, an object without version or kind.
[[nodiscard]] Result<TestReport> RunTest(const std::vector<document::Value>& objects,
                                         policy::PolicyStore& policies, TestPrints prints,
                                         TestTrace trace, Clock& clock, document::Arena& arena);

}  // namespace portcullis::tools
