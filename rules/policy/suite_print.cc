// The lines that `gator verify` prints.

#include <algorithm>

#include <fmt/format.h>

#include "rules/policy/suite.h"

namespace portcullis::policy {
namespace {

std::string Seconds(std::chrono::steady_clock::duration runtime) {
  return fmt::format("{:.3f}s", std::chrono::duration<double>(runtime).count());
}

void AppendPrints(const std::string& prints, std::string* out) {
  if (prints.empty()) {
    return;
  }
  *out += "        === PRINT ===\n";
  std::string_view rest = prints;
  if (rest.ends_with('\n')) {
    rest.remove_suffix(1);
  }
  while (true) {
    const std::size_t end = rest.find('\n');
    *out += fmt::format("        {}\n", rest.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    rest.remove_prefix(end + 1);
  }
}

// Each line has the prefix of the case's other lines.
void AppendTrace(const CaseResult& result, std::string_view prefix, std::string* out) {
  *out += fmt::format("{}TRACE: {}\t", prefix, result.name);
  for (const char c : result.trace) {
    *out += c;
    *out += c == '\n' ? prefix : std::string_view();
  }
  *out += '\n';
}

void AppendCase(const CaseResult& result, bool verbose, std::string* out) {
  if (verbose && result.skipped) {
    *out += fmt::format("    === SKIP  {}\n", result.name);
    return;
  }
  if (verbose) {
    *out += fmt::format("    === RUN   {}\n", result.name);
    AppendPrints(result.prints, out);
  }
  if (!result.error.empty()) {
    *out += fmt::format("    --- FAIL: {}\t({})\n        {}\n", result.name,
                        Seconds(result.runtime), result.error);
  } else if (verbose) {
    *out += fmt::format("    --- PASS: {}\t({})\n", result.name, Seconds(result.runtime));
  }
  if (!result.trace.empty()) {
    AppendTrace(result, verbose ? "    --- " : "", out);
  }
}

void AppendTest(const TestResult& result, bool verbose, std::string* out) {
  if (verbose && result.skipped) {
    *out += fmt::format("=== SKIP  {}\n", result.name);
    return;
  }
  if (verbose) {
    *out += fmt::format("=== RUN   {}\n", result.name);
  }
  for (const CaseResult& each : result.cases) {
    AppendCase(each, verbose, out);
  }
  if (result.failed()) {
    *out += fmt::format("--- FAIL: {}\t({})\n", result.name, Seconds(result.runtime));
    if (!result.error.empty()) {
      *out += fmt::format("  {}\n", result.error);
    }
  } else if (verbose) {
    *out += fmt::format("--- PASS: {}\t({})\n", result.name, Seconds(result.runtime));
  }
}

}  // namespace

bool TestResult::failed() const {
  return !error.empty() ||
         std::ranges::any_of(cases, [](const CaseResult& each) { return !each.error.empty(); });
}

bool SuiteResult::failed() const {
  return std::ranges::any_of(tests, [](const TestResult& each) { return each.failed(); });
}

std::string ToText(const std::vector<SuiteResult>& results, SuiteOutput output) {
  std::string text;
  bool failed = false;
  for (const SuiteResult& result : results) {
    for (const TestResult& test : result.tests) {
      AppendTest(test, output == SuiteOutput::kVerbose, &text);
    }
    text += fmt::format("{}\t{}\t{}\n", result.failed() ? "FAIL" : "ok", result.path,
                        Seconds(result.runtime));
    failed = failed || result.failed();
  }
  text += failed ? "FAIL\n" : "PASS\n";
  return text;
}

}  // namespace portcullis::policy
