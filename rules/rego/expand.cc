// Calls inside of terms become expressions of their own, before the one they are in: f(g(x)) is g(x, __local0__); f(__local0__).

#include <iterator>

#include "rules/rego/compilation.h"

namespace portcullis::rego {
namespace {

std::vector<With> CloneWith(const std::vector<With>& with) {
  std::vector<With> copy;
  for (const With& one : with) {
    copy.push_back({Clone(*one.target), Clone(*one.value), one.location});
  }
  return copy;
}

class Expander {
 public:
  explicit Expander(Compilation& compilation) : compilation_(compilation) {}

  using Exprs = std::vector<ExprPtr>;

  void Expand(Rule& rule) {
    for (TermPtr& argument : rule.arguments) {
      ExpandInto(argument, rule.body);
    }
    if (rule.key) {
      ExpandInto(rule.key, rule.body);
    }
    if (rule.value) {
      ExpandInto(rule.value, rule.body);
    }
    Expand(rule.body);
  }

  void Expand(Body& body) {
    Body expanded;
    for (ExprPtr& expr : body) {
      Expand(std::move(expr), expanded);
    }
    body = std::move(expanded);
    Renumber(body);
  }

 private:
  void ExpandInto(TermPtr& term, Body& body) {
    Exprs support;
    Expand(term, support);
    AppendToBody(body, std::move(support));
  }

  void Expand(ExprPtr expr, Body& out) {
    for (With& with : expr->with) {
      Expand(with.value, out);
    }
    switch (expr->kind) {
      case ExprKind::kTerm:
      case ExprKind::kCall:
        for (std::size_t i = expr->kind == ExprKind::kCall ? 1 : 0; i < expr->terms.size(); ++i) {
          Exprs support;
          Expand(expr->terms[i], support);
          for (ExprPtr& extra : support) {
            extra->with = CloneWith(expr->with);
            out.push_back(std::move(extra));
          }
        }
        break;
      case ExprKind::kEvery: {
        ExprPtr domain = compilation_.NewEquality(std::move(expr->terms[2]));
        domain->with = CloneWith(expr->with);
        expr->terms[2] = Clone(*domain->terms[1]);
        Expand(std::move(domain), out);
        Expand(expr->body);
        break;
      }
      default:
        Expand(expr->body);
        Expand(expr->right);
    }
    out.push_back(std::move(expr));
  }

  void Expand(TermPtr& term, Exprs& support) {
    switch (term->kind) {
      case TermKind::kCall: {
        for (std::size_t i = 1; i < term->items.size(); ++i) {
          Expand(term->items[i], support);
        }
        auto expr = std::make_unique<Expr>();
        expr->kind = ExprKind::kCall;
        expr->location = term->location;
        expr->generated = true;
        expr->terms = std::move(term->items);
        expr->terms.push_back(NewVar(compilation_.names.Next(), term->location));
        term = Clone(*expr->terms.back());
        support.push_back(std::move(expr));
        return;
      }
      case TermKind::kRef:
        return ExpandRef(*term, support);
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
        for (TermPtr& item : term->items) {
          ExpandInto(item, term->body);
        }
        Expand(term->body);
        return;
      default:
        for (TermPtr& item : term->items) {
          Expand(item, support);
        }
    }
  }

  void ExpandRef(Term& ref, Exprs& support) {
    for (TermPtr& item : ref.items) {
      TermPtr call = item->kind == TermKind::kCall ? Clone(*item) : nullptr;
      Expand(item, support);
      if (call) {
        compilation_.subjects[item->text] = std::move(call);
      }
    }
    // [1, 2][i] is __local0__ = [1, 2]; __local0__[i].
    TermPtr& head = ref.items[0];
    bool composite = head->kind == TermKind::kArray || head->kind == TermKind::kObject ||
                     head->kind == TermKind::kSet || IsComprehension(*head);
    if (!composite) {
      return;
    }
    TermPtr subject = Clone(*head);
    ExprPtr expr = compilation_.NewEquality(std::move(head));
    head = Clone(*expr->terms[1]);
    compilation_.subjects[head->text] = std::move(subject);
    support.push_back(std::move(expr));
  }

  Compilation& compilation_;
};

}  // namespace

void ExpandTerms(Compilation& compilation) {
  Expander expander(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        expander.Expand(*rule);
      }
    }
  }
}

void ExpandTerms(Compilation& compilation, Body& query) {
  Expander(compilation).Expand(query);
}

}  // namespace portcullis::rego
