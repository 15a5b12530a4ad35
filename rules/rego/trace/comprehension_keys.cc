#include "rules/rego/trace/comprehension_keys.h"

#include <algorithm>

#include "rules/rego/check.h"
#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego::trace {
namespace {

Arity ArityIn(const CompiledPolicy& policy) {
  return [&policy](const Term& reference) {
    if (const builtins::Builtin* builtin = policy.catalog->Find(ToString(reference))) {
      return ArityOf(*builtin);
    }
    const RuleTree* node = &policy.root;
    for (std::size_t i = 1; node != nullptr && i < reference.items.size(); ++i) {
      node = node->Child(reference.items[i]->text);
    }
    return node == nullptr || node->rules == nullptr
               ? -1
               : static_cast<int>(node->rules->rules.front()->arguments.size());
  };
}

// True if a reference in the body, outside of closures, would find values for a variable that is known before the body.
bool WouldBeWorse(const Body& body, const VarSet& candidates) {
  bool worse = false;
  VarSet seen;
  const auto check = [&](const VarSet& vars) {
    for (const std::string& name : vars) {
      worse = worse || (candidates.contains(name) && !seen.contains(name));
    }
  };
  ConstVisitor visitor;
  visitor.expr = [&](const Expr& expr) {
    if (Calls(expr, "walk") && expr.terms.size() > 2) {
      check(VarsOf(*expr.terms[2]));
    }
    return !worse;
  };
  visitor.term = [&](const Term& term) {
    if (worse || IsComprehension(term)) {
      return false;
    }
    if (term.kind == TermKind::kRef) {
      check(VarsOf(term, {.skip_ref_head = true}));
    } else if (term.IsVar()) {
      seen.insert(term.text);
    }
    return !worse;
  };
  Walk(body, visitor);
  return worse;
}

bool HasNestedUse(const Body& body, const VarSet& candidates) {
  bool found = false;
  ConstVisitor visitor;
  visitor.term = [&](const Term& term) {
    if (IsComprehension(term)) {
      found = found || !Intersection(VarsOf(term, {.skip_ref_head = true}), candidates).empty();
      return false;
    }
    return !found;
  };
  Walk(body, visitor);
  return found;
}

}  // namespace

ComprehensionKeys::ComprehensionKeys(const CompiledPolicy& policy, const Body& query) {
  const Arity arity = ArityIn(policy);
  for (const std::unique_ptr<Module>& module : policy.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (const Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        VarSet candidates = RootVars();
        for (const TermPtr& argument : rule->arguments) {
          Insert(candidates, VarsOf(*argument));
        }
        Read(rule->body, std::move(candidates), arity);
      }
    }
  }
  Read(query, RootVars(), arity);
}

void ComprehensionKeys::Read(const Body& body, VarSet candidates, const Arity& arity) {
  const auto read = [&](const Body& each) {
    for (const ExprPtr& expr : each) {
      ReadExpr(*expr, candidates, arity);
      Insert(candidates, VarsOf(*expr, VarWalk::Safety()));
    }
  };
  read(body);
  ConstVisitor visitor;
  visitor.expr = [&](const Expr& expr) {
    read(expr.body);
    read(expr.right);
    return true;
  };
  visitor.term = [&](const Term& term) {
    if (IsComprehension(term)) {
      read(term.body);
    }
    return true;
  };
  Walk(body, visitor);
}

void ComprehensionKeys::ReadExpr(const Expr& expr, const VarSet& candidates, const Arity& arity) {
  if (!IsEquality(expr) || expr.negated || !expr.with.empty()) {
    return;
  }
  const Term& a = *expr.terms[1];
  const Term& b = *expr.terms[2];
  const Term* term = a.IsVar() && IsComprehension(b)   ? &b
                     : b.IsVar() && IsComprehension(a) ? &a
                                                       : nullptr;
  if (term == nullptr) {
    return;
  }
  const VarSet outputs = OutputVars(term->body, arity, RootVars());
  const VarSet needed = Difference(VarsOf(term->body, VarWalk::Safety()), outputs);
  if (!Difference(needed, RootVars()).empty() || WouldBeWorse(term->body, candidates) ||
      HasNestedUse(term->body, candidates)) {
    return;
  }
  const VarSet keys = Intersection(candidates, outputs);
  if (!keys.empty()) {
    keys_.emplace(term, std::vector<std::string>(keys.begin(), keys.end()));
  }
}

}  // namespace portcullis::rego::trace
