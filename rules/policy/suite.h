// Gatekeeper's test suites (gatekeeper.md 9.1): YAML files that say which objects a constraint must refuse, as `gator verify`
// runs them.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/engine.h"

namespace portcullis::policy {

// What must hold of the violations whose message contains a match of `message`.
struct SuiteAssertion {
  std::optional<std::int64_t> count;  // Exactly so many. Otherwise:
  std::string words =
      "yes";  // "yes": at least one; "no": none; all else is an error when it is checked.
  std::optional<std::string> message;
};

// Paths are as written: relative to the suite's file.
struct SuiteCase {
  std::string name;
  std::string object;
  std::vector<std::string> inventory;
  std::vector<SuiteAssertion> assertions;
  bool skip = false;
};

struct SuiteTest {
  std::string name;
  std::string template_file;
  std::string constraint_file;
  std::string expansion_file;
  std::vector<SuiteCase> cases;
  bool invalid = false;  // The constraint must fail its schema; there are no cases then.
  bool skip = false;
};

struct Suite {
  std::filesystem::path file;
  std::string shown_path;  // As results name it.
  bool skip = false;
  std::vector<SuiteTest> tests;
};

// The suites in a file, in a folder, or below a folder ("PATH/..."), by path. YAML files that hold no Suite are left out.
// ERRORS: kNotFound, kInvalidArgument: an unreadable file, or one that is no YAML.
[[nodiscard]] Result<std::vector<Suite>> ReadSuites(const std::string& target);

// Selects by name. "a": tests or cases that match; "a//b": cases that match b in tests that match a; empty: everything.
class SuiteFilter {
 public:
  SuiteFilter();
  ~SuiteFilter();
  SuiteFilter(SuiteFilter&&) noexcept;
  SuiteFilter& operator=(SuiteFilter&&) noexcept;

  // ERRORS: kInvalidArgument: no regular expression, or more than one "//".
  static Result<SuiteFilter> Parse(std::string_view text);

  [[nodiscard]] bool MatchesTest(const SuiteTest& test) const;
  [[nodiscard]] bool MatchesCase(const SuiteTest& test, const SuiteCase& of) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;  // Null: everything.
};

struct CaseResult {
  std::string name;
  bool skipped = false;
  std::string error;  // Empty: passed.
  std::chrono::steady_clock::duration runtime{};
  std::string prints;
  std::string trace;  // Empty: none was asked for, or the case ended before its review.
};

struct TestResult {
  std::string name;
  bool skipped = false;
  std::string error;
  std::chrono::steady_clock::duration runtime{};
  std::vector<CaseResult> cases;
  [[nodiscard]] bool failed() const;
};

struct SuiteResult {
  std::string path;
  bool skipped = false;
  std::chrono::steady_clock::duration runtime{};
  std::vector<TestResult> tests;
  [[nodiscard]] bool failed() const;
};

struct SuiteOptions {
  // Where the objects of a case's `inventory` are kept: a store in this folder, which is created and is the runner's own;
  // empty: in memory.
  std::filesystem::path store;
  rego::IndexUse index_use = rego::IndexUse::kUse;
  bool trace = false;  // Fill CaseResult::trace.
};

// THREADS: one.
class SuiteRunner {
 public:
  SuiteRunner(std::shared_ptr<const builtins::Catalog> catalog, SuiteOptions options, Clock& clock);
  ~SuiteRunner();

  // A failure of anything is the result of the test or case.
  [[nodiscard]] SuiteResult Run(const Suite& suite, const SuiteFilter& filter);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class SuiteOutput : std::uint8_t { kFailures, kVerbose };

// gator's lines, with PASS or FAIL at the end.
[[nodiscard]] std::string ToText(const std::vector<SuiteResult>& results, SuiteOutput output);

}  // namespace portcullis::policy
