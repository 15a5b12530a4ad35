// New names for the local variables of a body. Internal to rules/rego; the stage is in locals.cc.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/rego/compilation.h"

namespace portcullis::rego {

enum class Occurrence : std::uint8_t { kNew, kArgument, kSeen, kAssigned, kDeclared };

// The variables of the scopes around a place, innermost last.
class Scopes {
 public:
  struct Entry {
    std::string name;  // What it is called from now on.
    Occurrence occurrence = Occurrence::kNew;
  };
  struct Scope {
    std::map<std::string, Entry, std::less<>> entries;
    std::map<std::string, int, std::less<>> counts;
  };

  Scopes() { Push(); }
  void Push() { scopes_.emplace_back(); }
  void Pop() { scopes_.pop_back(); }
  [[nodiscard]] const Scope& Top() const { return scopes_.back(); }

  void Insert(const std::string& variable, std::string name, Occurrence occurrence) {
    scopes_.back().counts[variable] = 1;
    scopes_.back().entries[variable] = {std::move(name), occurrence};
  }

  [[nodiscard]] const std::string* Find(std::string_view variable) const {
    for (std::size_t i = scopes_.size(); i-- > 0;) {
      auto found = scopes_[i].entries.find(variable);
      if (found != scopes_[i].entries.end()) {
        return &found->second.name;
      }
    }
    return nullptr;
  }

  [[nodiscard]] Occurrence OccurrenceHere(std::string_view variable) const {
    auto found = scopes_.back().entries.find(variable);
    return found == scopes_.back().entries.end() ? Occurrence::kNew : found->second.occurrence;
  }

  [[nodiscard]] Occurrence OccurrenceAnywhere(std::string_view variable) const {
    for (std::size_t i = scopes_.size(); i-- > 0;) {
      auto found = scopes_[i].entries.find(variable);
      if (found != scopes_[i].entries.end()) {
        return found->second.occurrence;
      }
    }
    return Occurrence::kNew;
  }

  void Seen(const std::string& variable) {
    for (std::size_t i = scopes_.size(); i-- > 0;) {
      auto found = scopes_[i].counts.find(variable);
      if (found == scopes_[i].counts.end()) {
        continue;
      }
      ++found->second;
      return;
    }
    scopes_.back().counts[variable] = 1;
  }

  [[nodiscard]] int Count(std::string_view variable) const {
    for (std::size_t i = scopes_.size(); i-- > 0;) {
      auto found = scopes_[i].counts.find(variable);
      if (found != scopes_[i].counts.end()) {
        return found->second;
      }
    }
    return 0;
  }

 private:
  std::vector<Scope> scopes_;
};

// The variables of `x := …`, `some x`, `some x in xs`.
[[nodiscard]] VarSet DeclaredBy(const Expr& expr);

// Renames what a body declares; one scope for each body within another.
class Renamer {
 public:
  Renamer(Compilation& compilation, Scopes scopes)
      : compilation_(compilation),
        strict_(compilation.options.strict),
        scopes_(std::move(scopes)) {}

  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> unused;  // Strict mode's.
  bool of_query = false;           // What a query assigns is its answer.

  [[nodiscard]] Scopes& scopes() { return scopes_; }

  void Rename(Body& body, const VarSet& used);
  void RenameExpr(Expr& expr);
  void RenameTerm(Term& term);

  // Each part has a scope of its own.
  void RenameTemplate(Term& term);
  void RenameComprehension(Term& term);

 private:
  void Fail(const Location& location, std::string message);
  static ExprPtr TrueExpr(const Location& location);
  void RenameExprs(Body& body);
  void RenameVar(Term& term);

  // `input` and `data` are what they are unless the rule declares them.
  void RenameRoot(Term& term);
  void CheckOperator(const Term& call);

  // `with input as …` means the document even where `input` is also a local.
  void RenameWith(With& with);

  // True: `name` is the new one.
  bool Declare(const std::string& variable, Occurrence occurrence, const Location& location,
               std::string& name);
  static std::string Shown(const std::string& variable) {
    return variable.starts_with('$') ? "_" : variable;
  }

  // Null: the statement is gone.
  ExprPtr RenameStatement(ExprPtr expr);
  ExprPtr RenameAssignment(ExprPtr expr);
  void Assign(Term& term);
  ExprPtr RenameEvery(ExprPtr expr);
  bool DeclareEvery(Expr& expr);
  ExprPtr RenameSome(ExprPtr expr);

  // `some k, v in xs` is `v = xs[k]`, with what it binds declared.
  ExprPtr RenameSomeIn(ExprPtr expr);
  void RenameNot(Expr& expr);
  void RenameLogical(Expr& expr);
  void RenameOperand(Body& body, bool explicit_body, const char* refusal);

  // A body without braces is no scope: it may not declare anything.
  void RenameImplicit(Body& body, const char* refusal);
  void CheckUnusedAssigned(const Body& body, const VarSet& used, const Location& start);
  void CheckUnusedDeclared(const Body& body, const VarSet& used,
                           const std::vector<std::pair<Location, VarSet>>& declarations);

  Compilation& compilation_;
  const bool strict_;
  Scopes scopes_;
};

}  // namespace portcullis::rego
