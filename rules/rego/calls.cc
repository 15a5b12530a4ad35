// Calls: functions that do not exist, wrong numbers of arguments, functions without a result, deprecated ones.

#include "rules/rego/check.h"
#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

Visitor VoidCallFinder(Compilation& compilation, std::vector<Diagnostic>& errors) {
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (term.kind != TermKind::kCall) {
      return true;
    }
    const builtins::Builtin* builtin = compilation.FindBuiltin(*term.items[0]);
    if (builtin != nullptr && builtin->type.ends_with("-> nothing")) {
      errors.push_back(TypeError(term.location, ToString(term) + " used as value"));
    }
    return true;
  };
  return visitor;
}

Visitor FunctionChecker(Compilation& compilation, std::vector<Diagnostic>& errors) {
  Visitor visitor;
  visitor.expr = [&](Expr& expr) {
    if (expr.kind != ExprKind::kCall) {
      return true;
    }
    int arity = compilation.arity(*expr.terms[0]);
    auto operands = static_cast<int>(expr.terms.size()) - 1;
    if (arity < 0) {
      TermPtr name = compilation.WithWrittenNames(*expr.terms[0]);
      errors.push_back(TypeError(expr.location, "undefined function " + ToString(*name)));
      return false;
    }
    // An output may follow the arguments; of what the compiler made it does.
    bool wrong = expr.generated ? !IsEquality(expr) && operands != arity + 1
                                : operands != arity && operands != arity + 1;
    if (!wrong) {
      return true;
    }
    int given = expr.generated ? operands - 1 : operands;
    errors.push_back(ArityError(compilation, expr, arity, given));
    return false;
  };
  return visitor;
}

ConstVisitor DeprecatedFinder(const Compilation& compilation, std::vector<Diagnostic>& errors) {
  ConstVisitor visitor;
  visitor.expr = [&](const Expr& expr) {
    if (expr.kind != ExprKind::kCall) {
      return true;
    }
    const builtins::Builtin* builtin = compilation.FindBuiltin(*expr.terms[0]);
    if (builtin != nullptr && builtin->deprecated) {
      errors.push_back(TypeError(
          expr.location,
          "deprecated built-in function calls in expression: " + std::string(builtin->name)));
    }
    return true;
  };
  return visitor;
}

}  // namespace

void CheckVoidCalls(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    std::vector<Diagnostic> errors;
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(*rule, VoidCallFinder(compilation, errors));
    }
    compilation.errors.Add(std::move(errors));
  }
}

void CheckVoidCalls(Compilation& compilation, Body& query) {
  std::vector<Diagnostic> errors;
  Walk(query, VoidCallFinder(compilation, errors));
  compilation.errors.Add(std::move(errors));
}

void CheckFunctions(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    std::vector<Diagnostic> errors;
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(*rule, FunctionChecker(compilation, errors));
    }
    compilation.errors.Add(std::move(errors));
  }
}

void CheckFunctions(Compilation& compilation, Body& query) {
  std::vector<Diagnostic> errors;
  Walk(query, FunctionChecker(compilation, errors));
  compilation.errors.Add(std::move(errors));
}

void CheckDeprecated(Compilation& compilation) {
  if (!compilation.calls_deprecated) {
    return;
  }
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    if (!compilation.options.strict && !module->FollowsV1()) {
      continue;
    }
    std::vector<Diagnostic> errors;
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(std::as_const(*rule), DeprecatedFinder(compilation, errors));
    }
    compilation.errors.Add(std::move(errors), ErrorList::Kind::kRecoverable);
  }
}

}  // namespace portcullis::rego
