// print(…): erased, or its arguments wrapped so that an undefined one does not end the body.

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

bool IsPrint(const Expr& expr) {
  return Calls(expr, "print");
}

void Erase(Body& body) {
  Visitor visitor;
  visitor.term = [](Term& term) { return Erase(term.body), true; };
  visitor.expr = [](Expr& expr) {
    Erase(expr.body);
    Erase(expr.right);
    return true;
  };
  if (body.empty()) {
    return;
  }
  Location location = body[0]->location;
  std::erase_if(body, [](const ExprPtr& expr) { return IsPrint(*expr); });
  if (body.empty()) {
    auto expr = std::make_unique<Expr>();
    expr->location = location;
    expr->terms.push_back(std::make_unique<Term>());
    expr->terms[0]->kind = TermKind::kBoolean;
    expr->terms[0]->boolean = true;
    expr->terms[0]->location = location;
    body.push_back(std::move(expr));
  }
  Renumber(body);
  Walk(body, visitor);
}

class PrintRewriter {
 public:
  explicit PrintRewriter(Compilation& compilation) : compilation_(compilation) {}

  void Rewrite(Body& body, const VarSet& globals) {
    VarSet safe = globals;
    for (ExprPtr& expr : body) {
      VarSet inner = safe;
      RewriteNested(*expr, inner);
      if (IsPrint(*expr)) {
        RewriteOne(*expr, safe);
      }
      Insert(safe, OutputVars(*expr, compilation_.arity, safe));
      for (const std::string& var : VarsOf(*expr)) {
        if (var.starts_with("__local")) {
          safe.insert(var);
        }
      }
    }
  }

  void RewriteNested(Term& term, VarSet& safe) { Walk(term, Nested(safe)); }

 private:
  Visitor Nested(VarSet& safe) {
    Visitor visitor;
    visitor.term = [this, &safe](Term& term) {
      if (!IsComprehension(term)) {
        return true;
      }
      Rewrite(term.body, safe);
      return false;
    };
    visitor.expr = [this, &safe](Expr& expr) {
      if (expr.body.empty()) {
        return true;
      }
      if (expr.kind == ExprKind::kEvery) {
        Insert(safe, EveryVars(expr));
      }
      Rewrite(expr.body, safe);
      Rewrite(expr.right, safe);
      return false;
    };
    return visitor;
  }

  void RewriteNested(Expr& expr, VarSet& safe) { Walk(expr, Nested(safe)); }

  // print(x) is internal.print([{__local0__ | __local0__ = x}]).
  void RewriteOne(Expr& expr, const VarSet& safe) {
    bool failed = false;
    for (std::size_t i = 1; i < expr.terms.size(); ++i) {
      for (const std::string& var : Difference(VarsOf(*expr.terms[i], VarWalk::Safety()), safe)) {
        std::string name = compilation_.Written(var);
        if (name.starts_with('$')) {
          name = "_";
        }
        compilation_.errors.Add(
            CompileError(expr.terms[i]->location, "var " + name + " is undeclared"));
        failed = true;
      }
    }
    if (failed) {
      return;
    }
    auto operands = std::make_unique<Term>();
    operands->kind = TermKind::kArray;
    operands->location = expr.location;
    for (std::size_t i = 1; i < expr.terms.size(); ++i) {
      Location location = expr.terms[i]->location;
      TermPtr variable = NewVar(compilation_.names.Next(), location);
      auto set = std::make_unique<Term>();
      set->kind = TermKind::kSetComprehension;
      set->location = location;
      set->items.push_back(Clone(*variable));
      set->body.push_back(
          NewCallExpr("eq", std::move(variable), std::move(expr.terms[i]), location));
      operands->items.push_back(std::move(set));
    }
    expr.terms.clear();
    expr.terms.push_back(NewOperator("internal.print", expr.location));
    expr.terms.push_back(std::move(operands));
  }

  Compilation& compilation_;
};

void Erase(Rule& rule) {
  Visitor visitor;
  visitor.term = [](Term& term) { return Erase(term.body), true; };
  if (rule.key) {
    Walk(*rule.key, visitor);
  }
  if (rule.value) {
    Walk(*rule.value, visitor);
  }
  Erase(rule.body);
}

}  // namespace

void RewritePrints(Compilation& compilation) {
  PrintRewriter rewriter(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        if (!compilation.options.keep_prints) {
          Erase(*rule);
          continue;
        }
        VarSet globals = RootVars();
        for (const TermPtr& argument : rule->arguments) {
          Insert(globals, VarsOf(*argument));
        }
        if (rule->key) {
          rewriter.RewriteNested(*rule->key, globals);
        }
        if (rule->value) {
          rewriter.RewriteNested(*rule->value, globals);
        }
        rewriter.Rewrite(rule->body, globals);
      }
    }
  }
}

void RewritePrints(Compilation& compilation, Body& query) {
  if (compilation.options.keep_prints) {
    PrintRewriter(compilation).Rewrite(query, RootVars());
  } else {
    Erase(query);
  }
}

}  // namespace portcullis::rego
