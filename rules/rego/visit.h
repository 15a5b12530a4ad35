// Walks of the syntax tree.

#pragma once

#include <functional>

#include "rules/rego/ast.h"

namespace portcullis::rego {

// What a walk calls; each returns true to walk into the node, false to pass it by. An empty
// function walks into all.
struct Visitor {
  std::function<bool(Term&)> term;
  std::function<bool(Expr&)> expr;
  std::function<bool(Rule&)> rule;  // Of a rule and its `else` parts.
};

// The same for a tree that stays as it is.
struct ConstVisitor {
  std::function<bool(const Term&)> term;
  std::function<bool(const Expr&)> expr;
  std::function<bool(const Rule&)> rule;
};

// Depth first, in the order of the text: of a rule the arguments, key, value, body and else part,
// and where `HeadReference` is kWalk also its reference; of an expression its terms, bodies, and
// last its `with` targets and values.
enum class HeadReference : std::uint8_t { kSkip, kWalk };
void Walk(Term& term, const Visitor& visitor);
void Walk(Expr& expr, const Visitor& visitor);
void Walk(Body& body, const Visitor& visitor);
void Walk(Rule& rule, const Visitor& visitor, HeadReference reference = HeadReference::kWalk);
void Walk(const Term& term, const ConstVisitor& visitor);
void Walk(const Expr& expr, const ConstVisitor& visitor);
void Walk(const Body& body, const ConstVisitor& visitor);
void Walk(const Rule& rule, const ConstVisitor& visitor,
          HeadReference reference = HeadReference::kWalk);

}  // namespace portcullis::rego
