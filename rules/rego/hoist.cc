// References and comprehensions get variables of their own where a plain value must stand: in heads, in the terms of
// comprehensions, in arguments of calls.

#include <utility>

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// Gives `term` a variable, defined at the end of `body`.
void HoistInto(Compilation& compilation, TermPtr& term, Body& body) {
  ExprPtr expr = compilation.NewEquality(std::move(term));
  term = Clone(*expr->terms[1]);
  std::vector<ExprPtr> added;
  added.push_back(std::move(expr));
  AppendToBody(body, std::move(added));
}

Visitor ComprehensionHoister(Compilation& compilation) {
  Visitor visitor;
  visitor.term = [&compilation](Term& term) {
    if (!IsComprehension(term)) {
      return true;
    }
    for (TermPtr& item : term.items) {
      if (RequiresEvaluation(*item)) {
        HoistInto(compilation, item, term.body);
      }
    }
    return true;
  };
  return visitor;
}

std::vector<With> CloneWith(const std::vector<With>& with) {
  std::vector<With> copy;
  for (const With& one : with) {
    copy.push_back({Clone(*one.target), Clone(*one.value), one.location});
  }
  return copy;
}

class DynamicHoister {
 public:
  explicit DynamicHoister(Compilation& compilation) : compilation_(compilation) {}

  void Hoist(Body& body) {
    Body result;
    for (ExprPtr& expr : body) {
      HoistExpr(*expr, result);
      result.push_back(std::move(expr));
    }
    body = std::move(result);
    Renumber(body);
  }

 private:
  void HoistExpr(Expr& expr, Body& result) {
    switch (expr.kind) {
      case ExprKind::kCall:
        if (IsEquality(expr)) {
          if (expr.terms.size() != 3) {
            return;
          }
          HoistInside(expr, expr.terms[1], result);
          HoistInside(expr, expr.terms[2], result);
          return;
        }
        for (std::size_t i = 1; i < expr.terms.size(); ++i) {
          HoistOne(expr, expr.terms[i], result);
        }
        return;
      case ExprKind::kTerm:
        return HoistInside(expr, expr.terms[0], result);
      case ExprKind::kEvery:
        HoistOne(expr, expr.terms[2], result);
        break;
      default:
        break;
    }
    Hoist(expr.body);
    Hoist(expr.right);
  }

  // The term itself may stay a reference or comprehension; what it holds may not.
  void HoistInside(const Expr& original, TermPtr& term, Body& result) {
    if (term->kind == TermKind::kRef) {
      for (std::size_t i = 1; i < term->items.size(); ++i) {
        HoistOne(original, term->items[i], result);
      }
    } else if (IsComprehension(*term)) {
      Hoist(term->body);
    } else {
      HoistOne(original, term, result);
    }
  }

  void HoistOne(const Expr& original, TermPtr& term, Body& result) {
    switch (term->kind) {
      case TermKind::kRef:
        for (std::size_t i = 1; i < term->items.size(); ++i) {
          HoistOne(original, term->items[i], result);
        }
        break;
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
        Hoist(term->body);
        break;
      case TermKind::kArray:
      case TermKind::kObject:
      case TermKind::kSet:
        for (TermPtr& item : term->items) {
          HoistOne(original, item, result);
        }
        return;
      default:
        return;
    }
    TermPtr subject = Clone(*term);
    ExprPtr expr = compilation_.NewEquality(std::move(term));
    expr->with = CloneWith(original.with);
    term = Clone(*expr->terms[1]);
    compilation_.subjects[term->text] = std::move(subject);
    result.push_back(std::move(expr));
  }

  Compilation& compilation_;
};

}  // namespace

void HoistComprehensionTerms(Compilation& compilation) {
  Visitor visitor = ComprehensionHoister(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(*rule, visitor);
    }
  }
}

void HoistComprehensionTerms(Compilation& compilation, Body& query) {
  Walk(query, ComprehensionHoister(compilation));
}

void HoistHeadTerms(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        if (rule->key && RequiresEvaluation(*rule->key)) {
          HoistInto(compilation, rule->key, rule->body);
        }
        if (rule->value && RequiresEvaluation(*rule->value)) {
          HoistInto(compilation, rule->value, rule->body);
        }
        for (TermPtr& argument : rule->arguments) {
          if (RequiresEvaluation(*argument)) {
            HoistInto(compilation, argument, rule->body);
          }
        }
      }
    }
  }
}

// From here on `a == b` is `a = b`: its variables are bound already.
void RewriteEquals(Compilation& compilation) {
  Visitor visitor;
  visitor.expr = [](Expr& expr) {
    if (Calls(expr, "equal") && expr.terms.size() == 3) {
      expr.terms[0]->items[0]->text = "eq";
    }
    return true;
  };
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(*rule, visitor);
    }
  }
}

void HoistDynamicTerms(Compilation& compilation) {
  DynamicHoister hoister(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        hoister.Hoist(rule->body);
      }
    }
  }
}

void HoistDynamicTerms(Compilation& compilation, Body& query) {
  DynamicHoister(compilation).Hoist(query);
}

}  // namespace portcullis::rego
