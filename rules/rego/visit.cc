#include "rules/rego/visit.h"

#include <type_traits>

namespace portcullis::rego {
namespace {

// One walk for both kinds of tree: `Node` is const of a ConstVisitor.
template <class V>
class Walker {
 public:
  explicit Walker(const V& visitor) : visitor_(visitor) {}

  template <class Node>
  using Of = std::conditional_t<std::is_same_v<V, ConstVisitor>, const Node, Node>;

  void Visit(Of<Term>& term) const {
    if (visitor_.term && !visitor_.term(term)) {
      return;
    }
    for (const TermPtr& item : term.items) {
      Visit(*item);
    }
    Visit(term.body);
  }

  void Visit(Of<Expr>& expr) const {
    if (visitor_.expr && !visitor_.expr(expr)) {
      return;
    }
    for (const TermPtr& term : expr.terms) {
      if (term) {
        Visit(*term);
      }
    }
    Visit(expr.body);
    Visit(expr.right);
    for (const With& with : expr.with) {
      Visit(*with.target);
      Visit(*with.value);
    }
  }

  void Visit(Of<Body>& body) const {
    for (const ExprPtr& expr : body) {
      Visit(*expr);
    }
  }

  void Visit(Of<Rule>& rule, HeadReference reference) const {
    if (visitor_.rule && !visitor_.rule(rule)) {
      return;
    }
    if (reference == HeadReference::kWalk) {
      Visit(*rule.reference);
    }
    for (const TermPtr& argument : rule.arguments) {
      Visit(*argument);
    }
    if (rule.key) {
      Visit(*rule.key);
    }
    if (rule.value) {
      Visit(*rule.value);
    }
    Visit(rule.body);
    if (rule.else_rule) {
      Visit(*rule.else_rule, reference);
    }
  }

 private:
  const V& visitor_;
};

}  // namespace

void Walk(Term& term, const Visitor& visitor) {
  Walker(visitor).Visit(term);
}
void Walk(Expr& expr, const Visitor& visitor) {
  Walker(visitor).Visit(expr);
}
void Walk(Body& body, const Visitor& visitor) {
  Walker(visitor).Visit(body);
}
void Walk(Rule& rule, const Visitor& visitor, HeadReference reference) {
  Walker(visitor).Visit(rule, reference);
}
void Walk(const Term& term, const ConstVisitor& visitor) {
  Walker(visitor).Visit(term);
}
void Walk(const Expr& expr, const ConstVisitor& visitor) {
  Walker(visitor).Visit(expr);
}
void Walk(const Body& body, const ConstVisitor& visitor) {
  Walker(visitor).Visit(body);
}
void Walk(const Rule& rule, const ConstVisitor& visitor, HeadReference reference) {
  Walker(visitor).Visit(rule, reference);
}

}  // namespace portcullis::rego
