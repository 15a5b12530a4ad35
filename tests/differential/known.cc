#include "tests/differential/known.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/compile.h"
#include "rules/rego/visit.h"

namespace portcullis::differential {
namespace {

bool IsResult(const Outcome& outcome) {
  return outcome.kind == OutcomeKind::kValue || outcome.kind == OutcomeKind::kEmpty ||
         outcome.kind == OutcomeKind::kUndefined;
}

std::vector<std::string> SortedLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  return lines;
}

void WalkProgram(const Program& program, const rego::ConstVisitor& visitor) {
  const rego::Version version = program.version == "v0" ? rego::Version::kV0 : rego::Version::kV1;
  for (const auto& [file, text] : program.modules) {
    if (const auto module = rego::ParseModule(file, text, version)) {
      for (const std::unique_ptr<rego::Rule>& rule : (*module)->rules) {
        rego::Walk(std::as_const(*rule), visitor);
      }
    }
  }
  if (const auto query = rego::ParseQuery(program.query)) {
    rego::Walk(*query, visitor);
  }
}

bool IsScalarOnly(const rego::Term& term) {
  const bool collection = term.kind == rego::TermKind::kArray ||
                          term.kind == rego::TermKind::kObject || term.kind == rego::TermKind::kSet;
  return term.IsScalar() ||
         (collection && std::ranges::all_of(term.items, [](const rego::TermPtr& item) {
            return IsScalarOnly(*item);
          }));
}

// {2, input.a}: what is computed has another place before it is known.
bool HasOpenCollection(const Program& program) {
  bool found = false;
  rego::ConstVisitor visitor;
  visitor.term = [&found](const rego::Term& term) {
    const std::size_t a_member = term.kind == rego::TermKind::kSet ? 1 : 2;
    found = found || ((term.kind == rego::TermKind::kSet || term.kind == rego::TermKind::kObject) &&
                      term.items.size() > a_member && !IsScalarOnly(term));
    return !found;
  };
  WalkProgram(program, visitor);
  return found;
}

// A call of numbers.range with a bound beyond any int64.
bool HasEndlessRange(const Program& program) {
  bool found = false;
  rego::ConstVisitor visitor;
  visitor.term = [&found](const rego::Term& term) {
    found = found || (term.kind == rego::TermKind::kCall &&
                      rego::ToString(*term.items[0]) == "numbers.range" &&
                      std::ranges::any_of(term.items, [](const rego::TermPtr& item) {
                        return item->kind == rego::TermKind::kNumber && item->text.size() > 19;
                      }));
    return !found;
  };
  WalkProgram(program, visitor);
  return found;
}

bool IsBelow(const rego::Term& path, const rego::Term& above) {
  return path.kind == rego::TermKind::kRef && above.kind == rego::TermKind::kRef &&
         path.items.size() > above.items.size() &&
         std::ranges::equal(above.items, std::span(path.items).first(above.items.size()),
                            [](const rego::TermPtr& a, const rego::TermPtr& b) {
                              return rego::ToString(*a) == rego::ToString(*b);
                            });
}

// with data.a as data.b with data.a.n as 1: OPA writes the second into the document that the first has in common with others.
bool ReplacesBelowShared(const Program& program) {
  bool found = false;
  rego::ConstVisitor visitor;
  visitor.expr = [&found](const rego::Expr& expr) {
    for (std::size_t i = 0; i < expr.with.size(); ++i) {
      const rego::With& whole = expr.with[i];
      found = found || (whole.value->kind == rego::TermKind::kRef &&
                        std::any_of(expr.with.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                    expr.with.end(), [&whole](const rego::With& part) {
                                      return IsBelow(*part.target, *whole.target);
                                    }));
    }
    return !found;
  };
  WalkProgram(program, visitor);
  return found;
}

}  // namespace

std::string_view KnownDifference(const Program& program, const Outcome& ours,
                                 const Outcome& theirs) {
  // What OPA's index leaves out is not tried there, and runs into a limit here.
  if (ours.code == "eval_cancel_error" && IsResult(theirs) && HasEndlessRange(program)) {
    return "a range without end that is not tried";
  }
  if (!IsResult(ours) || !IsResult(theirs)) {
    return "";
  }
  if (SortedLines(ours.text) == SortedLines(theirs.text) && HasOpenCollection(program)) {
    return "members in another order";
  }
  return ReplacesBelowShared(program) ? "a document altered by with" : "";
}

}  // namespace portcullis::differential
