#include "tests/differential/outcome.h"

#include <algorithm>
#include <map>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::differential {
namespace {

using document::Value;

std::string TextAt(const Value& object, std::string_view key) {
  return std::string(object.GetString({key}));
}

// Of generated variables only OPA's own numbering tells which is which.
bool IsGenerated(std::string_view name) {
  return name.starts_with("__local");
}

std::string Solutions(const Value& list) {
  std::string text;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    std::map<std::string, std::string> sorted;
    const Value solution = list.ItemAt(i);
    for (std::uint32_t j = 0; j < solution.size(); ++j) {
      if (!IsGenerated(solution.KeyAt(j).string())) {
        sorted.emplace(solution.KeyAt(j).string(), solution.ValueAt(j).string());
      }
    }
    for (const auto& [name, value] : sorted) {
      text += name.empty() ? "(" + value + ") " : name + " = " + value + "; ";
    }
    text += '\n';
  }
  return text;
}

std::string Errors(const Value& list) {
  std::string text;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const Value error = list.ItemAt(i);
    text += TextAt(error, "file") + ':' + document::ToJson(error.Find("row")) + ':' +
            document::ToJson(error.Find("col")) + ' ' + TextAt(error, "code") + ": " +
            TextAt(error, "message") + '\n';
    const Value details = error.Find("details");
    for (std::uint32_t j = 0; details.is_array() && j < details.size(); ++j) {
      text += "    " + std::string(details.ItemAt(j).string()) + '\n';
    }
  }
  return text;
}

}  // namespace

Outcome ReadOutcome(std::string_view answer) {
  Outcome outcome;
  document::Arena arena;
  const auto parsed = document::ParseJson(answer, arena);
  if (answer.empty() || !parsed) {
    outcome.text = "no answer";
    return outcome;
  }
  if (const Value lookups = parsed->Find("lookups"); lookups.is_int()) {
    outcome.lookups = static_cast<std::uint64_t>(lookups.integer());
  }
  if (const Value errors = parsed->Find("errors"); errors.is_array()) {
    outcome.code = TextAt(errors.ItemAt(0), "code");
    outcome.text = Errors(errors);
    // An evaluation's error in the query itself is told with the query's text in place of a file.
    if (!outcome.code.starts_with("eval_") || !TextAt(errors.ItemAt(0), "file").empty()) {
      outcome.text += TextAt(*parsed, "text") + '\n';
    }
    // OPA's internal errors are its own faults: "built-in function neq called with operand 1 that requires evaluation".
    // What runs into the time limit is as good as no answer.
    const bool broken = outcome.code == "other" || outcome.code == "eval_internal_error" ||
                        outcome.code == "eval_cancel_error";
    outcome.kind = broken                              ? OutcomeKind::kBroken
                   : outcome.code.starts_with("eval_") ? OutcomeKind::kFailed
                                                       : OutcomeKind::kRejected;
    return outcome;
  }
  const Value solutions = parsed->Find("solutions");
  if (!solutions.is_array() || solutions.size() == 0) {
    outcome.kind = OutcomeKind::kUndefined;
    outcome.text = "undefined\n";
    return outcome;
  }
  outcome.text = Solutions(solutions);
  // Names and punctuation alone tell nothing.
  outcome.kind = outcome.text.find_first_of("0123456789truefalsn\"", outcome.text.find('=')) ==
                         std::string::npos
                     ? OutcomeKind::kEmpty
                     : OutcomeKind::kValue;
  return outcome;
}

std::string DifferenceClass(const Outcome& ours, const Outcome& theirs) {
  const auto name = [](const Outcome& outcome) {
    switch (outcome.kind) {
      case OutcomeKind::kUndefined:
        return std::string("undefined");
      case OutcomeKind::kValue:
      case OutcomeKind::kEmpty:
        return std::string("value");
      case OutcomeKind::kBroken:
        return "broken " + outcome.text.substr(0, outcome.text.find('\n'));
      default:
        return outcome.code;
    }
  };
  return name(ours) + " / " + name(theirs);
}

}  // namespace portcullis::differential
