// Template strings become calls: $"a{x}" is internal.template_string(["a", {__local0__ | __local0__ = x}]), where a part that is
// undefined is an empty set.

#include <algorithm>
#include <utility>

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

class TemplateRewriter {
 public:
  explicit TemplateRewriter(Compilation& compilation) : compilation_(compilation) {}

  // What was found, to be told after a whole rule or query.
  [[nodiscard]] std::vector<Diagnostic> TakeErrors() { return std::exchange(errors_, {}); }

  // Rewrites the templates of a body; what is safe after it comes back.
  VarSet Rewrite(Body& body, const VarSet& globals) {
    VarSet safe = OutputVars(body, compilation_.arity, globals);
    Insert(safe, globals);
    for (ExprPtr& expr : body) {
      Rewrite(*expr, safe);
    }
    return safe;
  }

  void Rewrite(Term& term, const VarSet& safe) {
    if (term.kind == TermKind::kTemplateString) {
      Nested([&] {
        for (TermPtr& item : term.items) {
          if (item->kind == TermKind::kTemplateExpression) {
            Rewrite(*item->body[0], safe);
          }
        }
      });
      return RewriteTemplate(term, safe);
    }
    if (IsComprehension(term)) {
      return Nested([&] {
        VarSet inner = Rewrite(term.body, safe);
        for (TermPtr& item : term.items) {
          Rewrite(*item, inner);
        }
      });
    }
    for (TermPtr& item : term.items) {
      Rewrite(*item, safe);
    }
  }

 private:
  // OPA comes by what is nested twice, and so tells its errors twice.
  template <class Part>
  void Nested(const Part& part) {
    const std::size_t before = errors_.size();
    part();
    const std::vector<Diagnostic> again(errors_.begin() + static_cast<std::ptrdiff_t>(before),
                                        errors_.end());
    errors_.insert(errors_.end(), again.begin(), again.end());
  }

  void Rewrite(Expr& expr, const VarSet& safe) {
    for (TermPtr& term : expr.terms) {
      if (term) {
        Rewrite(*term, safe);
      }
    }
    VarSet inner = safe;
    if (expr.kind == ExprKind::kEvery) {
      Insert(inner, EveryVars(expr));
    }
    if (expr.kind == ExprKind::kEvery) {
      Nested([&] { Rewrite(expr.body, inner); });
    } else {
      // Here OPA does not look at what the body itself binds.
      for (Body* body : {&expr.body, &expr.right}) {
        for (ExprPtr& part : *body) {
          Rewrite(*part, safe);
        }
      }
    }
    for (With& with : expr.with) {
      Rewrite(*with.target, safe);
      Rewrite(*with.value, safe);
    }
  }

  void RewriteTemplate(Term& term, const VarSet& safe) {
    auto parts = std::make_unique<Term>();
    parts->kind = TermKind::kArray;
    parts->location = term.location;
    if (term.items.empty()) {
      parts->items.push_back(NewString("", term.location));
    }
    for (TermPtr& item : term.items) {
      TermPtr part = item->kind == TermKind::kTemplateExpression ? Part(*item->body[0], safe)
                                                                 : std::move(item);
      if (part) {
        parts->items.push_back(std::move(part));
      }
    }
    term.kind = TermKind::kCall;
    term.items.clear();
    term.items.push_back(NewOperator("internal.template_string", term.location));
    term.items.push_back(std::move(parts));
  }

  TermPtr Part(Expr& expr, const VarSet& safe) {
    TermPtr value;
    if (expr.kind == ExprKind::kCall) {
      const builtins::Builtin* builtin = compilation_.FindBuiltin(*expr.terms[0]);
      if (builtin != nullptr && builtin->relation) {
        errors_.push_back(CompileError(expr.location, "illegal call to relation built-in '" +
                                                          std::string(builtin->name) +
                                                          "' that may cause multiple outputs"));
        return nullptr;
      }
      value = std::make_unique<Term>();
      value->kind = TermKind::kCall;
      value->items = std::move(expr.terms);  // OPA gives it no location.
    } else if (expr.kind == ExprKind::kTerm) {
      value = std::move(expr.terms[0]);
    } else {
      errors_.push_back(CompileError(expr.location, "unexpected template-string expression type"));
      return nullptr;
    }
    auto set = std::make_unique<Term>();
    set->location = value->location;
    if (value->IsVar() || (value->kind == TermKind::kRef && IsAlwaysDefined(*value))) {
      set->kind = TermKind::kSet;
      set->items.push_back(std::move(value));
      return set;
    }
    for (const std::string& var : Difference(VarsOf(*value, VarWalk::Safety()), safe)) {
      std::string name = compilation_.Written(var);
      if (name.starts_with('$')) {
        name = "_";
      }
      errors_.push_back(CompileError(value->location, "var " + name + " is undeclared"));
    }
    Location location = value->location;
    TermPtr variable = NewVar(compilation_.names.Next(), location);
    set->kind = TermKind::kSetComprehension;
    set->items.push_back(Clone(*variable));
    ExprPtr capture = NewCallExpr("eq", std::move(variable), std::move(value), location);
    capture->with = std::move(expr.with);
    set->body.push_back(std::move(capture));
    return set;
  }

  // A rule that has a default, a set, or a constant.
  [[nodiscard]] bool IsAlwaysDefined(const Term& ref) const {
    if (ref.items.size() < 2 || !ref.items[0]->IsVar() || ref.items[0]->text != "data") {
      return false;
    }
    const RuleNode* node = compilation_.tree->Find(ref);
    if (node == nullptr || node->rules.empty()) {
      return false;
    }
    const Rule& first = *node->rules.front();
    if (first.IsFunction()) {
      return false;
    }
    if (first.is_default || !first.value) {
      return true;
    }
    if (node->rules.size() == 1) {
      return IsConstant(first);
    }
    return std::any_of(node->rules.begin() + 1, node->rules.end(),
                       [](const Rule* r) { return r->is_default; });
  }

  static bool IsConstant(const Rule& rule) {
    if (rule.body.size() != 1 || rule.body[0]->kind != ExprKind::kTerm) {
      return false;
    }
    const Term& only = *rule.body[0]->terms[0];
    if (only.kind != TermKind::kBoolean || !only.boolean) {
      return false;
    }
    switch (rule.value->kind) {
      case TermKind::kArray:
      case TermKind::kObject:
      case TermKind::kSet:
        return IsGround(*rule.value);
      default:
        return rule.value->IsScalar() || rule.value->IsVar();
    }
  }

  Compilation& compilation_;
  std::vector<Diagnostic> errors_;
};

}  // namespace

void RewriteTemplates(Compilation& compilation) {
  TemplateRewriter rewriter(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        VarSet safe = RootVars();
        for (const TermPtr& argument : rule->arguments) {
          Insert(safe, VarsOf(*argument));
        }
        VarSet after = rewriter.Rewrite(rule->body, safe);
        if (rule->key) {
          rewriter.Rewrite(*rule->key, after);
        }
        if (rule->value) {
          rewriter.Rewrite(*rule->value, after);
        }
        compilation.errors.Add(rewriter.TakeErrors());
      }
    }
  }
}

void RewriteTemplates(Compilation& compilation, Body& query) {
  TemplateRewriter rewriter(compilation);
  rewriter.Rewrite(query, RootVars());
  compilation.errors.Add(rewriter.TakeErrors());
}

}  // namespace portcullis::rego
