#include "rules/rego/subtree.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "rules/rego/inline_call.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostInlined = 6;  // Calls within calls.

// data.inventory, data.inventory.<scope>, and keys above the objects.
bool IsSubtree(const Term& term) {
  if (term.kind != TermKind::kRef || term.items.size() < 2 || !term.items[0]->IsVar() ||
      term.items[0]->text != "data" || term.items[1]->text != "inventory") {
    return false;
  }
  if (term.items.size() == 2) {
    return true;
  }
  if (term.items[2]->kind != TermKind::kString) {
    return false;
  }
  const std::size_t depth = term.items[2]->text == "namespace" ? 4
                            : term.items[2]->text == "cluster" ? 3
                                                               : 0;
  for (std::size_t i = 3; i < term.items.size(); ++i) {
    if (!term.items[i]->IsVar() && !term.items[i]->IsScalar()) {
      return false;
    }
  }
  return term.items.size() < 3 + depth;
}

// Of `name = subtree`: the name, or null.
const Term* NamedSubtree(const Expr& expr, const Term** subtree) {
  if (expr.kind != ExprKind::kCall || expr.negated || !expr.with.empty() || !IsEquality(expr) ||
      expr.terms.size() != 3) {
    return nullptr;
  }
  for (const std::size_t side : {1, 2}) {
    if (expr.terms[side]->IsVar() && IsSubtree(*expr.terms[3 - side])) {
      *subtree = expr.terms[3 - side].get();
      return expr.terms[side].get();
    }
  }
  return nullptr;
}

// How a variable is used: in all, and as what a reference walks on from.
struct Uses {
  std::size_t all = 0;
  std::size_t walked = 0;
};

template <class Node>
Uses UsesOf(const Node& node, const std::string& name) {
  Uses uses;
  Walk(node, ConstVisitor{.term =
                              [&](const Term& term) {
                                uses.all += term.IsVar() && term.text == name ? 1 : 0;
                                uses.walked +=
                                    term.kind == TermKind::kRef && term.items.size() > 1 &&
                                            term.items[0]->IsVar() && term.items[0]->text == name
                                        ? 1
                                        : 0;
                                return true;
                              },
                          .expr = {},
                          .rule = {}});
  return uses;
}

class Rewriter {
 public:
  Rewriter(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors,
           std::uint32_t* next_name)
      : rule_(rule), policy_(policy), errors_(errors), next_name_(next_name) {}

  bool Run() {
    ForEachBody(rule_->body, [this](Body& body) {
      for (std::size_t round = 0; round < kMostInlined && InlineCalls(&body); ++round) {
      }
    });
    ForEachBody(rule_->body, [this](Body& body) { DropNames(&body); });
    return changed_;
  }

 private:
  // The body and, before it, those inside it.
  static void ForEachBody(Body& body, const std::function<void(Body&)>& visit) {
    const Visitor visitor{.term =
                              [&visit](Term& term) {
                                if (!term.body.empty()) {
                                  ForEachBody(term.body, visit);
                                  return false;
                                }
                                return true;
                              },
                          .expr = {},
                          .rule = {}};
    for (const ExprPtr& expr : body) {
      for (const TermPtr& term : expr->terms) {
        if (term != nullptr) {
          Walk(*term, visitor);
        }
      }
      for (Body* inner : {&expr->body, &expr->right}) {
        if (!inner->empty()) {
          ForEachBody(*inner, visit);
        }
      }
    }
    visit(body);
  }

  // Names of subtrees that an earlier expression of the body gives.
  bool InlineCalls(Body* body) {
    std::map<std::string, bool, std::less<>> subtrees;
    for (std::size_t i = 0; i < body->size(); ++i) {
      const Term* subtree = nullptr;
      if (const Term* name = NamedSubtree(*(*body)[i], &subtree)) {
        subtrees.emplace(name->text, true);
        continue;
      }
      const Expr& expr = *(*body)[i];
      bool takes_subtree = false;
      for (std::size_t j = 1; expr.kind == ExprKind::kCall && j < expr.terms.size(); ++j) {
        takes_subtree =
            takes_subtree || (expr.terms[j]->IsVar() && subtrees.contains(expr.terms[j]->text) &&
                              WalksParameter(*expr.terms[0], j - 1, 0));
      }
      Body written;
      if (takes_subtree && expr.with.empty() && WriteOut(expr, &written)) {
        body->erase(body->begin() + static_cast<std::ptrdiff_t>(i));
        body->insert(body->begin() + static_cast<std::ptrdiff_t>(i),
                     std::make_move_iterator(written.begin()),
                     std::make_move_iterator(written.end()));
        changed_ = true;
        return true;
      }
    }
    return false;
  }

  // True if the function only walks on from the parameter, itself or through others that it gives it to.
  bool WalksParameter(const Term& op, std::size_t parameter, std::size_t depth) const {
    const RuleSet* rules = FunctionNamed(policy_, op);
    if (rules == nullptr || depth == kMostInlined) {
      return false;
    }
    for (const Rule* rule : rules->rules) {
      if (parameter >= rule->arguments.size() || !rule->arguments[parameter]->IsVar() ||
          rule->else_rule != nullptr) {
        return false;
      }
      const std::string& name = rule->arguments[parameter]->text;
      Uses uses = UsesOf(rule->body, name);
      const Uses in_value = UsesOf(*rule->value, name);
      for (const ExprPtr& expr : rule->body) {
        for (std::size_t i = 1; expr->kind == ExprKind::kCall && i < expr->terms.size(); ++i) {
          uses.walked += expr->terms[i]->IsVar() && expr->terms[i]->text == name &&
                                 WalksParameter(*expr->terms[0], i - 1, depth + 1)
                             ? 1
                             : 0;
        }
      }
      if (uses.all != uses.walked || in_value.all != 0) {
        return false;
      }
    }
    return true;
  }

  // What stands for the call.
  bool WriteOut(const Expr& call, Body* written) {
    if (errors_.MayFail(call)) {
      return false;
    }
    std::vector<Body> bodies;
    if (InlineCall(policy_, call, next_name_, &bodies)) {
      ExprPtr holds = SomeHolds(std::move(bodies), call.location);
      if (call.negated) {
        holds->negated = true;
      }
      written->push_back(std::move(holds));
      return true;
    }
    return !call.negated && InlineValue(policy_, call, next_name_, written);
  }

  void DropNames(Body* body) {
    for (std::size_t i = 0; i < body->size(); ++i) {
      const Term* subtree = nullptr;
      const Term* name = NamedSubtree(*(*body)[i], &subtree);
      if (name == nullptr) {
        continue;
      }
      const Uses uses = UsesOf(*rule_, name->text);
      if (uses.all < 2 || uses.all != uses.walked + 1) {
        continue;
      }
      const std::string variable = name->text;
      // The root cannot be asked whether it is there; what is walked from it for certain tells.
      const bool is_root = subtree->items.size() == 2;
      if (is_root && !IsWalked(*body, variable)) {
        continue;
      }
      TermPtr reference = Clone(*subtree);
      for (const TermPtr& item : reference->items) {
        if (item->IsWildcard()) {
          item->text = "__level" + std::to_string((*next_name_)++) + "__";
        }
      }
      Replace(variable, *reference);
      changed_ = true;
      if (is_root) {
        body->erase(body->begin() + static_cast<std::ptrdiff_t>(i--));
        continue;
      }
      // It must be there, whether it is walked or not.
      auto exists = std::make_unique<Expr>();
      exists->location = (*body)[i]->location;
      exists->terms.push_back(std::move(reference));
      (*body)[i] = std::move(exists);
    }
  }

  // True if the body has no solution where the variable cannot be walked from.
  static bool IsWalked(const Body& body, const std::string& variable) {
    return std::ranges::any_of(body, [&variable](const ExprPtr& expr) {
      if (expr->negated || !expr->with.empty()) {
        return false;
      }
      if (expr->kind == ExprKind::kNot) {
        return expr->body.size() == 1 && expr->body[0]->kind == ExprKind::kNot &&
               IsWalked(expr->body[0]->body, variable);
      }
      return (expr->kind == ExprKind::kTerm || expr->kind == ExprKind::kCall) &&
             std::ranges::any_of(expr->terms, [&variable](const TermPtr& term) {
               return term->kind == TermKind::kRef && term->items[0]->IsVar() &&
                      term->items[0]->text == variable;
             });
    });
  }

  void Replace(const std::string& variable, const Term& reference) {
    Walk(*rule_, Visitor{.term =
                             [&](Term& term) {
                               if (term.kind == TermKind::kRef && term.items[0]->IsVar() &&
                                   term.items[0]->text == variable) {
                                 TermPtr head = Clone(reference);
                                 term.items.erase(term.items.begin());
                                 term.items.insert(term.items.begin(),
                                                   std::make_move_iterator(head->items.begin()),
                                                   std::make_move_iterator(head->items.end()));
                               }
                               return true;
                             },
                         .expr = {},
                         .rule = {}});
  }

  Rule* rule_;
  const CompiledPolicy& policy_;
  ErrorAnalysis& errors_;
  std::uint32_t* next_name_;
  bool changed_ = false;
};

}  // namespace

bool WalkFromTheRoot(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors,
                     std::uint32_t* next_name) {
  return Rewriter(rule, policy, errors, next_name).Run();
}

}  // namespace portcullis::rego
