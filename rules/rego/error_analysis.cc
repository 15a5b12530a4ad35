#include "rules/rego/error_analysis.h"

#include <algorithm>

#include "rules/rego/exclusive.h"

namespace portcullis::rego {
namespace {

// Longer chains of rules are taken to fail, so that a hostile policy does not use up the stack.
constexpr std::uint32_t kMostDepth = 200;

bool IsRoot(const Term& term, std::string_view name) {
  return term.IsVar() && term.text == name;
}

// The variables of a term outside comprehensions.
void AddVariables(const Term& term, std::set<std::string, std::less<>>* variables) {
  if (term.IsVar()) {
    variables->insert(term.text);
  }
  for (const TermPtr& item : term.items) {
    AddVariables(*item, variables);
  }
}

// True if evaluating the term can give several values: a reference has an operand that nothing has bound.
bool Iterates(const Term& term, const std::set<std::string, std::less<>>& bound) {
  if (term.kind == TermKind::kRef) {
    for (std::size_t i = 1; i < term.items.size(); ++i) {
      std::set<std::string, std::less<>> variables;
      AddVariables(*term.items[i], &variables);
      if (!std::ranges::includes(bound, variables)) {
        return true;
      }
    }
  }
  switch (term.kind) {
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
      return false;
    default:
      return std::ranges::any_of(term.items,
                                 [&](const TermPtr& item) { return Iterates(*item, bound); });
  }
}

// True if the body of a rule may have several solutions.
bool HasManySolutions(const Rule& rule) {
  std::set<std::string, std::less<>> bound = {"input", "data"};
  for (const TermPtr& argument : rule.arguments) {
    AddVariables(*argument, &bound);
  }
  for (const ExprPtr& expr : rule.body) {
    if (expr->negated || expr->kind == ExprKind::kEvery || expr->kind == ExprKind::kNot ||
        expr->kind == ExprKind::kAnd || expr->kind == ExprKind::kOr) {
      continue;
    }
    const bool is_walk = expr->kind == ExprKind::kCall && ToString(*expr->terms[0]) == "walk";
    if (expr->kind == ExprKind::kSome || is_walk ||
        std::ranges::any_of(expr->terms,
                            [&](const TermPtr& term) { return Iterates(*term, bound); })) {
      return true;
    }
    for (const TermPtr& term : expr->terms) {
      AddVariables(*term, &bound);
    }
  }
  return Iterates(*rule.value, bound);
}

// True if two definitions may both hold.
bool MayConflict(const RuleSet& rules) {
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    for (std::size_t j = i + 1; j < rules.rules.size(); ++j) {
      const Rule& a = *rules.rules[i];
      const Rule& b = *rules.rules[j];
      if (a.is_default || b.is_default) {
        continue;
      }
      for (const Rule* of_a = &a; of_a != nullptr; of_a = of_a->else_rule.get()) {
        for (const Rule* of_b = &b; of_b != nullptr; of_b = of_b->else_rule.get()) {
          if (!AreExclusive(*of_a, *of_b)) {
            return true;
          }
        }
      }
    }
  }
  return false;
}

}  // namespace

bool GivesOneConstant(const RuleSet& rules) {
  const Term* constant = nullptr;
  for (const Rule* rule : rules.rules) {
    if (rule->is_default) {
      continue;
    }
    for (const Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
      if (part->value == nullptr || !IsGround(*part->value) ||
          part->value->kind == TermKind::kRef ||
          (constant != nullptr && Compare(*constant, *part->value) != 0)) {
        return false;
      }
      constant = part->value.get();
    }
  }
  return true;
}

bool ErrorAnalysis::MayFail(const Body& body) {
  return std::ranges::any_of(body, [this](const ExprPtr& expr) { return MayFail(*expr); });
}

bool ErrorAnalysis::MayFail(const Expr& expr) {
  // What a `with` replaces may be anything.
  if (!expr.with.empty()) {
    return true;
  }
  if (expr.kind == ExprKind::kCall && ReferenceMayFail(*expr.terms[0])) {
    return true;
  }
  const std::size_t from = expr.kind == ExprKind::kCall ? 1 : 0;
  for (std::size_t i = from; i < expr.terms.size(); ++i) {
    if (expr.terms[i] != nullptr && MayFail(*expr.terms[i])) {
      return true;
    }
  }
  return MayFail(expr.body) || MayFail(expr.right);
}

bool ErrorAnalysis::MayFail(const Term& term) {
  if (term.kind == TermKind::kObjectComprehension || MayFail(term.body)) {
    return true;
  }
  if (term.kind == TermKind::kRef && ReferenceMayFail(term)) {
    return true;
  }
  if (term.kind == TermKind::kCall && ReferenceMayFail(*term.items[0])) {
    return true;
  }
  return std::ranges::any_of(term.items, [this](const TermPtr& item) { return MayFail(*item); });
}

bool ErrorAnalysis::ReferenceMayFail(const Term& reference) {
  if (reference.kind != TermKind::kRef || !IsRoot(*reference.items[0], "data")) {
    const std::string name = ToString(reference);
    return name == "print" || name == "internal.print" || name == "trace";
  }
  const RuleTree* node = &policy_.root;
  for (std::size_t i = 1; i < reference.items.size(); ++i) {
    const Term& item = *reference.items[i];
    if (item.kind != TermKind::kString) {
      return TreeMayFail(*node);
    }
    node = node->Child(item.text);
    if (node == nullptr) {
      return false;
    }
    if (node->rules != nullptr) {
      return RulesMayFail(*node);
    }
  }
  return TreeMayFail(*node);
}

bool ErrorAnalysis::TreeMayFail(const RuleTree& node) {
  if (node.rules != nullptr && RulesMayFail(node)) {
    return true;
  }
  return std::ranges::any_of(node.children,
                             [this](const auto& child) { return TreeMayFail(*child.second); });
}

bool ErrorAnalysis::RulesMayFail(const RuleTree& node) {
  // Rules do not recur, so the first answer only ever serves a policy that was refused.
  const auto [known, added] = known_.emplace(&node, true);
  if (!added || depth_ == kMostDepth) {
    return known->second;
  }
  ++depth_;
  const RuleSet& rules = *node.rules;
  const auto may_fail = [&] {
    if (rules.kind == RuleKind::kPartialObject || !node.children.empty()) {
      return true;
    }
    if (rules.kind != RuleKind::kPartialSet && !GivesOneConstant(rules)) {
      if (MayConflict(rules)) {
        return true;
      }
      for (const Rule* rule : rules.rules) {
        for (const Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
          if (HasManySolutions(*part)) {
            return true;
          }
        }
      }
    }
    for (const Rule* rule : rules.rules) {
      for (const Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
        if (MayFail(part->body) || (part->value != nullptr && MayFail(*part->value)) ||
            (part->key != nullptr && MayFail(*part->key))) {
          return true;
        }
      }
    }
    return false;
  };
  const bool result = may_fail();
  --depth_;
  return known_[&node] = result;
}

}  // namespace portcullis::rego
