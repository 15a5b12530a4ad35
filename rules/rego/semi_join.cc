#include "rules/rego/semi_join.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostAlternatives = 8;

bool IsZero(const Term& term) {
  return term.kind == TermKind::kNumber && term.text == "0";
}

ExprPtr MakeExpr(ExprKind kind, const Location& location) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->generated = true;
  expr->location = location;
  return expr;
}

ExprPtr MakeEquality(TermPtr left, TermPtr right, const Location& location) {
  ExprPtr expr = MakeExpr(ExprKind::kCall, location);
  auto op = std::make_unique<Term>();
  op->kind = TermKind::kRef;
  auto name = std::make_unique<Term>();
  name->kind = TermKind::kVar;
  name->text = "eq";
  op->items.push_back(std::move(name));
  expr->terms.push_back(std::move(op));
  expr->terms.push_back(std::move(left));
  expr->terms.push_back(std::move(right));
  return expr;
}

class Rewriter {
 public:
  Rewriter(const Rule& rule, ErrorAnalysis& errors) : rule_(rule), errors_(errors) {
    CountUses();
    for (std::size_t i = 0; i < rule.body.size(); ++i) {
      NoteDefinition(*rule.body[i]);
    }
  }

  std::optional<Body> Run() {
    std::map<std::size_t, ExprPtr> replaced;
    for (std::size_t i = 0; i < rule_.body.size(); ++i) {
      if (ExprPtr asked = Ask(*rule_.body[i])) {
        replaced.emplace(i, std::move(asked));
      }
    }
    if (replaced.empty()) {
      return std::nullopt;
    }
    Body body;
    for (std::size_t i = 0; i < rule_.body.size(); ++i) {
      if (const auto found = replaced.find(i); found != replaced.end()) {
        body.push_back(std::move(found->second));
      } else if (!gone_.contains(rule_.body[i].get())) {
        body.push_back(Clone(*rule_.body[i]));
      }
    }
    return body;
  }

 private:
  void CountUses() {
    Walk(rule_, ConstVisitor{.term =
                                 [this](const Term& term) {
                                   if (term.IsVar()) {
                                     ++uses_[term.text];
                                   }
                                   return true;
                                 },
                             .expr = {},
                             .rule = {}});
  }

  // It is given a value, and used in one other place.
  [[nodiscard]] bool IsUsedOnce(const Term& term) const {
    const auto found = term.IsVar() ? uses_.find(term.text) : uses_.end();
    return found != uses_.end() && found->second == 2;
  }

  static bool IsPlain(const Expr& expr) { return expr.with.empty() && !expr.negated; }

  void NoteDefinition(const Expr& expr) {
    if (!IsPlain(expr) || expr.kind != ExprKind::kCall) {
      return;
    }
    if (IsEquality(expr) && expr.terms.size() == 3) {
      for (const auto& [name, value] : {std::pair(expr.terms[1].get(), expr.terms[2].get()),
                                        std::pair(expr.terms[2].get(), expr.terms[1].get())}) {
        if (name->IsVar() && IsComprehension(*value)) {
          definitions_.emplace(name->text, &expr);
          return;
        }
      }
      // Another name of the same value.
      if (expr.terms[1]->IsVar() && expr.terms[2]->IsVar()) {
        definitions_.emplace(expr.terms[1]->text, &expr);
      }
      return;
    }
    if (expr.terms.size() >= 3 && expr.terms.back()->IsVar()) {
      definitions_.emplace(expr.terms.back()->text, &expr);
    }
  }

  [[nodiscard]] const Expr* DefinitionOf(const Term& term) const {
    const auto found = term.IsVar() ? definitions_.find(term.text) : definitions_.end();
    return found == definitions_.end() ? nullptr : found->second;
  }

  static bool IsAlias(const Expr& expr) {
    return IsEquality(expr) && expr.terms[1]->IsVar() && expr.terms[2]->IsVar();
  }

  // What gives the variable its value, past other names of it; null: nothing that is used here alone.
  const Expr* Origin(const Term& variable, std::set<const Expr*>* gone) const {
    const Expr* by = DefinitionOf(variable);
    if (by == nullptr || !IsUsedOnce(variable)) {
      return nullptr;
    }
    gone->insert(by);
    return IsAlias(*by) ? Origin(*by->terms[2], gone) : by;
  }

  // The comprehension that a variable stands for; null: none, or it is needed elsewhere too, or could end in an error.
  [[nodiscard]] const Term* CollectedBy(const Expr* by) {
    if (by == nullptr || !IsEquality(*by) || errors_.MayFail(*by)) {
      return nullptr;
    }
    const Term& value = by->terms[1]->IsVar() ? *by->terms[2] : *by->terms[1];
    return value.kind == TermKind::kObjectComprehension || !IsComprehension(value) ? nullptr
                                                                                   : &value;
  }

  // What an expression becomes if it asks a collected set for a member.
  ExprPtr Ask(const Expr& expr) {
    if (!expr.with.empty()) {
      return nullptr;
    }
    std::set<const Expr*> gone;
    if (expr.kind == ExprKind::kTerm) {
      const Term& term = *expr.terms[0];
      const bool asks = term.kind == TermKind::kRef && term.items.size() == 2 &&
                        term.items[0]->IsVar() && IsKey(*term.items[1]);
      return asks ? Asked(expr, *term.items[0], *term.items[1], true, expr.negated, &gone)
                  : nullptr;
    }
    if (expr.kind != ExprKind::kCall) {
      return nullptr;
    }
    const std::string name = ToString(*expr.terms[0]);
    if (name == "internal.member_2" && expr.terms.size() == 3 && IsKey(*expr.terms[1])) {
      return Asked(expr, *expr.terms[2], *expr.terms[1], false, expr.negated, &gone);
    }
    if (expr.negated) {
      return nullptr;
    }
    // count(difference, 0), or count(difference, n) and a comparison of n with 0.
    const bool equal = name == "eq" || name == "equal";
    if (name == "count" && expr.terms.size() == 3 && IsZero(*expr.terms[2])) {
      return AskedByCount(expr, expr, false, &gone);
    }
    if (expr.terms.size() == 3 && IsZero(*expr.terms[2]) &&
        (equal || name == "neq" || name == "gt") && IsUsedOnce(*expr.terms[1])) {
      const Expr* count = DefinitionOf(*expr.terms[1]);
      if (count != nullptr && Calls(*count, "count")) {
        gone.insert(count);
        return AskedByCount(expr, *count, !equal, &gone);
      }
    }
    return nullptr;
  }

  ExprPtr AskedByCount(const Expr& test, const Expr& count, bool negated,
                       std::set<const Expr*>* gone) {
    const Term& difference = *count.terms[1];
    const Expr* minus = DefinitionOf(difference);
    if (minus == nullptr || !Calls(*minus, "minus") || minus->terms.size() != 4 ||
        !IsUsedOnce(difference)) {
      return nullptr;
    }
    const Term& one = *minus->terms[1];
    if (one.kind != TermKind::kSet || one.items.size() != 1 || !IsKey(*one.items[0])) {
      return nullptr;
    }
    gone->insert(minus);
    return Asked(test, *minus->terms[2], *one.items[0], false, negated, gone);
  }

  static bool IsKey(const Term& term) {
    return term.IsScalar() || (term.IsVar() && !term.IsWildcard());
  }

  // `by_value`: the test is the member itself, which `false` fails.
  ExprPtr Asked(const Expr& test, const Term& set, const Term& key, bool by_value, bool negated,
                std::set<const Expr*>* gone) {
    const Term* collected = CollectedBy(Origin(set, gone));
    if (collected == nullptr || collected->kind != TermKind::kSetComprehension) {
      return nullptr;
    }
    Body body = Clone(collected->body);
    body.push_back(MakeEquality(Clone(*collected->items[0]), Clone(key), test.location));
    if (by_value) {
      ExprPtr is_true = MakeExpr(ExprKind::kTerm, test.location);
      is_true->terms.push_back(Clone(key));
      body.push_back(std::move(is_true));
    }
    std::vector<Body> alternatives;
    if (!Expand(std::move(body), &alternatives, gone) || !reads_inventory_) {
      return nullptr;
    }
    // Some alternative has a solution: `or` of what is not absent.
    ExprPtr some = Exists(std::move(alternatives.back()), test.location);
    for (alternatives.pop_back(); !alternatives.empty(); alternatives.pop_back()) {
      ExprPtr either = MakeExpr(ExprKind::kOr, test.location);
      either->body.push_back(Exists(std::move(alternatives.back()), test.location));
      either->right.push_back(std::move(some));
      some = std::move(either);
    }
    gone_.insert(gone->begin(), gone->end());
    some->generated = false;
    if (!negated) {
      return some;
    }
    ExprPtr none = MakeExpr(ExprKind::kNot, test.location);
    none->generated = false;
    none->body.push_back(std::move(some));
    return none;
  }

  static ExprPtr Exists(Body body, const Location& location) {
    ExprPtr absent = MakeExpr(ExprKind::kNot, location);
    absent->body = std::move(body);
    ExprPtr exists = MakeExpr(ExprKind::kNot, location);
    exists->body.push_back(std::move(absent));
    return exists;
  }

  // Puts what arrays are collected from in the place of `item = array[_]`, over and over.
  bool Expand(Body body, std::vector<Body>* alternatives, std::set<const Expr*>* gone) {
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (!IsPlain(*body[i]) || body[i]->kind != ExprKind::kCall || !IsEquality(*body[i]) ||
          body[i]->terms.size() != 3) {
        continue;
      }
      for (const std::size_t side : {1, 2}) {
        const Term& reference = *body[i]->terms[side];
        if (reference.kind != TermKind::kRef || reference.items.size() != 2 ||
            !reference.items[0]->IsVar() || !reference.items[1]->IsWildcard()) {
          continue;
        }
        const Term array = CopyOf(*reference.items[0]);
        const Expr* by = Origin(array, gone);
        if (by == nullptr) {
          continue;
        }
        if (const Term* collected = CollectedBy(by)) {
          body[i]->terms[side] = Clone(*collected->items[0]);
          Body inner = Clone(collected->body);
          body.insert(body.begin() + static_cast<std::ptrdiff_t>(i),
                      std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
          return Expand(std::move(body), alternatives, gone);
        }
        if (ToString(*by->terms[0]) == "array.concat" && by->terms.size() == 4) {
          return ExpandWith(body, i, side, *by->terms[1], alternatives, gone) &&
                 ExpandWith(body, i, side, *by->terms[2], alternatives, gone);
        }
        return false;
      }
    }
    for (const ExprPtr& expr : body) {
      reads_inventory_ = reads_inventory_ || ReadsInventory(*expr);
    }
    alternatives->push_back(std::move(body));
    return alternatives->size() <= kMostAlternatives;
  }

  bool ExpandWith(const Body& body, std::size_t i, std::size_t side, const Term& array,
                  std::vector<Body>* alternatives, std::set<const Expr*>* gone) {
    Body copy = Clone(body);
    copy[i]->terms[side]->items[0] = Clone(array);
    return Expand(std::move(copy), alternatives, gone);
  }

  static Term CopyOf(const Term& variable) {
    Term copy;
    copy.kind = variable.kind;
    copy.text = variable.text;
    return copy;
  }

  static bool ReadsInventory(const Expr& expr) {
    return std::ranges::any_of(expr.terms, [](const TermPtr& term) {
      return term != nullptr && term->kind == TermKind::kRef && term->items.size() > 2 &&
             term->items[0]->IsVar() && term->items[0]->text == "data" &&
             term->items[1]->kind == TermKind::kString && term->items[1]->text == "inventory";
    });
  }

  const Rule& rule_;
  ErrorAnalysis& errors_;
  std::map<std::string, int, std::less<>> uses_;
  std::map<std::string, const Expr*, std::less<>> definitions_;
  std::set<const Expr*> gone_;
  bool reads_inventory_ = false;
};

}  // namespace

std::optional<Body> AskInsteadOfCollecting(const Rule& rule, ErrorAnalysis& errors) {
  return Rewriter(rule, errors).Run();
}

}  // namespace portcullis::rego
