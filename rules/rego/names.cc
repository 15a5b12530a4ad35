// What names mean: imports and the package's own rules become full references.

#include <algorithm>
#include <set>

#include "rules/rego/compilation.h"
#include "rules/rego/local_renamer.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// OPA does not copy the terms of a package's or an import's path for each use: all uses have the place of the last one, which
// shows in errors about the references.
struct SharedPlace {
  Location last;
  std::vector<Term*> terms;

  void Add(Term& term, const Location& location) {
    last = location;
    terms.push_back(&term);
  }
  void Settle() {
    for (Term* term : terms) {
      term->location = last;
    }
  }
};

// A name that the module knows, and whether anything uses it.
struct Global {
  TermPtr reference;
  std::shared_ptr<SharedPlace> path;  // Of all items but the last.
  std::shared_ptr<SharedPlace> name;  // Of the last.
  bool used = false;
};
using Globals = std::map<std::string, Global, std::less<>>;

// `globals` by name, less the names that are declared around where the walk is.
class Resolver {
 public:
  explicit Resolver(Globals& globals) : globals_(globals) {}

  void Rule_(Rule& rule) {
    Push(ArgumentVars(rule.arguments));
    Push(DeclaredVars(rule.body));
    for (std::size_t i = 1; i < rule.reference->items.size(); ++i) {
      Resolve(rule.reference->items[i]);
    }
    if (rule.key) {
      Resolve(rule.key);
    }
    if (rule.value) {
      Resolve(rule.value);
    }
    Resolve(rule.body);
    Pop();
    Pop();
  }

  void Query(Body& body) {
    Push(DeclaredVars(body));
    Resolve(body);
    Pop();
  }

 private:
  void Push(VarSet declared) { declared_.push_back(std::move(declared)); }
  void Pop() { declared_.pop_back(); }

  static VarSet DeclaredVars(const Body& body) {
    VarSet declared;
    ConstVisitor visitor;
    visitor.term = [](const Term& term) { return !IsComprehension(term); };
    visitor.expr = [&](const Expr& expr) { return Insert(declared, DeclaredBy(expr)), true; };
    Walk(body, visitor);
    return declared;
  }

  // What arguments bind: keys of objects, sets, calls and comprehensions are not matched.
  static VarSet ArgumentVars(const std::vector<TermPtr>& arguments) {
    VarSet vars;
    auto add = [&](auto& self, const Term& term) -> void {
      if (term.IsVar()) {
        vars.insert(term.text);
      }
      if (term.kind == TermKind::kSet || term.kind == TermKind::kCall || IsComprehension(term)) {
        return;
      }
      for (const TermPtr& item : term.items) {
        self(self, *item);
      }
    };
    for (const TermPtr& argument : arguments) {
      add(add, *argument);
    }
    return vars;
  }

  Global* Find(const std::string& name) {
    auto found = globals_.find(name);
    if (found == globals_.end()) {
      return nullptr;
    }
    for (const VarSet& declared : declared_) {
      if (declared.contains(name)) {
        return nullptr;
      }
    }
    found->second.used = true;
    return &found->second;
  }

  static TermPtr At(const Global& global, const Location& location) {
    TermPtr copy = Clone(*global.reference);
    copy->location = location;
    for (TermPtr& item : copy->items) {
      (&item == &copy->items.back() ? global.name : global.path)->Add(*item, location);
    }
    return copy;
  }

  void Resolve(Body& body) {
    for (ExprPtr& expr : body) {
      Resolve(*expr);
    }
  }

  void Resolve(Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kSome:
        if (expr.terms[0]->kind == TermKind::kCall) {
          Resolve(expr.terms[0]);
        }
        break;
      case ExprKind::kEvery:
        Push(EveryVars(expr));
        Resolve(expr.terms[2]);
        Resolve(expr.body);
        Pop();
        break;
      default:
        for (TermPtr& term : expr.terms) {
          Resolve(term);
        }
        Resolve(expr.body);
        Resolve(expr.right);
    }
    for (With& with : expr.with) {
      Resolve(with.target);
      Resolve(with.value);
    }
  }

  void Resolve(TermPtr& term) {
    if (term->IsVar()) {
      if (Global* global = Find(term->text)) {
        term = At(*global, term->location);
      }
      return;
    }
    if (term->kind == TermKind::kRef) {
      return ResolveRef(*term);
    }
    bool scope = IsComprehension(*term);
    if (scope) {
      Push(DeclaredVars(term->body));
    }
    for (TermPtr& item : term->items) {
      Resolve(item);
    }
    Resolve(term->body);
    if (scope) {
      Pop();
    }
  }

  void ResolveRef(Term& ref) {
    TermPtr prefix;
    if (Term& head = *ref.items[0]; !head.IsVar()) {
      Resolve(ref.items[0]);
    } else if (Global* global = Find(head.text)) {
      prefix = At(*global, head.location);
    }
    for (std::size_t i = 1; i < ref.items.size(); ++i) {
      Resolve(ref.items[i]);
    }
    if (prefix != nullptr) {
      ref.items.erase(ref.items.begin());
      ref.items.insert(ref.items.begin(), std::make_move_iterator(prefix->items.begin()),
                       std::make_move_iterator(prefix->items.end()));
    }
  }

  Globals& globals_;
  std::vector<VarSet> declared_;
};

bool IsLanguageImport(const Import& import) {
  const std::string& root = import.path->items[0]->text;
  return root == "future" || root == "rego";
}

Globals GlobalsOf(const Module& module, const std::vector<std::unique_ptr<Module>>& modules) {
  Globals globals;
  const auto package = std::make_shared<SharedPlace>();
  for (const std::unique_ptr<Module>& other : modules) {
    if (other->package != module.package) {
      continue;
    }
    for (const std::unique_ptr<Rule>& rule : other->rules) {
      const Term& name = *rule->reference->items[0];
      std::vector<TermPtr> items;
      items.push_back(NewVar("data", name.location));
      for (const std::string& part : module.package) {
        items.push_back(NewString(part, name.location));
      }
      items.push_back(NewString(name.text, name.location));
      globals[name.text] = {NewRef(std::move(items), name.location), package,
                            std::make_shared<SharedPlace>()};
    }
  }
  for (const Import& import : module.imports) {
    if (!IsLanguageImport(import)) {
      const auto path = std::make_shared<SharedPlace>();
      globals[std::string(import.Name())] = {Clone(*import.path), path, path};
    }
  }
  return globals;
}

// An argument that is `input` or `data` would need another name everywhere.
const Term* FindRootArgument(const Rule& rule) {
  const Term* found = nullptr;
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (term.kind == TermKind::kRef && term.items.size() == 1 &&
        RootVars().contains(term.items[0]->text)) {
      found = &term;
    }
    return found == nullptr && term.kind != TermKind::kSet && term.kind != TermKind::kCall &&
           !IsComprehension(term);
  };
  for (const TermPtr& argument : rule.arguments) {
    Walk(*argument, visitor);
  }
  return found;
}

std::string ImportText(const Import& import) {
  std::string text = "import " + ToString(*import.path);
  return import.alias.empty() ? text : text + " as " + import.alias;
}

}  // namespace

void ResolveNames(Compilation& compilation) {
  std::vector<Diagnostic> unused;
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    Globals globals = GlobalsOf(*module, compilation.modules);
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        if (const Term* argument = FindRootArgument(*rule)) {
          compilation.errors.Add(CompileError(
              rule->location,
              "args must not shadow " + ToString(*argument) + " (use a different variable name)"));
          break;
        }
        Resolver(globals).Rule_(*rule);
      }
    }
    for (const auto& [name, global] : globals) {
      global.path->Settle();
      global.name->Settle();
    }
    if (!compilation.options.strict) {
      continue;
    }
    for (const Import& import : module->imports) {
      if (IsLanguageImport(import)) {
        continue;
      }
      auto global = globals.find(import.Name());
      if (global != globals.end() && !global->second.used) {
        unused.push_back(CompileError(import.location, ImportText(import) + " unused"));
      }
    }
  }
  if (!compilation.errors.stops()) {
    compilation.errors.Add(std::move(unused), ErrorList::Kind::kRecoverable);
  }
}

void ResolveNames(Body& query, const Module* context,
                  const std::vector<std::unique_ptr<Module>>& modules) {
  Globals globals = context == nullptr ? Globals() : GlobalsOf(*context, modules);
  Resolver(globals).Query(query);
}

// p[x.y] { … } is p[__local0__] { …; __local0__ = x.y }: the keys in references are scalars and variables.
void RewriteHeadRefs(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      for (std::size_t i = 1; i < rule->reference->items.size(); ++i) {
        TermPtr& item = rule->reference->items[i];
        if (item->IsVar() || item->IsScalar()) {
          continue;
        }
        ExprPtr expr = compilation.NewEquality(std::move(item));
        item = Clone(*expr->terms[1]);
        std::vector<ExprPtr> added;
        added.push_back(std::move(expr));
        AppendToBody(rule->body, std::move(added));
      }
    }
  }
}

namespace {

bool IsStrict(const Compilation& compilation, const Module& module) {
  return compilation.options.strict || module.FollowsV1();
}

void CheckRootOverrides(const Rule& rule, std::vector<Diagnostic>& errors) {
  const std::string& name = rule.reference->items[0]->text;
  if (RootVars().contains(name)) {
    errors.push_back(CompileError(
        rule.location, "rules must not shadow " + name + " (use a different rule name)"));
  }
  for (const TermPtr& argument : rule.arguments) {
    if (argument->kind != TermKind::kRef || argument->items.size() != 1) {
      continue;
    }
    if (!RootVars().contains(argument->items[0]->text)) {
      continue;
    }
    errors.push_back(CompileError(
        argument->location,
        "args must not shadow " + ToString(*argument) + " (use a different variable name)"));
  }
}

void CheckRootAssignments(Rule& rule, std::vector<Diagnostic>& errors) {
  Visitor visitor;
  visitor.expr = [&](Expr& expr) {
    if (!IsAssignment(expr) || expr.terms.size() < 2) {
      return true;
    }
    std::string name = ToString(*expr.terms[1]);
    if (RootVars().contains(name)) {
      errors.push_back(CompileError(
          expr.location, "variables must not shadow " + name + " (use a different variable name)"));
    }
    return true;
  };
  Walk(rule, visitor);
}

}  // namespace

void CheckRootOverrides(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    if (!IsStrict(compilation, *module)) {
      continue;
    }
    std::vector<Diagnostic> errors;
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      CheckRootOverrides(*rule, errors);
    }
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      CheckRootAssignments(*rule, errors);
    }
    compilation.errors.Add(std::move(errors), ErrorList::Kind::kRecoverable);
  }
}

void CheckDuplicateImports(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    if (!IsStrict(compilation, *module)) {
      continue;
    }
    std::map<std::string_view, const Import*> seen;
    for (const Import& import : module->imports) {
      auto [first, added] = seen.emplace(import.Name(), &import);
      if (added) {
        continue;
      }
      compilation.errors.Add(
          CompileError(import.location, "import must not shadow " + ImportText(*first->second)),
          ErrorList::Kind::kRecoverable);
    }
  }
}

}  // namespace portcullis::rego
