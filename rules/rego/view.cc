#include "rules/rego/view.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/access_path.h"
#include "rules/rego/inline_call.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kUnfolded = "__unfolded";
constexpr std::size_t kMostMerged = 8;

bool IsData(const Term& term, std::string_view below) {
  return term.kind == TermKind::kRef && term.items.size() > 2 && term.items[0]->IsVar() &&
         term.items[0]->text == "data" &&
         (term.items[1]->text == "inventory") == (below == "inventory");
}

bool IsPlain(const Expr& expr) {
  return expr.with.empty() && !expr.negated &&
         (expr.kind == ExprKind::kTerm || expr.kind == ExprKind::kCall);
}

template <class Node>
std::size_t CountOf(const Node& node, const std::string& name) {
  std::size_t count = 0;
  Walk(node, ConstVisitor{.term =
                              [&](const Term& term) {
                                count += term.IsVar() && term.text == name ? 1 : 0;
                                return true;
                              },
                          .expr = {},
                          .rule = {}});
  return count;
}

// The comprehension that the rule at the start of a reference is, and how many of the reference's items name it.
struct View {
  TermPtr comprehension;
  std::size_t length = 0;
};

std::optional<View> ViewOf(const Term& reference, const CompiledPolicy& policy) {
  if (!IsData(reference, "")) {
    return std::nullopt;
  }
  const RuleTree* node = &policy.root;
  std::size_t i = 1;
  for (; i < reference.items.size() && node != nullptr && node->rules == nullptr; ++i) {
    const Term& item = *reference.items[i];
    node = item.kind == TermKind::kString ? node->Child(item.text) : nullptr;
  }
  if (node == nullptr || node->rules == nullptr || !node->children.empty() ||
      node->rules->rules.size() != 1) {
    return std::nullopt;
  }
  const Rule& rule = *node->rules->rules.front();
  if (rule.is_default || rule.else_rule != nullptr || rule.IsFunction()) {
    return std::nullopt;
  }
  if (rule.kind == RuleKind::kPartialSet) {
    auto set = std::make_unique<Term>();
    set->kind = TermKind::kSetComprehension;
    set->location = rule.location;
    set->items.push_back(Clone(*rule.key));
    set->body = Clone(rule.body);
    return View{.comprehension = std::move(set), .length = i};
  }
  // p := {…}: `p = local; local = {…}`.
  if (rule.kind != RuleKind::kComplete || !rule.value->IsVar() || rule.body.size() != 1 ||
      !IsPlain(*rule.body[0]) || !IsEquality(*rule.body[0]) || !rule.body[0]->terms[1]->IsVar() ||
      rule.body[0]->terms[1]->text != rule.value->text) {
    return std::nullopt;
  }
  const Term& value = *rule.body[0]->terms[2];
  if (value.kind != TermKind::kSetComprehension && value.kind != TermKind::kArrayComprehension) {
    return std::nullopt;
  }
  return View{.comprehension = Clone(value), .length = i};
}

bool ReadsInventory(const Body& body) {
  bool reads = false;
  Walk(body, ConstVisitor{.term =
                              [&reads](const Term& term) {
                                reads = reads || IsData(term, "inventory");
                                return !reads;
                              },
                          .expr = {},
                          .rule = {}});
  return reads;
}

class Merger {
 public:
  Merger(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors, std::uint32_t* next_name)
      : rule_(rule), policy_(policy), errors_(errors), next_name_(next_name) {}

  bool Run() {
    VarSet bound = RootVars();
    for (const TermPtr& argument : rule_->arguments) {
      Insert(bound, VarsOf(*argument));
    }
    // Where solutions may come in another order, and more than once.
    const bool any_order = rule_->kind == RuleKind::kPartialSet ||
                           (rule_->value != nullptr && rule_->value->IsScalar());
    InBody(&rule_->body, bound, any_order);
    return changed_;
  }

 private:
  void InBody(Body* body, VarSet bound, bool any_order) {
    for (std::size_t i = 0; i < body->size(); ++i) {
      if (merged_ < kMostMerged && MergeAt(body, i, bound, any_order)) {
        changed_ = true;
        ++merged_;
      }
      Expr& expr = *(*body)[i];
      if (expr.with.empty()) {
        if (expr.kind == ExprKind::kNot) {
          InBody(&expr.body, bound, true);
        }
        for (const TermPtr& term : expr.terms) {
          if (term != nullptr && (term->kind == TermKind::kSetComprehension ||
                                  term->kind == TermKind::kArrayComprehension)) {
            InBody(&term->body, bound, term->kind == TermKind::kSetComprehension);
          }
        }
      }
      Insert(bound, VarsOf(expr, VarWalk::Safety()));
    }
  }

  // `x = view[_]…`, also within what is compared.
  bool MergeAt(Body* body, std::size_t at, const VarSet& bound, bool any_order) {
    const Expr& expr = *(*body)[at];
    if (!IsPlain(expr) || (expr.kind == ExprKind::kCall && !IsEquality(expr))) {
      return false;
    }
    for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
      const Term& term = *expr.terms[i];
      std::optional<std::size_t> definition;
      std::optional<View> view = term.kind == TermKind::kRef ? ViewOf(term, policy_) : std::nullopt;
      if (!view && term.kind == TermKind::kRef) {
        view = CollectedBefore(*body, at, term, &definition);
      }
      if (!view || term.items.size() <= view->length ||
          !ReadsInventory(view->comprehension->body)) {
        continue;
      }
      const Term& item = *term.items[view->length];
      const bool is_set = view->comprehension->kind == TermKind::kSetComprehension;
      const bool is_loop =
          item.IsWildcard() || (is_set && item.IsVar() && !bound.contains(item.text));
      if (!is_loop || (is_set && !any_order) || errors_.MayFail(*view->comprehension) ||
          RestMayFail(*body, at)) {
        continue;
      }
      if (std::optional<Body> merged = Merge(*body, at, i, std::move(*view), definition, bound)) {
        *body = std::move(*merged);
        return true;
      }
    }
    return false;
  }

  bool RestMayFail(const Body& body, std::size_t from) {
    return std::any_of(body.begin() + static_cast<std::ptrdiff_t>(from), body.end(),
                       [this](const ExprPtr& expr) { return errors_.MayFail(*expr); });
  }

  // A name that an earlier expression gives to a comprehension, used here alone.
  std::optional<View> CollectedBefore(const Body& body, std::size_t at, const Term& reference,
                                      std::optional<std::size_t>* definition) const {
    const Term& head = *reference.items[0];
    if (!head.IsVar() || CountOf(*rule_, head.text) != 2) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < at; ++i) {
      const Expr& expr = *body[i];
      if (!IsPlain(expr) || !IsEquality(expr)) {
        continue;
      }
      for (const std::size_t side : {1, 2}) {
        const Term& value = *expr.terms[3 - side];
        if (expr.terms[side]->IsVar() && expr.terms[side]->text == head.text &&
            (value.kind == TermKind::kSetComprehension ||
             value.kind == TermKind::kArrayComprehension)) {
          *definition = i;
          return View{.comprehension = Clone(value), .length = 1};
        }
      }
    }
    return std::nullopt;
  }

  // Nothing: no look-up comes of it.
  std::optional<Body> Merge(const Body& body, std::size_t at, std::size_t side, View view,
                            std::optional<std::size_t> definition, const VarSet& bound) {
    // Of a rule nothing is bound outside.
    const TermPtr collected =
        CopyRenamed(*view.comprehension, definition ? bound : RootVars(), next_name_);
    ExprPtr last = Clone(*body[at]);
    Term& reference = *last->terms[side];
    Term& item = *reference.items[view.length];
    if (item.IsWildcard()) {
      item.text = "__merged" + std::to_string((*next_name_)++) + "__";
    }
    TermPtr name = Clone(item);
    reference.items.erase(reference.items.begin(),
                          reference.items.begin() + static_cast<std::ptrdiff_t>(view.length));
    if (reference.items.size() == 1) {
      TermPtr only = std::move(reference.items[0]);
      last->terms[side] = std::move(only);
    }
    Body merged;
    for (std::size_t i = 0; i < at; ++i) {
      if (i != definition) {
        merged.push_back(Clone(*body[i]));
      }
    }
    const std::size_t begin = merged.size();
    for (ExprPtr& expr : collected->body) {
      merged.push_back(std::move(expr));
    }
    merged.push_back(
        MakeEquality(std::move(name), Clone(*collected->items[0]), body[at]->location));
    const std::size_t end = merged.size();
    merged.push_back(std::move(last));
    for (std::size_t i = at + 1; i < body.size(); ++i) {
      merged.push_back(Clone(*body[i]));
    }
    if (!LooksUp(merged, begin, end, bound)) {
      return std::nullopt;
    }
    return merged;
  }

  // Every scan among the expressions is a look-up where it stands.
  bool LooksUp(const Body& body, std::size_t begin, std::size_t end, VarSet bound) {
    for (std::size_t i = begin; i < end; ++i) {
      const Expr& expr = *body[i];
      for (std::size_t j = expr.kind == ExprKind::kCall ? 1 : 0; j < expr.terms.size(); ++j) {
        const Term& term = *expr.terms[j];
        if (!IsData(term, "inventory")) {
          continue;
        }
        const std::size_t depth = term.items[2]->text == "namespace" ? 4 : 3;
        if (term.items[2]->kind != TermKind::kString || term.items.size() < 3 + depth) {
          return false;
        }
        const InventorySite site{
            .reference = &term,
            .scope = depth == 4 ? store::Scope::kNamespaced : store::Scope::kCluster,
            .object_end = 3 + depth,
            .body = &body,
            .expression = i,
            .bound = bound};
        std::deque<Body> written;
        if (FindAccessPath(site, policy_, errors_, &written).choices.empty()) {
          return false;
        }
      }
      Insert(bound, VarsOf(expr, VarWalk::Safety()));
    }
    return true;
  }

  Rule* rule_;
  const CompiledPolicy& policy_;
  ErrorAnalysis& errors_;
  std::uint32_t* next_name_;
  std::size_t merged_ = 0;
  bool changed_ = false;
};

}  // namespace

bool MergeViews(Rule* rule, const CompiledPolicy& policy, ErrorAnalysis& errors,
                std::uint32_t* next_name) {
  return Merger(rule, policy, errors, next_name).Run();
}

std::unique_ptr<Rule> UnfoldViews(const Rule& rule, const CompiledPolicy& policy,
                                  ErrorAnalysis& errors, std::uint32_t* next_name) {
  std::unique_ptr<Rule> unfolded;
  Body body;
  for (const ExprPtr& expr : rule.body) {
    body.push_back(Clone(*expr));
    Expr& last = *body.back();
    const bool is_name = IsPlain(last) && IsEquality(last) && last.terms[1]->IsVar();
    if (!is_name && last.kind != ExprKind::kTerm) {
      continue;
    }
    Term& reference = *last.terms[is_name ? 2 : 0];
    std::optional<View> view =
        reference.kind == TermKind::kRef ? ViewOf(reference, policy) : std::nullopt;
    const std::size_t operands = is_name ? 0 : 1;
    if (!view || reference.items.size() != view->length + operands ||
        !ReadsInventory(view->comprehension->body) || errors.MayFail(*view->comprehension)) {
      continue;
    }
    auto name = std::make_unique<Term>();
    name->kind = TermKind::kVar;
    name->text = std::string(kUnfolded) + std::to_string((*next_name)++) + "__";
    const TermPtr collected = CopyRenamed(*view->comprehension, RootVars(), next_name);
    body.insert(body.end() - 1, MakeEquality(Clone(*name), Clone(*collected), expr->location));
    if (is_name) {
      body.back()->terms[2] = std::move(name);
    } else {
      reference.items.erase(reference.items.begin(),
                            reference.items.begin() + static_cast<std::ptrdiff_t>(view->length));
      reference.items.insert(reference.items.begin(), std::move(name));
    }
    if (unfolded == nullptr) {
      unfolded = Clone(rule);
    }
  }
  if (unfolded != nullptr) {
    unfolded->body = std::move(body);
  }
  return unfolded;
}

bool HasUnfolded(const Body& body) {
  bool found = false;
  Walk(body, ConstVisitor{.term =
                              [&found](const Term& term) {
                                found = found || (term.IsVar() && term.text.starts_with(kUnfolded));
                                return !found;
                              },
                          .expr = {},
                          .rule = {}});
  return found;
}

}  // namespace portcullis::rego
