#include "rules/rego/capture.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "rules/rego/compilation.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kPrefix = "$term";

// Whether the query can have several solutions: a reference with a variable in it, or a relation.
bool Iterates(const Body& query, const builtins::Catalog& catalog) {
  bool found = false;
  ConstVisitor visitor;
  visitor.term = [&](const Term& term) {
    if (term.kind == TermKind::kArrayComprehension || term.kind == TermKind::kSetComprehension ||
        term.kind == TermKind::kObjectComprehension) {
      return false;
    }
    if (term.kind == TermKind::kRef) {
      const builtins::Builtin* builtin = catalog.Find(ToString(term));
      found = found || (builtin != nullptr && builtin->relation) ||
              std::any_of(term.items.begin() + 1, term.items.end(),
                          [](const TermPtr& item) { return item->IsVar(); });
    }
    return !found;
  };
  for (const ExprPtr& expr : query) {
    Walk(*expr, visitor);
  }
  return found;
}

}  // namespace

bool IsCapture(std::string_view variable) {
  return variable.starts_with(kPrefix);
}

namespace {

// Whether one more argument would be the result of the call.
bool HasFreeResult(const Compilation& compilation, const Expr& expr) {
  const builtins::Builtin* builtin = compilation.FindBuiltin(*expr.terms[0]);
  if (builtin != nullptr && builtin->type.ends_with("-> nothing")) {
    return false;
  }
  return compilation.arity(*expr.terms[0]) == static_cast<int>(expr.terms.size()) - 1;
}

// The variables of the expressions' values, by where the expressions stand.
std::map<std::uint32_t, std::string> CaptureValues(Compilation& compilation, Body& query) {
  std::map<std::uint32_t, std::string> captured;
  const bool check = query.size() > 1 || Iterates(query, compilation.catalog);
  const std::size_t written = query.size();
  for (std::size_t i = 0; i < written; ++i) {
    Expr& expr = *query[i];
    if (expr.negated || IsAssignment(expr) || IsEquality(expr)) {
      continue;
    }
    std::string name = std::string(kPrefix) + std::to_string(captured.size() + 1);
    TermPtr variable = NewVar(name, expr.location);
    if (expr.kind == ExprKind::kTerm) {
      expr.kind = ExprKind::kCall;
      expr.terms.insert(expr.terms.begin(), NewOperator("eq", expr.location));
    } else if (expr.kind != ExprKind::kCall || !HasFreeResult(compilation, expr)) {
      continue;
    }
    if (check) {
      auto truthy = std::make_unique<Expr>();
      truthy->kind = ExprKind::kTerm;
      truthy->generated = true;
      truthy->index = static_cast<std::uint32_t>(query.size());
      truthy->location = expr.location;
      truthy->terms.push_back(Clone(*variable));
      query.push_back(std::move(truthy));
    }
    Expr& at = *query[i];
    at.terms.push_back(std::move(variable));
    captured.emplace(at.location.offset, std::move(name));
  }
  return captured;
}

}  // namespace

Checked<ValueQuery> CompileValueQuery(const CompiledPolicy& policy, Body query,
                                      std::string_view text, const Module* context,
                                      const CompileOptions& options) {
  std::map<std::uint32_t, std::string> captured;
  NamedVariables named;
  auto compiled = CompileQueryWith(
      policy, std::move(query), context, options,
      [&captured](Compilation& compilation, Body& body) {
        captured = CaptureValues(compilation, body);
      },
      &named);
  if (!compiled) {
    // Of unsafe variables the one for the value comes last.
    std::vector<Diagnostic> errors = std::move(compiled).error();
    if (errors.front().code == "rego_unsafe_var_error") {
      std::ranges::stable_sort(errors, {}, [](const Diagnostic& error) {
        return std::tuple(error.location.row, error.location.column,
                          error.message == "var _ is unsafe");
      });
    }
    return std::unexpected(std::move(errors));
  }
  ValueQuery result;
  for (const ExprPtr& expr : *compiled) {
    if (expr->generated) {
      continue;
    }
    const Location& at = expr->location;
    const auto found = captured.find(at.offset);
    result.expressions.push_back(
        {.text = std::string(text.substr(std::min<std::size_t>(at.offset, text.size()), at.length)),
         .row = at.row,
         .column = at.column,
         .variable = found == captured.end() ? std::string() : found->second});
  }
  result.body = *std::move(compiled);
  result.written = std::move(named.written);
  result.tops = std::move(named.tops);
  return result;
}

}  // namespace portcullis::rego
