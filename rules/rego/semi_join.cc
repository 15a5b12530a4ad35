#include "rules/rego/semi_join.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/inline_call.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostAlternatives = 8;

bool IsZero(const Term& term) {
  return term.kind == TermKind::kNumber && term.text == "0";
}

bool IsOne(const Term& term) {
  return term.kind == TermKind::kNumber && term.text == "1";
}

ExprPtr MakeExpr(ExprKind kind, const Location& location) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->generated = true;
  expr->location = location;
  return expr;
}

class Rewriter {
 public:
  Rewriter(const Rule& rule, ErrorAnalysis& errors) : rule_(rule), errors_(errors) {
    CountUses();
    NoteDefinitions(rule.body);
  }

  std::optional<Body> Run() {
    Look(rule_.body);
    if (replaced_.empty()) {
      return std::nullopt;
    }
    return Rewritten(rule_.body);
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

  // Bodies of `not` are looked at like the rule's.
  void NoteDefinitions(const Body& body) {
    for (const ExprPtr& expr : body) {
      NoteDefinition(*expr);
      if (expr->kind == ExprKind::kNot) {
        NoteDefinitions(expr->body);
      }
    }
  }

  void Look(const Body& body) {
    const std::size_t outer = before_.size();
    for (const ExprPtr& expr : body) {
      if (ExprPtr asked = Ask(*expr)) {
        replaced_.emplace(expr.get(), std::move(asked));
      } else if (expr->kind == ExprKind::kNot && expr->with.empty()) {
        Look(expr->body);
      }
      before_.push_back(expr.get());
    }
    before_.resize(outer);
  }

  Body Rewritten(const Body& body) {
    Body rewritten;
    for (const ExprPtr& expr : body) {
      if (const auto found = replaced_.find(expr.get()); found != replaced_.end()) {
        rewritten.push_back(std::move(found->second));
      } else if (!gone_.contains(expr.get())) {
        rewritten.push_back(Clone(*expr));
        if (expr->kind == ExprKind::kNot) {
          rewritten.back()->body = Rewritten(expr->body);
        }
      }
    }
    return rewritten;
  }

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
                        term.items[0]->IsVar() && IsKnown(*term.items[1]);
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
    if (ExprPtr asked = AskedByLoop(expr, &gone)) {
      return asked;
    }
    // count(difference, 0), or count(difference, n) and a comparison of n with 0 (or, at least, with 1).
    const bool equal = name == "eq" || name == "equal";
    if (name == "count" && expr.terms.size() == 3 && IsZero(*expr.terms[2])) {
      return AskedByCount(expr, expr, false, &gone);
    }
    if (expr.terms.size() == 3 &&
        (IsZero(*expr.terms[2]) ? equal || name == "neq" || name == "gt"
                                : name == "gte" && IsOne(*expr.terms[2])) &&
        IsUsedOnce(*expr.terms[1])) {
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
    if (ExprPtr asked = AskedByEmptiness(test, difference, !negated, gone)) {
      return asked;
    }
    const Expr* by = DefinitionOf(difference);
    const bool is_minus = by != nullptr && Calls(*by, "minus");
    if (by == nullptr || (!is_minus && !Calls(*by, "and")) || by->terms.size() != 4 ||
        !IsUsedOnce(difference)) {
      return nullptr;
    }
    // A member is in the difference if it is not in the set; of an intersection either side may be the one.
    const auto is_one = [](const Term& term) {
      return term.kind == TermKind::kSet && term.items.size() == 1 && IsKey(*term.items[0]);
    };
    const std::size_t side = is_minus || is_one(*by->terms[1]) ? 1 : 2;
    if (!is_one(*by->terms[side])) {
      return nullptr;
    }
    gone->insert(by);
    return Asked(test, *by->terms[3 - side], *by->terms[side]->items[0], false, negated == is_minus,
                 gone);
  }

  // Whether anything is collected at all, of which the first is enough.
  ExprPtr AskedByEmptiness(const Expr& test, const Term& set, bool negated,
                           std::set<const Expr*>* gone) {
    std::set<const Expr*> with_set = *gone;
    const Term* collected = CollectedBy(Origin(set, &with_set));
    if (collected == nullptr || !IsKey(*collected->items[0])) {
      return nullptr;
    }
    std::vector<Body> alternatives;
    if (!Expand(Clone(collected->body), &alternatives, &with_set) || !reads_inventory_) {
      return nullptr;
    }
    *gone = std::move(with_set);
    return Replacement(std::move(alternatives), test.location, negated, *gone);
  }

  // `array[_] = key`
  ExprPtr AskedByLoop(const Expr& expr, std::set<const Expr*>* gone) {
    if (!IsEquality(expr) || expr.terms.size() != 3) {
      return nullptr;
    }
    for (const std::size_t side : {1, 2}) {
      const Term& loop = *expr.terms[side];
      const Term& key = *expr.terms[3 - side];
      if (loop.kind == TermKind::kRef && loop.items.size() == 2 && loop.items[0]->IsVar() &&
          loop.items[1]->IsWildcard() && (IsConstantPath(key) || IsKnown(key))) {
        return Asked(expr, *loop.items[0], key, false, false, gone);
      }
    }
    return nullptr;
  }

  // input.a.b, or a scalar.
  static bool IsConstantPath(const Term& term) {
    return term.IsScalar() ||
           (term.kind == TermKind::kRef && term.items[0]->IsVar() &&
            term.items[0]->text == "input" &&
            std::ranges::all_of(term.items.begin() + 1, term.items.end(),
                                [](const TermPtr& item) { return item->IsScalar(); }));
  }

  // A variable that has a value before the expression that is looked at.
  [[nodiscard]] bool IsKnown(const Term& term) const {
    if (!term.IsVar() || term.IsWildcard()) {
      return term.IsScalar();
    }
    const auto has = [&term](const auto& node) {
      return VarsOf(node, VarWalk::Safety()).contains(term.text);
    };
    return std::ranges::any_of(rule_.arguments, [&has](const auto& each) { return has(*each); }) ||
           std::ranges::any_of(before_, [&has](const Expr* expr) { return has(*expr); });
  }

  static bool IsKey(const Term& term) {
    return term.IsScalar() || (term.IsVar() && !term.IsWildcard());
  }

  // `by_value`: the test is the member itself, which `false` fails.
  ExprPtr Asked(const Expr& test, const Term& set, const Term& key, bool by_value, bool negated,
                std::set<const Expr*>* gone) {
    const Term* collected = CollectedBy(Origin(set, gone));
    if (collected == nullptr || (by_value && collected->kind != TermKind::kSetComprehension)) {
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
    return Replacement(std::move(alternatives), test.location, negated, *gone);
  }

  ExprPtr Replacement(std::vector<Body> alternatives, const Location& location, bool negated,
                      const std::set<const Expr*>& gone) {
    ExprPtr some = SomeHolds(std::move(alternatives), location);
    gone_.insert(gone.begin(), gone.end());
    some->generated = false;
    if (!negated) {
      return some;
    }
    ExprPtr none = MakeExpr(ExprKind::kNot, location);
    none->generated = false;
    none->body.push_back(std::move(some));
    return none;
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
  std::map<const Expr*, ExprPtr> replaced_;
  std::vector<const Expr*> before_;  // The expression that is looked at.
  std::set<const Expr*> gone_;
  bool reads_inventory_ = false;
};

}  // namespace

std::optional<Body> AskInsteadOfCollecting(const Rule& rule, ErrorAnalysis& errors) {
  return Rewriter(rule, errors).Run();
}

}  // namespace portcullis::rego
