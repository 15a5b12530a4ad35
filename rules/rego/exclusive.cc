#include "rules/rego/exclusive.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace portcullis::rego {
namespace {

// What a body says of values that arguments and the input alone decide.
class Facts {
 public:
  explicit Facts(const Rule& rule) {
    for (std::size_t i = 0; i < rule.arguments.size(); ++i) {
      const Term& argument = *rule.arguments[i];
      const std::string name = "argument " + std::to_string(i);
      if (argument.IsVar()) {
        names_.emplace(argument.text, name);
      } else if (IsTellable(argument)) {
        equal.emplace(name, ToString(argument));
      }
    }
    for (const ExprPtr& expr : rule.body) {
      Note(*expr);
    }
  }

  std::map<std::string, std::string> equal;  // A value, and the constant that it equals.
  std::set<std::pair<std::string, std::string>> not_equal;  // And one that it does not equal.
  std::set<std::string> holds;
  std::set<std::string> fails;

 private:
  // A constant of which equal ones are spelt alike.
  static bool IsTellable(const Term& term) {
    return term.kind == TermKind::kString || term.kind == TermKind::kBoolean ||
           term.kind == TermKind::kNull;
  }

  // A name for the term's value that is the same in every definition; nothing: it has none, or may have several values.
  [[nodiscard]] std::optional<std::string> NameOf(const Term& term) const {
    if (term.IsScalar()) {
      return ToString(term);
    }
    if (term.IsVar()) {
      if (term.text == "input") {
        return term.text;
      }
      const auto name = names_.find(term.text);
      return name == names_.end() ? std::nullopt : std::optional(name->second);
    }
    if (term.kind != TermKind::kRef) {
      return std::nullopt;
    }
    std::string name;
    for (const TermPtr& item : term.items) {
      const auto part = NameOf(*item);
      if (!part) {
        return std::nullopt;
      }
      name += name.empty() ? *part : "[" + *part + "]";
    }
    return name;
  }

  void Note(const Expr& expr) {
    if (!expr.with.empty()) {
      return;
    }
    if (expr.kind == ExprKind::kTerm) {
      if (const auto name = NameOf(*expr.terms[0])) {
        (expr.negated ? fails : holds).insert(*name);
      }
      return;
    }
    if (expr.kind != ExprKind::kCall) {
      return;
    }
    const std::string op = ToString(*expr.terms[0]);
    if (op == "eq" && expr.terms.size() == 3 && !expr.negated) {
      NoteEquality(*expr.terms[1], *expr.terms[2]);
    } else if (op == "neq" && expr.terms.size() == 3 && !expr.negated) {
      NoteInequality(*expr.terms[1], *expr.terms[2]);
    }
    std::string call = op;
    for (std::size_t i = 1; i < expr.terms.size(); ++i) {
      const auto name = NameOf(*expr.terms[i]);
      if (!name) {
        return;
      }
      call += " " + *name;
    }
    (expr.negated ? fails : holds).insert(call);
  }

  void NoteEquality(const Term& left, const Term& right) {
    for (const auto& [side, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
      const auto name = NameOf(*other);
      if (side->IsVar() && !NameOf(*side) && name) {
        names_.emplace(side->text, *name);
        return;
      }
      if (name && IsTellable(*side)) {
        equal.emplace(*name, ToString(*side));
        return;
      }
    }
  }

  void NoteInequality(const Term& left, const Term& right) {
    for (const auto& [side, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
      const auto name = NameOf(*other);
      if (name && IsTellable(*side)) {
        not_equal.emplace(*name, ToString(*side));
      }
    }
  }

  std::map<std::string, std::string, std::less<>> names_;  // Of variables.
};

bool Meet(const std::set<std::string>& a, const std::set<std::string>& b) {
  for (const std::string& each : a) {
    if (b.contains(each)) {
      return true;
    }
  }
  return false;
}

// True if something that `a` says cannot be where `b` is.
bool Excludes(const Facts& a, const Facts& b) {
  for (const auto& [name, value] : a.equal) {
    const auto other = b.equal.find(name);
    if ((other != b.equal.end() && other->second != value) || b.not_equal.contains({name, value})) {
      return true;
    }
  }
  return Meet(a.holds, b.fails);
}

}  // namespace

bool AreExclusive(const Rule& a, const Rule& b) {
  const Facts of_a(a);
  const Facts of_b(b);
  return Excludes(of_a, of_b) || Excludes(of_b, of_a);
}

}  // namespace portcullis::rego
