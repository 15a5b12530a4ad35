#include "rules/rego/compilation.h"

#include <algorithm>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// Errors without a place come last.
bool IsBefore(const Diagnostic& a, const Diagnostic& b) {
  if ((a.location.row == 0) != (b.location.row == 0)) {
    return a.location.row != 0;
  }
  auto file = [](const Location& location) {
    return location.file ? std::string_view(*location.file) : "";
  };
  if (file(a.location) != file(b.location)) {
    return file(a.location) < file(b.location);
  }
  if (a.location.row != b.location.row) {
    return a.location.row < b.location.row;
  }
  if (a.location.column != b.location.column) {
    return a.location.column < b.location.column;
  }
  return a.ToString() < b.ToString();
}

}  // namespace

bool ErrorList::Add(Diagnostic error, Kind kind) {
  if (full()) {
    return false;
  }
  errors_.push_back(std::move(error));
  if (kind == Kind::kFinal || full()) {
    stops_ = true;
  }
  return !full();
}

bool ErrorList::Add(std::vector<Diagnostic> errors, Kind kind) {
  bool more = true;
  for (Diagnostic& error : errors) {
    more = Add(std::move(error), kind);
  }
  return more;
}

std::vector<Diagnostic> ErrorList::Take() {
  std::ranges::stable_sort(errors_, IsBefore);
  return TakeAsMet();
}

std::vector<Diagnostic> ErrorList::TakeAsMet() {
  if (full()) {
    errors_.push_back(CompileError({}, "error limit reached"));
  }
  return std::move(errors_);
}

Diagnostic CompileError(const Location& location, std::string message) {
  return {"rego_compile_error", std::move(message), location, {}};
}

Diagnostic TypeError(const Location& location, std::string message) {
  return {"rego_type_error", std::move(message), location, {}};
}

std::string LocalNames::Next() {
  while (true) {
    std::string name = prefix_ + std::to_string(next_++) + "__";
    if (!taken_.contains(name)) {
      return name;
    }
  }
}

const builtins::Builtin* Compilation::FindBuiltin(const Term& reference) const {
  return catalog.Find(ToString(reference));
}

std::string Compilation::Written(const std::string& variable) const {
  auto found = written.find(variable);
  return found == written.end() ? variable : found->second;
}

TermPtr Compilation::WithWrittenNames(const Term& reference) const {
  TermPtr copy = Clone(reference);
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (term.IsVar()) {
      term.text = Written(term.text);
    }
    return true;
  };
  Walk(*copy, visitor);
  return copy;
}

ExprPtr Compilation::NewEquality(TermPtr term) {
  Location location = term->location;
  ExprPtr expr = NewCallExpr("eq", NewVar(names.Next(), location), std::move(term), location);
  expr->generated = true;
  return expr;
}

TermPtr NewVar(std::string name, const Location& location) {
  auto term = std::make_unique<Term>();
  term->kind = TermKind::kVar;
  term->generated = true;
  term->text = std::move(name);
  term->location = location;
  return term;
}

TermPtr NewString(std::string text, const Location& location) {
  auto term = std::make_unique<Term>();
  term->kind = TermKind::kString;
  term->text = std::move(text);
  term->location = location;
  return term;
}

TermPtr NewRef(std::vector<TermPtr> items, const Location& location) {
  auto term = std::make_unique<Term>();
  term->kind = TermKind::kRef;
  term->items = std::move(items);
  term->location = location;
  return term;
}

TermPtr NewOperator(std::string_view name, const Location& location) {
  std::vector<TermPtr> items;
  while (true) {
    std::size_t dot = name.find('.');
    std::string part(name.substr(0, dot));
    items.push_back(items.empty() ? NewVar(std::move(part), location)
                                  : NewString(std::move(part), location));
    if (dot == std::string_view::npos) {
      return NewRef(std::move(items), location);
    }
    name.remove_prefix(dot + 1);
  }
}

ExprPtr NewCallExpr(std::string_view name, TermPtr a, TermPtr b, const Location& location) {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kCall;
  expr->terms.push_back(NewOperator(name, location));
  expr->terms.push_back(std::move(a));
  if (b) {
    expr->terms.push_back(std::move(b));
  }
  expr->location = location;
  return expr;
}

std::size_t GroundPrefixSize(const Term& reference) {
  for (std::size_t i = 1; i < reference.items.size(); ++i) {
    if (!IsGround(*reference.items[i])) {
      return i;
    }
  }
  return reference.items.size();
}

TermPtr FullReference(const Rule& rule) {
  std::vector<TermPtr> items;
  const Location& location = rule.reference->location;
  items.push_back(NewVar("data", location));
  for (const std::string& part : rule.module->package) {
    items.push_back(NewString(part, location));
  }
  for (const TermPtr& item : rule.reference->items) {
    items.push_back(items.size() == rule.module->package.size() + 1
                        ? NewString(item->text, item->location)
                        : Clone(*item));
  }
  return NewRef(std::move(items), location);
}

namespace {

bool IsEmptyBody(const Body& body) {
  return body.size() == 1 && body[0]->kind == ExprKind::kTerm &&
         body[0]->terms[0]->kind == TermKind::kBoolean && body[0]->terms[0]->boolean;
}

}  // namespace

void Renumber(Body& body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    body[i]->index = static_cast<std::uint32_t>(i);
  }
}

void AppendToBody(Body& body, std::vector<ExprPtr> exprs) {
  if (exprs.empty()) {
    return;
  }
  if (IsEmptyBody(body)) {
    body.clear();
  }
  for (ExprPtr& expr : exprs) {
    body.push_back(std::move(expr));
  }
  Renumber(body);
}

bool IsConstant(const Term& term) {
  switch (term.kind) {
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
      return std::ranges::all_of(term.items, [](const TermPtr& item) { return IsConstant(*item); });
    default:
      return term.IsScalar();
  }
}

bool ContainsRefs(const Term& term) {
  bool found = false;
  ConstVisitor visitor;
  visitor.term = [&](const Term& inner) {
    found = found || inner.kind == TermKind::kRef;
    return !found;
  };
  Walk(term, visitor);
  return found;
}

bool ContainsComprehensions(const Term& term) {
  bool found = false;
  ConstVisitor visitor;
  visitor.term = [&](const Term& inner) {
    found = found || IsComprehension(inner);
    return !found;
  };
  Walk(term, visitor);
  return found;
}

bool RequiresEvaluation(const Term& term) {
  return ContainsRefs(term) || ContainsComprehensions(term);
}

}  // namespace portcullis::rego
