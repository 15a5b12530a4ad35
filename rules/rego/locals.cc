// Local variables get names of their own: `x := 1` becomes `__local0__ = 1`, `some x` goes, arguments are renamed.

#include <algorithm>

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

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

bool IsRootDocument(const Term& term) {
  return term.kind == TermKind::kRef && term.items.size() == 1 && term.items[0]->IsVar() &&
         RootVars().contains(term.items[0]->text);
}

class Renamer {
 public:
  Renamer(Compilation& compilation, Scopes scopes)
      : compilation_(compilation),
        strict_(compilation.options.strict),
        scopes_(std::move(scopes)) {}

  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> unused;  // Strict mode's.

  [[nodiscard]] Scopes& scopes() { return scopes_; }

  void Rename(Body& body, const VarSet& used) {
    Body kept;
    // For the reports of unused variables, which name what was written.
    std::vector<std::pair<Location, VarSet>> declarations;
    for (ExprPtr& expr : body) {
      declarations.emplace_back(expr->location, DeclaredBy(*expr));
      ExprPtr renamed = RenameStatement(std::move(expr));
      if (renamed) {
        kept.push_back(std::move(renamed));
      }
    }
    Location start = declarations.empty() ? Location() : declarations.front().first;
    if (kept.empty()) {
      kept.push_back(TrueExpr(start));
    }
    body = std::move(kept);
    Renumber(body);
    if (strict_) {
      CheckUnusedAssigned(body, used, start);
    }
    CheckUnusedDeclared(body, used, declarations);
  }

  void RenameExpr(Expr& expr) {
    for (TermPtr& term : expr.terms) {
      if (term) {
        RenameTerm(*term);
      }
    }
    RenameExprs(expr.body);
    RenameExprs(expr.right);
    for (With& with : expr.with) {
      RenameWith(with);
    }
  }

  void RenameTerm(Term& term) {
    switch (term.kind) {
      case TermKind::kVar:
        return RenameVar(term);
      case TermKind::kRef:
        if (IsRootDocument(term)) {
          return RenameRoot(term);
        }
        break;
      case TermKind::kCall:
        CheckOperator(term);
        break;
      case TermKind::kArrayComprehension:
      case TermKind::kSetComprehension:
      case TermKind::kObjectComprehension:
        return RenameComprehension(term);
      default:
        break;
    }
    for (TermPtr& item : term.items) {
      RenameTerm(*item);
    }
    RenameExprs(term.body);
  }

  // Each part has a scope of its own.
  void RenameTemplate(Term& term) {
    for (TermPtr& item : term.items) {
      if (item->kind != TermKind::kTemplateExpression) {
        continue;
      }
      scopes_.Push();
      RenameExpr(*item->body[0]);
      scopes_.Pop();
    }
  }

  void RenameComprehension(Term& term) {
    VarSet used;
    for (const TermPtr& item : term.items) {
      Insert(used, VarsOf(*item));
    }
    scopes_.Push();
    Rename(term.body, used);
    for (TermPtr& item : term.items) {
      RenameTerm(*item);
    }
    scopes_.Pop();
  }

 private:
  void Fail(const Location& location, std::string message) {
    errors.push_back(CompileError(location, std::move(message)));
  }

  static ExprPtr TrueExpr(const Location& location) {
    auto expr = std::make_unique<Expr>();
    auto term = std::make_unique<Term>();
    term->kind = TermKind::kBoolean;
    term->boolean = true;
    term->location = location;
    expr->terms.push_back(std::move(term));
    expr->location = location;
    return expr;
  }

  void RenameExprs(Body& body) {
    for (ExprPtr& expr : body) {
      RenameExpr(*expr);
    }
  }

  void RenameVar(Term& term) {
    if (const std::string* name = scopes_.Find(term.text)) {
      std::string variable = term.text;
      term.text = *name;
      scopes_.Seen(variable);
    } else {
      scopes_.Insert(term.text, term.text, Occurrence::kSeen);
    }
  }

  // `input` and `data` are what they are unless the rule declares them.
  void RenameRoot(Term& term) {
    std::string name = term.items[0]->text;
    Occurrence occurrence = scopes_.OccurrenceAnywhere(name);
    if (occurrence == Occurrence::kNew || occurrence == Occurrence::kSeen) {
      return;
    }
    const std::string* renamed = scopes_.Find(name);
    if (*renamed == name) {
      return;
    }
    term.kind = TermKind::kVar;
    term.text = *renamed;
    term.items.clear();
  }

  void CheckOperator(const Term& call) {
    for (const std::string& variable : VarsOf(*call.items[0])) {
      const std::string* name = scopes_.Find(variable);
      if (name == nullptr || *name == variable) {
        continue;
      }
      Fail(call.location, "called function " + ToString(*call.items[0]) + " shadowed");
    }
  }

  // `with input as …` means the document even where `input` is also a local.
  void RenameWith(With& with) {
    RenameTerm(*with.target);
    if (const std::string* shadow = scopes_.Find("input")) {
      Term& target = *with.target;
      if (target.IsVar() && target.text == *shadow) {
        std::vector<TermPtr> items;
        items.push_back(NewVar("input", target.location));
        with.target = NewRef(std::move(items), target.location);
      } else if (target.kind == TermKind::kRef && target.items[0]->IsVar() &&
                 target.items[0]->text == *shadow) {
        target.items[0]->text = "input";
      }
    }
    RenameTerm(*with.value);
  }

  // True: `gv` is the new name.
  bool Declare(const std::string& variable, Occurrence occurrence, const Location& location,
               std::string& name) {
    switch (scopes_.OccurrenceHere(variable)) {
      case Occurrence::kSeen:
        return Fail(location, "var " + Shown(variable) + " referenced above"), false;
      case Occurrence::kAssigned:
        return Fail(location, "var " + Shown(variable) + " assigned above"), false;
      case Occurrence::kDeclared:
        return Fail(location, "var " + Shown(variable) + " declared above"), false;
      case Occurrence::kArgument:
        return Fail(location, "arg " + Shown(variable) + " redeclared"), false;
      case Occurrence::kNew:
        break;
    }
    name = compilation_.names.Next();
    compilation_.written[name] = variable;
    scopes_.Insert(variable, name, occurrence);
    return true;
  }

  static std::string Shown(const std::string& variable) { return variable; }

  // Null: the statement is gone.
  ExprPtr RenameStatement(ExprPtr expr) {
    if (IsAssignment(*expr)) {
      return RenameAssignment(std::move(expr));
    }
    switch (expr->kind) {
      case ExprKind::kSome:
        return RenameSome(std::move(expr));
      case ExprKind::kEvery:
        return RenameEvery(std::move(expr));
      case ExprKind::kNot:
        RenameNot(*expr);
        return expr;
      case ExprKind::kAnd:
      case ExprKind::kOr:
        RenameLogical(*expr);
        return expr;
      default:
        RenameExpr(*expr);
        return expr;
    }
  }

  ExprPtr RenameAssignment(ExprPtr expr) {
    if (expr->negated) {
      Fail(expr->location, "cannot assign vars inside negated expression");
      return expr;
    }
    if (expr->terms.size() != 3) {
      return expr;
    }
    std::size_t before = errors.size();
    RenameTerm(*expr->terms[2]);
    for (With& with : expr->with) {
      RenameTerm(*with.value);
    }
    Assign(*expr->terms[1]);
    if (errors.size() == before) {
      expr->terms[0]->items[0]->text = "eq";
      expr->from_assignment = true;
    }
    return expr;
  }

  void Assign(Term& term) {
    switch (term.kind) {
      case TermKind::kVar: {
        std::string name;
        if (Declare(term.text, Occurrence::kAssigned, term.location, name)) {
          term.text = name;
        }
        return;
      }
      case TermKind::kArray:
        for (TermPtr& item : term.items) {
          Assign(*item);
        }
        return;
      case TermKind::kObject:
        for (std::size_t i = 1; i < term.items.size(); i += 2) {
          Assign(*term.items[i]);
        }
        return;
      case TermKind::kRef:
        if (IsRootDocument(term)) {
          std::string name;
          if (!Declare(term.items[0]->text, Occurrence::kAssigned, term.location, name)) {
            return;
          }
          term.kind = TermKind::kVar;
          term.text = name;
          term.items.clear();
          return;
        }
        break;
      default:
        break;
    }
    Fail(term.location, "cannot assign to " + std::string(KindName(term.kind)));
  }

  ExprPtr RenameEvery(ExprPtr expr) {
    RenameTerm(*expr->terms[2]);
    scopes_.Push();
    bool declared = DeclareEvery(*expr);
    if (declared) {
      Rename(expr->body, {});
      RenameExpr(*expr);
    }
    scopes_.Pop();
    return declared ? std::move(expr) : nullptr;
  }

  bool DeclareEvery(Expr& expr) {
    if (!expr.terms[0]) {
      expr.terms[0] = NewVar(compilation_.names.Next(), expr.terms[1]->location);
    }
    for (std::size_t i : {0U, 1U}) {
      Term& variable = *expr.terms[i];
      if (variable.IsWildcard() || variable.generated) {
        continue;
      }
      std::string name;
      if (!Declare(variable.text, Occurrence::kDeclared, expr.location, name)) {
        return false;
      }
      variable.text = name;
    }
    return true;
  }

  ExprPtr RenameSome(ExprPtr expr) {
    if (expr->terms[0]->kind == TermKind::kCall) {
      return RenameSomeIn(std::move(expr));
    }
    for (TermPtr& symbol : expr->terms) {
      std::string name;
      if (symbol->IsVar() && !Declare(symbol->text, Occurrence::kDeclared, expr->location, name)) {
        break;
      }
    }
    return nullptr;
  }

  // `some k, v in xs` is `v = xs[k]`, with what it binds declared.
  ExprPtr RenameSomeIn(ExprPtr expr) {
    std::vector<TermPtr>& call = expr->terms[0]->items;
    Location location = expr->terms[0]->location;
    TermPtr container = std::move(call.back());
    TermPtr value = std::move(call[call.size() - 2]);
    TermPtr key =
        call.size() == 4 ? std::move(call[1]) : NewVar(compilation_.names.Next(), location);
    constexpr VarWalk kBinding = {
        .skip_ref_head = true, .skip_object_keys = true, .skip_closures = true};
    VarSet bound = VarsOf(*key, kBinding);
    Insert(bound, VarsOf(*value, kBinding));
    bool failed = false;
    for (const std::string& variable :
         Intersection(bound, VarsOf(*container, {.skip_closures = true}))) {
      if (variable.starts_with('$')) {
        continue;
      }
      Fail(expr->location, "var " + variable + " assigned before");
      failed = true;
    }
    if (failed) {
      return nullptr;
    }
    VarSet known = VarsOf(*container);
    if (container->kind == TermKind::kRef) {
      container->items.push_back(std::move(key));
    } else {
      std::vector<TermPtr> items;
      items.push_back(std::move(container));
      items.push_back(std::move(key));
      container = NewRef(std::move(items), location);
    }
    expr->kind = ExprKind::kCall;
    expr->terms.clear();
    expr->terms.push_back(NewOperator("eq", location));
    expr->terms.push_back(std::move(value));
    expr->terms.push_back(std::move(container));
    for (const std::string& variable : EqualityOutputVars(*expr, known)) {
      std::string name;
      if (!Declare(variable, Occurrence::kDeclared, expr->location, name)) {
        return nullptr;
      }
    }
    RenameExpr(*expr);
    return expr;
  }

  void RenameNot(Expr& expr) {
    if (!expr.explicit_body) {
      std::size_t before = errors.size();
      RenameImplicit(expr.body, "cannot assign vars inside negated expression");
      if (errors.size() == before) {
        RenameExpr(expr);
      }
      return;
    }
    scopes_.Push();
    Rename(expr.body, {});
    RenameExpr(expr);
    scopes_.Pop();
  }

  void RenameLogical(Expr& expr) {
    std::size_t before = errors.size();
    const char* refusal = expr.kind == ExprKind::kAnd
                              ? "cannot assign vars inside implicit and operand"
                              : "cannot assign vars inside implicit or operand";
    RenameOperand(expr.body, expr.explicit_body, refusal);
    RenameOperand(expr.right, expr.explicit_right, refusal);
    if (errors.size() == before) {
      RenameExpr(expr);
    }
  }

  void RenameOperand(Body& body, bool explicit_body, const char* refusal) {
    if (!explicit_body) {
      return RenameImplicit(body, refusal);
    }
    scopes_.Push();
    Rename(body, {});
    scopes_.Pop();
  }

  // A body without braces is no scope: it may not declare anything.
  void RenameImplicit(Body& body, const char* refusal) {
    for (ExprPtr& expr : body) {
      if (IsAssignment(*expr)) {
        Fail(expr->location, refusal);
      } else if (expr->kind == ExprKind::kNot) {
        RenameNot(*expr);
      } else if (expr->kind == ExprKind::kAnd || expr->kind == ExprKind::kOr) {
        RenameLogical(*expr);
      }
    }
  }

  static VarSet DeclaredBy(const Expr& expr) {
    VarSet declared;
    if (IsAssignment(expr) && expr.terms.size() == 3) {
      Insert(declared, VarsOf(*expr.terms[1]));
    }
    if (expr.kind == ExprKind::kSome) {
      for (const TermPtr& symbol : expr.terms) {
        if (symbol->IsVar()) {
          declared.insert(symbol->text);
        }
        if (symbol->kind != TermKind::kCall) {
          continue;
        }
        for (std::size_t i = 1; i + 1 < symbol->items.size(); ++i) {
          Insert(declared, VarsOf(*symbol->items[i]));
        }
      }
    }
    return declared;
  }

  void CheckUnusedAssigned(const Body& body, const VarSet& used, const Location& start) {
    if (!errors.empty() || !unused.empty()) {
      return;
    }
    std::map<std::string, std::string> by_name;  // New name to written one.
    for (const auto& [variable, entry] : scopes_.Top().entries) {
      if (variable.starts_with('$') || entry.occurrence != Occurrence::kAssigned) {
        continue;
      }
      if (scopes_.Count(variable) > 1 || used.contains(entry.name)) {
        continue;
      }
      by_name[entry.name] = variable;
    }
    for (const std::string& variable : used) {
      if (const std::string* name = scopes_.Find(variable)) {
        by_name.erase(*name);
      }
    }
    for (const auto& [name, variable] : by_name) {
      auto expr =
          std::ranges::find_if(body, [&](const ExprPtr& e) { return VarsOf(*e).contains(name); });
      unused.push_back(CompileError(expr == body.end() ? start : (*expr)->location,
                                    "assigned var " + variable + " unused"));
    }
  }

  void CheckUnusedDeclared(const Body& body, const VarSet& used,
                           const std::vector<std::pair<Location, VarSet>>& declarations) {
    if (!errors.empty() || !unused.empty()) {
      return;
    }
    std::map<std::string, std::string> declared;
    for (const auto& [variable, entry] : scopes_.Top().entries) {
      if (entry.occurrence == Occurrence::kDeclared) {
        declared[entry.name] = variable;
      }
    }
    if (declared.empty()) {
      return;
    }
    VarSet seen = VarsOf(body);
    for (const std::string& variable : used) {
      const std::string* name = scopes_.Find(variable);
      seen.insert(name != nullptr ? *name : variable);
    }
    for (const auto& [name, variable] : declared) {
      if (seen.contains(name) || used.contains(name) || variable.starts_with("__local")) {
        continue;
      }
      auto place = std::ranges::find_if(declarations,
                                        [&](const auto& d) { return d.second.contains(variable); });
      unused.push_back(
          CompileError(place == declarations.end() ? declarations.front().first : place->first,
                       "declared var " + variable + " unused"));
    }
  }

  Compilation& compilation_;
  bool strict_;
  Scopes scopes_;
};

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

  void RenameNested(Term& term) {
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
