// Template strings become calls: $"a{x}" is internal.template_string(["a", {__local0__ | __local0__ = x}]), where a part that is
// undefined is an empty set.

#include <algorithm>

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// OPA's kind of an expression that cannot stand in a template.
std::string_view GoTypeOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNot:
      return "*ast.Not";
    case ExprKind::kAnd:
      return "*ast.LogicalAnd";
    default:
      return "*ast.LogicalOr";
  }
}

// Goes as OPA does, whose way shows in the errors: a template before those in its parts; closures for themselves first, and
// then once more what is left in them, with the variables that are safe around them.
class TemplateRewriter {
 public:
  explicit TemplateRewriter(Compilation& compilation, bool is_query = false)
      : compilation_(compilation), is_query_(is_query) {}

  // Rewrites the templates of a body; what is safe after it comes back.
  VarSet Rewrite(Body& body, const VarSet& globals) {
    VarSet safe = OutputVars(body, compilation_.arity, globals);
    Insert(safe, globals);
    Visit(body, safe);
    return safe;
  }

  void Visit(Term& term, const VarSet& safe) {
    if (IsFull()) {
      return;
    }
    RewriteTemplate(term, safe);
    if (IsComprehension(term)) {
      const std::size_t before = errors.size();
      const VarSet inner = Rewrite(term.body, safe);
      for (TermPtr& item : term.items) {
        RewriteTemplate(*item, inner);
      }
      for (TermPtr& item : term.items) {
        Visit(*item, safe);
      }
      if (errors.size() != before) {
        Visit(term.body, safe);
      }
      return;
    }
    VisitParts(term, safe);
  }

  std::vector<Diagnostic> errors;

 private:
  static constexpr std::size_t kEnough = 11;  // More are not shown.
  [[nodiscard]] bool IsFull() const { return errors.size() >= kEnough; }

  void VisitParts(Term& term, const VarSet& safe) {
    for (TermPtr& item : term.items) {
      Visit(*item, safe);
    }
    Visit(term.body, safe);
  }

  void Visit(Body& body, const VarSet& safe) {
    for (ExprPtr& expr : body) {
      Visit(*expr, safe);
    }
  }

  void Visit(Expr& expr, const VarSet& safe) {
    if (expr.kind == ExprKind::kEvery && !VisitEvery(expr, safe)) {
      return;
    }
    for (TermPtr& term : expr.terms) {
      if (term) {
        Visit(*term, safe);
      }
    }
    Visit(expr.body, safe);
    Visit(expr.right, safe);
    for (With& with : expr.with) {
      Visit(*with.target, safe);
      Visit(*with.value, safe);
    }
  }

  // False: nothing is left in it.
  bool VisitEvery(Expr& every, const VarSet& safe) {
    const std::size_t before = errors.size();
    Visit(*every.terms[2], safe);
    VarSet inner = safe;
    Insert(inner, EveryVars(every));
    Rewrite(every.body, inner);
    for (With& with : every.with) {
      Visit(*with.target, safe);
      Visit(*with.value, safe);
    }
    return errors.size() != before;
  }

  // Leaves a wrong template as it is.
  void RewriteTemplate(Term& term, const VarSet& safe) {
    if (term.kind != TermKind::kTemplateString || IsFull()) {
      return;
    }
    const std::size_t before = errors.size();
    for (const TermPtr& item : term.items) {
      if (item->kind == TermKind::kTemplateExpression) {
        CheckPart(*item->body[0], safe);
      }
    }
    if (errors.size() != before) {
      return;
    }
    auto parts = std::make_unique<Term>();
    parts->kind = TermKind::kArray;
    parts->location = term.location;
    if (term.items.empty()) {
      parts->items.push_back(NewString("", term.location));
    }
    for (TermPtr& item : term.items) {
      parts->items.push_back(item->kind == TermKind::kTemplateExpression ? Part(*item->body[0])
                                                                         : std::move(item));
    }
    term.kind = TermKind::kCall;
    term.items.clear();
    term.items.push_back(NewOperator("internal.template_string", term.location));
    term.items.push_back(std::move(parts));
  }

  void Fail(const Location& location, std::string message) {
    errors.push_back(CompileError(location, std::move(message)));
  }

  void CheckPart(const Expr& expr, const VarSet& safe) {
    if (expr.kind == ExprKind::kCall) {
      const builtins::Builtin* builtin = compilation_.FindBuiltin(*expr.terms[0]);
      if (builtin != nullptr && builtin->relation) {
        return Fail({}, "illegal call to relation built-in '" + std::string(builtin->name) +
                            "' that may cause multiple outputs");
      }
      Term call;
      call.kind = TermKind::kCall;
      for (const TermPtr& term : expr.terms) {
        call.items.push_back(Clone(*term));
      }
      return CheckVars(call, safe);
    }
    if (expr.kind != ExprKind::kTerm) {
      return Fail(expr.location,
                  "unexpected template-string expression type: " + std::string(GoTypeOf(expr)));
    }
    const Term& term = *expr.terms[0];
    if (!term.IsVar() && !(term.kind == TermKind::kRef && IsAlwaysDefined(term))) {
      CheckVars(term, safe);
    }
  }

  void CheckVars(const Term& value, const VarSet& safe) {
    for (const std::string& var : Difference(VarsOf(value, VarWalk::Safety()), safe)) {
      // OPA knows what the author wrote in modules only.
      const std::string name = is_query_ ? var : compilation_.Written(var);
      Fail(value.location, "var " + (name.starts_with('$') ? "_" : name) + " is undeclared");
    }
  }

  // Of a call OPA does not know the place.
  TermPtr Part(Expr& expr) {
    TermPtr value;
    if (expr.kind == ExprKind::kCall) {
      value = std::make_unique<Term>();
      value->kind = TermKind::kCall;
      value->items = std::move(expr.terms);
    } else {
      value = std::move(expr.terms[0]);
    }
    auto set = std::make_unique<Term>();
    set->location = value->location;
    if (value->IsVar() || (value->kind == TermKind::kRef && IsAlwaysDefined(*value))) {
      set->kind = TermKind::kSet;
      set->items.push_back(std::move(value));
      return set;
    }
    const Location location = value->location;
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
  const bool is_query_;
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
        const VarSet after = rewriter.Rewrite(rule->body, safe);
        for (TermPtr& argument : rule->arguments) {
          rewriter.Visit(*argument, after);
        }
        if (rule->key) {
          rewriter.Visit(*rule->key, after);
        }
        if (rule->value) {
          rewriter.Visit(*rule->value, after);
        }
      }
    }
  }
  compilation.errors.Add(std::move(rewriter.errors));
}

void RewriteTemplates(Compilation& compilation, Body& query) {
  TemplateRewriter rewriter(compilation, true);
  rewriter.Rewrite(query, RootVars());
  compilation.errors.Add(std::move(rewriter.errors));
}

}  // namespace portcullis::rego
