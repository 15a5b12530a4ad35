#include "tests/differential/known.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <regex>
#include <span>
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

// Text that is put into one of the program's texts, or taken out of it.
struct Edit {
  std::string file;  // Empty: the query.
  std::size_t begin = 0;
  std::size_t removed = 0;
  std::string added;
};

Program Edited(Program program, std::vector<Edit> edits) {
  std::ranges::stable_sort(edits, std::ranges::greater(), &Edit::begin);
  for (const Edit& edit : edits) {
    std::string& text = edit.file.empty() ? program.query : program.modules.at(edit.file);
    text.replace(edit.begin, edit.removed, edit.added);
  }
  return program;
}

std::string FileOf(const rego::Location& location) {
  return location.file ? *location.file : std::string();
}

// For each literal as {2, input.a}: what makes it a call, whose result OPA goes through as it does through any other value. OPA
// goes through the literal itself in the order of constants and variables, and meets equal members twice.
std::vector<std::vector<Edit>> ClosedLiterals(const Program& program) {
  std::vector<std::vector<Edit>> all;
  rego::ConstVisitor visitor;
  visitor.term = [&all](const rego::Term& term) {
    const bool is_set = term.kind == rego::TermKind::kSet;
    if ((is_set || term.kind == rego::TermKind::kObject) && term.items.size() > (is_set ? 1 : 2) &&
        !IsScalarOnly(term)) {
      const rego::Location& place = term.location;
      const std::string file = FileOf(place);
      all.push_back({{file, place.offset, 0, is_set ? "union({" : "object.union({}, "},
                     {file, place.offset + place.length, 0, is_set ? "})" : ")"}});
    }
    return true;
  };
  WalkProgram(program, visitor);
  return all;
}

bool IsAnswerOfClosed(const Program& program, const Outcome& ours, const AskOpa& ask_opa) {
  std::vector<Edit> kept;
  for (const std::vector<Edit>& closed : ClosedLiterals(program)) {
    std::vector<Edit> edits = kept;
    edits.insert(edits.end(), closed.begin(), closed.end());
    const Outcome outcome = ask_opa(Edited(program, edits));
    if (outcome.text == ours.text) {
      return true;
    }
    // A pattern cannot be a call.
    if (outcome.kind != OutcomeKind::kRejected) {
      kept = std::move(edits);
    }
  }
  return false;
}

bool IsComprehension(const rego::Term& term) {
  return term.kind == rego::TermKind::kArrayComprehension ||
         term.kind == rego::TermKind::kSetComprehension ||
         term.kind == rego::TermKind::kObjectComprehension;
}

// OPA indexes no comprehension below a `with`, and then goes only through what the loop asks for.
bool IsAnswerWithoutComprehensionIndex(const Program& program, const Outcome& ours,
                                       const AskOpa& ask_opa) {
  std::vector<Edit> edits;
  rego::ConstVisitor visitor;
  visitor.expr = [&edits](const rego::Expr& expr) {
    bool has_comprehension = false;
    rego::ConstVisitor inner;
    inner.term = [&has_comprehension](const rego::Term& term) {
      has_comprehension = has_comprehension || IsComprehension(term);
      return !has_comprehension;
    };
    rego::Walk(expr, inner);
    if (has_comprehension) {
      const rego::Location& place = expr.location;
      edits.push_back(
          {FileOf(place), place.offset + place.length, 0, " with data.no_such_document as 1"});
    }
    return false;
  };
  WalkProgram(program, visitor);
  return !edits.empty() && ask_opa(Edited(program, std::move(edits))).text == ours.text;
}

bool HasComputedKeys(const rego::Term& reference) {
  return std::ranges::any_of(reference.items | std::views::drop(1),
                             [](const rego::TermPtr& key) { return !key->IsScalar(); });
}

// h.a[data.b.n] := 1 if … else := 2: OPA takes the key of an `else` as it is written.
bool IsAnswerWithoutElse(const Program& program, const Outcome& ours, const AskOpa& ask_opa) {
  std::vector<Edit> edits;
  rego::ConstVisitor visitor;
  visitor.rule = [&edits](const rego::Rule& rule) {
    if (rule.else_rule != nullptr && HasComputedKeys(*rule.reference)) {
      const rego::Location& place = rule.else_rule->location;
      edits.push_back({FileOf(place), place.offset, place.length, ""});
      return false;
    }
    return true;
  };
  WalkProgram(program, visitor);
  return !edits.empty() && ask_opa(Edited(program, std::move(edits))).text == ours.text;
}

// The text without what its strings hold.
std::string WithoutStrings(std::string_view text) {
  std::string rest;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
      rest += '"';
    } else if (!in_string) {
      rest += text[i];
    }
  }
  return rest;
}

// {data.n: 2}, [x1]: a name that was left unevaluated stands where a value has a part.
bool HasNameInValue(const Outcome& outcome) {
  static const std::regex name(R"re([{[,:] ?(?!(true|false|null|set)\b|[a-z]*\.\.\.)[A-Za-z_])re");
  if (!IsResult(outcome) && outcome.code != "eval_conflict_error") {
    return false;
  }
  std::istringstream stream(outcome.text);
  for (std::string line; std::getline(stream, line);) {
    // Of a conflict, the lines that list values.
    const std::size_t end = IsResult(outcome) ? line.size() : line.rfind(" at ");
    if (end != line.npos && (IsResult(outcome) || line.starts_with("  ")) &&
        std::regex_search(WithoutStrings(line.substr(0, end)), name)) {
      return true;
    }
  }
  return false;
}

bool HasRange(const Program& program) {
  return std::ranges::any_of(program.modules | std::views::values, [](const std::string& text) {
    return text.contains("numbers.range");
  });
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

std::string_view KnownDifference(const Program& program, const Outcome& ours, const Outcome& theirs,
                                 const AskOpa& ask_opa) {
  // What OPA's index leaves out is not tried there, and runs into a limit here.
  if (ours.code == "eval_cancel_error" && IsResult(theirs) && HasRange(program)) {
    return "a range without end that is not tried";
  }
  if (HasNameInValue(theirs)) {
    return "a value with a name in it";
  }
  if (IsAnswerWithoutElse(program, ours, ask_opa)) {
    return "an else below a head with computed keys";
  }
  if (IsAnswerOfClosed(program, ours, ask_opa)) {
    return "members of a literal in another order, or twice";
  }
  if (!IsResult(theirs)) {
    return IsResult(ours) && IsAnswerWithoutComprehensionIndex(program, ours, ask_opa)
               ? "an error that only a comprehension index meets"
               : "";
  }
  return IsResult(ours) && ReplacesBelowShared(program) ? "a document altered by with" : "";
}

}  // namespace portcullis::differential
