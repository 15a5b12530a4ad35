#include "rules/rego/local_renamer.h"

#include <algorithm>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

bool IsRootDocument(const Term& term) {
  return term.kind == TermKind::kRef && term.items.size() == 1 && term.items[0]->IsVar() &&
         RootVars().contains(term.items[0]->text);
}

}  // namespace

void Renamer::Rename(Body& body, const VarSet& used) {
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

void Renamer::RenameExpr(Expr& expr) {
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

void Renamer::RenameTerm(Term& term) {
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

void Renamer::RenameTemplate(Term& term) {
  for (TermPtr& item : term.items) {
    if (item->kind != TermKind::kTemplateExpression) {
      continue;
    }
    scopes_.Push();
    RenameExpr(*item->body[0]);
    scopes_.Pop();
  }
}

void Renamer::RenameComprehension(Term& term) {
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

void Renamer::Fail(const Location& location, std::string message) {
  errors.push_back(CompileError(location, std::move(message)));
}

ExprPtr Renamer::TrueExpr(const Location& location) {
  auto expr = std::make_unique<Expr>();
  auto term = std::make_unique<Term>();
  term->kind = TermKind::kBoolean;
  term->boolean = true;
  term->location = location;
  expr->terms.push_back(std::move(term));
  expr->location = location;
  return expr;
}

void Renamer::RenameExprs(Body& body) {
  for (ExprPtr& expr : body) {
    RenameExpr(*expr);
  }
}

void Renamer::RenameVar(Term& term) {
  if (const std::string* name = scopes_.Find(term.text)) {
    std::string variable = term.text;
    term.text = *name;
    scopes_.Seen(variable);
  } else {
    scopes_.Insert(term.text, term.text, Occurrence::kSeen);
  }
}

void Renamer::RenameRoot(Term& term) {
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

void Renamer::CheckOperator(const Term& call) {
  for (const std::string& variable : VarsOf(*call.items[0])) {
    const std::string* name = scopes_.Find(variable);
    if (name == nullptr || *name == variable) {
      continue;
    }
    Fail(call.location, "called function " + ToString(*call.items[0]) + " shadowed");
  }
}

void Renamer::RenameWith(With& with) {
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

bool Renamer::Declare(const std::string& variable, Occurrence occurrence, const Location& location,
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

ExprPtr Renamer::RenameStatement(ExprPtr expr) {
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

ExprPtr Renamer::RenameAssignment(ExprPtr expr) {
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

void Renamer::Assign(Term& term) {
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

ExprPtr Renamer::RenameEvery(ExprPtr expr) {
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

bool Renamer::DeclareEvery(Expr& expr) {
  if (!expr.terms[0]) {
    expr.terms[0] = NewVar(compilation_.names.Next(), {});  // Without a place, as OPA's.
  }
  for (std::size_t i : {0U, 1U}) {
    Term& variable = *expr.terms[i];
    if (variable.IsWildcard() || variable.generated) {
      continue;
    }
    std::string name;
    // OPA tells no place for one name twice.
    if (!Declare(variable.text, Occurrence::kDeclared, Location(), name)) {
      return false;
    }
    variable.text = name;
  }
  return true;
}

ExprPtr Renamer::RenameSome(ExprPtr expr) {
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

ExprPtr Renamer::RenameSomeIn(ExprPtr expr) {
  std::vector<TermPtr>& call = expr->terms[0]->items;
  Location location = expr->terms[0]->location;
  TermPtr container = std::move(call.back());
  TermPtr value = std::move(call[call.size() - 2]);
  TermPtr key = call.size() == 4 ? std::move(call[1]) : NewVar(compilation_.names.Next(), {});
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

void Renamer::RenameNot(Expr& expr) {
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

void Renamer::RenameLogical(Expr& expr) {
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

void Renamer::RenameOperand(Body& body, bool explicit_body, const char* refusal) {
  if (!explicit_body) {
    return RenameImplicit(body, refusal);
  }
  scopes_.Push();
  Rename(body, {});
  scopes_.Pop();
}

void Renamer::RenameImplicit(Body& body, const char* refusal) {
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

VarSet DeclaredBy(const Expr& expr) {
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

void Renamer::CheckUnusedAssigned(const Body& body, const VarSet& used, const Location& start) {
  if (!errors.empty() || !unused.empty() || of_query) {
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

void Renamer::CheckUnusedDeclared(const Body& body, const VarSet& used,
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
                     "declared var " + Shown(variable) + " unused"));
  }
}

}  // namespace portcullis::rego
