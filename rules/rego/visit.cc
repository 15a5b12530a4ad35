#include "rules/rego/visit.h"

namespace portcullis::rego {

void Walk(Term& term, const Visitor& visitor) {
  if (visitor.term && !visitor.term(term)) {
    return;
  }
  for (TermPtr& item : term.items) {
    Walk(*item, visitor);
  }
  Walk(term.body, visitor);
}

void Walk(Expr& expr, const Visitor& visitor) {
  if (visitor.expr && !visitor.expr(expr)) {
    return;
  }
  for (TermPtr& term : expr.terms) {
    if (term) {
      Walk(*term, visitor);
    }
  }
  Walk(expr.body, visitor);
  Walk(expr.right, visitor);
  for (With& with : expr.with) {
    Walk(*with.target, visitor);
    Walk(*with.value, visitor);
  }
}

void Walk(Body& body, const Visitor& visitor) {
  for (ExprPtr& expr : body) {
    Walk(*expr, visitor);
  }
}

void Walk(Rule& rule, const Visitor& visitor, HeadReference reference) {
  if (visitor.rule && !visitor.rule(rule)) {
    return;
  }
  if (reference == HeadReference::kWalk) {
    Walk(*rule.reference, visitor);
  }
  for (TermPtr& argument : rule.arguments) {
    Walk(*argument, visitor);
  }
  if (rule.key) {
    Walk(*rule.key, visitor);
  }
  if (rule.value) {
    Walk(*rule.value, visitor);
  }
  Walk(rule.body, visitor);
  if (rule.else_rule) {
    Walk(*rule.else_rule, visitor, reference);
  }
}

}  // namespace portcullis::rego
