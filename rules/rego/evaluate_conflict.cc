// What a conflict of complete rules or functions is told as: OPA runs the definitions once more and lists what they give
// (v1/topdown/conflicts.go).

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/builtins/unicode.h"
#include "rules/rego/evaluator.h"

namespace portcullis::rego {
namespace {

using document::Value;

constexpr std::size_t kMostValues = 10;
constexpr std::size_t kMostCharacters = 80;

// On one line, blanks in a row as one, and cut where it is long.
std::string Shortened(std::string_view text) {
  std::string out;
  std::size_t characters = 0;
  bool blank = false;
  while (!text.empty()) {
    const builtins::Rune rune = builtins::DecodeRune(text);
    const std::string_view bytes = text.substr(0, rune.width);
    text.remove_prefix(rune.width);
    if (builtins::IsSpace(rune.value)) {
      blank = !out.empty();
      continue;
    }
    for (const std::string_view next :
         {std::exchange(blank, false) ? std::string_view(" ") : "", bytes}) {
      if (!next.empty() && characters++ == kMostCharacters) {
        return out + "...";
      }
      out += next;
    }
  }
  return out;
}

std::string Place(const Location& location) {
  const std::string row = std::to_string(location.row);
  return location.file && !location.file->empty() ? *location.file + ':' + row
                                                  : row + ':' + std::to_string(location.column);
}

}  // namespace

Signal Evaluator::GatherResult(const Step& step, const Value& value) {
  std::vector<Gathering::Found>& found = gathering_->found;
  if (!found.empty() && document::Equal(found[0].value, value)) {
    return step.stop ? Signal::kStop : Signal::kContinue;
  }
  if (found.size() == kMostValues) {
    gathering_->more = true;
    return Signal::kStop;
  }
  found.push_back({.value = value, .location = step.location});
  return found.size() > 1 || step.stop ? Signal::kStop : Signal::kContinue;
}

void Evaluator::ExplainConflict(const Procedure& procedure, Value* slots) {
  std::optional<EvaluationError> conflict = std::exchange(error_, std::nullopt);
  std::optional<EvaluationError> builtin_error = builtin_error_;
  failed_ = false;
  Gathering gathering{.slots = slots, .found = {}, .more = false};
  Gathering* outer = std::exchange(gathering_, &gathering);
  ForEachBranch(procedure, slots, [&](const Branch* branch) {
    return RunBranch(branch, slots) != Signal::kError && !gathering.more;
  });
  gathering_ = outer;
  // Whatever else went wrong was not what ended the evaluation.
  error_ = std::move(conflict);
  builtin_error_ = std::move(builtin_error);
  failed_ = true;
  if (engine_error_ || gathering.found.size() < 2) {
    return;
  }
  std::ranges::stable_sort(gathering.found, [](const auto& a, const auto& b) {
    const auto place = [](const Location& location) {
      return std::tuple(location.file ? std::string_view(*location.file) : std::string_view(),
                        location.row, location.column);
    };
    return place(*a.location) < place(*b.location);
  });
  error_->message += ':';
  for (const Gathering::Found& found : gathering.found) {
    error_->message +=
        "\n  " + Shortened(document::ToRego(found.value)) + " at " + Place(*found.location);
  }
  error_->message += gathering.more ? "\n  ..." : "";
}

}  // namespace portcullis::rego
