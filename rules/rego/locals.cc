// Local variables get names of their own: `x := 1` becomes `__local0__ = 1`, `some x` goes, arguments are renamed.

#include <algorithm>

#include "rules/rego/local_renamer.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// Renames the variables of arguments, which may be patterns.
class ArgumentRenamer {
 public:
  ArgumentRenamer(Compilation& compilation, Scopes& scopes)
      : compilation_(compilation), scopes_(scopes) {}

  void Rename(Term& term) {
    switch (term.kind) {
      case TermKind::kVar:
        if (const std::string* name = scopes_.Find(term.text)) {
          std::string variable = term.text;
          term.text = *name;
          scopes_.Seen(variable);
        } else {
          std::string name_made = compilation_.names.Next();
          compilation_.written[name_made] = term.text;
          scopes_.Insert(term.text, name_made, Occurrence::kArgument);
          term.text = name_made;
        }
        return;
      case TermKind::kObject:
        for (std::size_t i = 1; i < term.items.size(); i += 2) {
          Rename(*term.items[i]);
        }
        return;
      case TermKind::kRef:
      case TermKind::kArray:
        for (TermPtr& item : term.items) {
          Rename(*item);
        }
        return;
      case TermKind::kCall:
        compilation_.errors.Add(CompileError(term.location, "rule arguments cannot contain calls"));
        return;
      default:
        return;
    }
  }

 private:
  Compilation& compilation_;
  Scopes& scopes_;
};

bool MayHaveVars(const Rule& rule) {
  auto not_scalar = [](const TermPtr& term) { return term && !term->IsScalar(); };
  return std::ranges::any_of(rule.arguments, not_scalar) || not_scalar(rule.key) ||
         not_scalar(rule.value) ||
         std::any_of(rule.reference->items.begin() + 1, rule.reference->items.end(), not_scalar);
}

class RuleRenamer {
 public:
  explicit RuleRenamer(Compilation& compilation) : compilation_(compilation) {}

  void Rename(Rule& first) {
    Scopes arguments;
    VarSet unused_arguments;
    if (compilation_.options.strict) {
      for (const TermPtr& argument : first.arguments) {
        Insert(unused_arguments, VarsOf(*argument));
      }
    }
    ArgumentRenamer renamer(compilation_, arguments);
    for (TermPtr& argument : first.arguments) {
      renamer.Rename(*argument);
    }
    for (Rule* rule = &first; rule != nullptr; rule = rule->else_rule.get()) {
      if (!RenameOne(*rule, arguments, unused_arguments)) {
        return;
      }
    }
    for (const std::string& argument : unused_arguments) {
      if (argument.starts_with('$')) {
        continue;
      }
      compilation_.errors.Add(
          CompileError(first.head_location, "unused argument " + argument +
                                                ". (hint: use _ (wildcard variable) instead)"),
          ErrorList::Kind::kRecoverable);
    }
  }

 private:
  bool RenameOne(Rule& rule, const Scopes& arguments, VarSet& unused_arguments) {
    bool has_vars = MayHaveVars(rule);
    VarSet used;
    if (has_vars) {
      // First the comprehensions in the head: their scopes are not the body's.
      for (TermPtr& argument : rule.arguments) {
        RenameNested(*argument);
      }
      if (rule.key) {
        RenameNested(*rule.key);
      }
      if (rule.value) {
        RenameNested(*rule.value);
      }
      for (std::size_t i = 1; i < rule.reference->items.size(); ++i) {
        Insert(used, VarsOf(*rule.reference->items[i]));
      }
      if (rule.key) {
        Insert(used, VarsOf(*rule.key));
      }
      if (rule.value && !rule.value->IsScalar()) {
        VarSet vars = VarsOf(*rule.value);
        Insert(used, vars);
        for (const std::string& var : vars) {
          unused_arguments.erase(var);
        }
      }
    }
    Renamer renamer(compilation_, arguments);
    RenameBuiltinNames(rule, renamer.scopes());
    renamer.Rename(rule.body, used);
    if (has_vars) {
      RenameHead(rule, renamer.scopes().Top());
    }
    if (!renamer.errors.empty() && !compilation_.errors.Add(std::move(renamer.errors))) {
      return false;
    }
    if (!renamer.unused.empty() &&
        !compilation_.errors.Add(std::move(renamer.unused), ErrorList::Kind::kRecoverable)) {
      return false;
    }
    std::erase_if(unused_arguments,
                  [&](const std::string& a) { return renamer.scopes().Count(a) > 1; });
    return true;
  }

  // OPA passes by objects and sets that it takes for ground: as {"a": [y | y := 1][0]}, where only the head of a reference is not.
  void RenameNested(Term& term) {
    const bool is_keyed = term.kind == TermKind::kObject || term.kind == TermKind::kSet;
    if (is_keyed && IsGround(term)) {
      Visitor visitor;
      visitor.expr = [](Expr& expr) {
        if (expr.kind == ExprKind::kSome) {
          expr.terms.clear();  // It stays, and does nothing.
        }
        return true;
      };
      Walk(term, visitor);
      return;
    }
    if (term.IsScalar()) {
      return;
    }
    if (IsComprehension(term) || term.kind == TermKind::kTemplateString) {
      Renamer renamer(compilation_, {});
      if (term.kind == TermKind::kTemplateString) {
        renamer.RenameTemplate(term);
      } else {
        renamer.RenameComprehension(term);
      }
      compilation_.errors.Add(std::move(renamer.errors));
      compilation_.errors.Add(std::move(renamer.unused), ErrorList::Kind::kRecoverable);
      return;
    }
    for (TermPtr& item : term.items) {
      RenameNested(*item);
    }
  }

  // A variable may have the name of a builtin; later stages would mistake it for the function.
  void RenameBuiltinNames(const Rule& rule, Scopes& scopes) {
    VarSet declared;
    ConstVisitor declarations;
    declarations.term = [](const Term& term) { return !IsComprehension(term); };
    declarations.expr = [&](const Expr& expr) {
      if (IsAssignment(expr) && expr.terms.size() == 3) {
        Insert(declared, VarsOf(*expr.terms[1]));
      }
      if (expr.kind != ExprKind::kSome) {
        return true;
      }
      for (const TermPtr& symbol : expr.terms) {
        Insert(declared, VarsOf(*symbol));
      }
      return true;
    };
    VarSet in_with;
    ConstVisitor modifiers;
    modifiers.expr = [&](const Expr& expr) {
      for (const With& with : expr.with) {
        Insert(in_with, VarsOf(*with.target, {.skip_call_operator = true}));
        Insert(in_with, VarsOf(*with.value, {.skip_call_operator = true}));
      }
      return true;
    };
    VarSet builtins;
    for (const std::string& var : VarsOf(rule.body, VarWalk::Safety())) {
      if (compilation_.catalog.Find(var) != nullptr) {
        builtins.insert(var);
      }
    }
    if (builtins.empty()) {
      return;
    }
    Walk(rule.body, declarations);
    Walk(rule.body, modifiers);
    for (const std::string& var : builtins) {
      if (declared.contains(var) || in_with.contains(var) || scopes.Find(var) != nullptr) {
        continue;
      }
      std::string name = compilation_.names.Next();
      compilation_.written[name] = var;
      scopes.Insert(var, std::move(name), Occurrence::kSeen);
    }
  }

  static void RenameHead(Rule& rule, const Scopes::Scope& scope) {
    Visitor visitor;
    visitor.term = [&](Term& term) {
      if (!term.IsVar()) {
        return true;
      }
      auto found = scope.entries.find(term.text);
      if (found != scope.entries.end()) {
        term.text = found->second.name;
      }
      return true;
    };
    for (TermPtr& argument : rule.arguments) {
      Walk(*argument, visitor);
    }
    for (std::size_t i = 1; i < rule.reference->items.size(); ++i) {
      Walk(*rule.reference->items[i], visitor);
    }
    if (rule.key) {
      Walk(*rule.key, visitor);
    }
    if (rule.value) {
      Walk(*rule.value, visitor);
    }
  }

  Compilation& compilation_;
};

}  // namespace

void RewriteLocals(Compilation& compilation) {
  RuleRenamer renamer(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      renamer.Rename(*rule);
    }
  }
}

void RewriteLocals(Compilation& compilation, Body& query) {
  Renamer renamer(compilation, {});
  renamer.of_query = true;
  renamer.Rename(query, {});
  for (const auto& [variable, entry] : renamer.scopes().Top().entries) {
    if (entry.name != variable) {
      compilation.query_names[entry.name] = variable;
    }
  }
  compilation.errors.Add(std::move(renamer.errors));
  compilation.errors.Add(std::move(renamer.unused));
}

}  // namespace portcullis::rego
