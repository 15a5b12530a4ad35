#include "rules/rego/origins.h"

#include <algorithm>
#include <utility>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using index::PathStep;

// The lists are in the order of the body; of the same expression one stays.
void Merge(std::vector<const Expr*>* into, const std::vector<const Expr*>& more) {
  for (const Expr* expr : more) {
    if (std::ranges::find(*into, expr) == into->end()) {
      into->push_back(expr);
    }
  }
}

Origin::Kind Joined(Origin::Kind a, Origin::Kind b) {
  if (a == Origin::Kind::kConstant || a == b) {
    return b;
  }
  return b == Origin::Kind::kConstant ? a : Origin::Kind::kMixed;
}

// True if some reference in the term, closures included, goes into the inventory or names it by a way that is not seen here.
bool MayReadInventory(const Term& term) {
  bool found = false;
  const auto look = [&found](const Term& each) {
    if (each.IsVar() && each.text == "data") {
      found = true;
    }
    if (each.kind != TermKind::kRef || !each.items[0]->IsVar() || each.items[0]->text != "data") {
      return true;
    }
    const bool named = each.items.size() > 1 && each.items[1]->kind == TermKind::kString &&
                       each.items[1]->text != "inventory";
    found = found || !named;
    return false;
  };
  Walk(term, ConstVisitor{.term = look, .expr = {}, .rule = {}});
  return found;
}

}  // namespace

bool Origins::IsKnown(const std::string& variable) const {
  return bound_->contains(variable) || known_.contains(variable) || variable == "input" ||
         variable == "data";
}

VarSet Origins::Safe() const {
  VarSet safe = *bound_;
  Insert(safe, RootVars());
  for (const auto& [variable, origin] : known_) {
    safe.insert(variable);
  }
  return safe;
}

void Origins::Join(const std::string& variable, Origin* into) const {
  const auto known = known_.find(variable);
  if (known != known_.end()) {
    into->kind = Joined(into->kind, known->second.kind);
    Merge(&into->given_by, known->second.given_by);
  } else if (IsKnown(variable)) {
    into->kind = Joined(into->kind, Origin::Kind::kInvariant);
  }
}

Origin Origins::Of(const Term& term) const {
  Origin origin;
  if (MayReadInventory(term)) {
    origin.kind = Origin::Kind::kMixed;
    return origin;
  }
  for (const std::string& variable : VarsOf(term, {.skip_call_operator = true})) {
    Join(variable, &origin);
  }
  const Term& head = term.kind == TermKind::kRef ? *term.items[0] : term;
  const auto from = head.IsVar() ? known_.find(head.text) : known_.end();
  if (from != known_.end() && from->second.kind == Origin::Kind::kObject && from->second.path) {
    origin.path =
        term.kind == TermKind::kRef ? Extend(*from->second.path, term, 1) : from->second.path;
    // Where only an operand is from elsewhere, the path is still the object's.
    if (origin.path && origin.kind == Origin::Kind::kMixed && origin.path->entry != nullptr) {
      origin.kind = Origin::Kind::kObject;
      origin.given_by.clear();
    }
  }
  return origin;
}

bool Origins::Binds(const Term& term) const {
  if (term.IsVar()) {
    return !IsKnown(term.text);
  }
  if (term.kind != TermKind::kArray && term.kind != TermKind::kObject) {
    return false;
  }
  return std::ranges::any_of(term.items, [this](const TermPtr& item) { return Binds(*item); });
}

std::optional<ObjectPath> Origins::Extend(ObjectPath path, const Term& reference,
                                          std::size_t begin) const {
  for (std::size_t i = begin; i < reference.items.size(); ++i) {
    const Term& item = *reference.items[i];
    if (item.kind == TermKind::kString) {
      path.steps.push_back({.kind = PathStep::Kind::kField, .field = item.text});
    } else if (item.kind == TermKind::kNumber) {
      path.steps.push_back({.kind = PathStep::Kind::kAnyItem, .field = {}});
    } else if (item.IsVar()) {
      Origin of;
      Join(item.text, &of);
      const bool is_entry = of.kind == Origin::Kind::kInvariant && path.entry == nullptr;
      path.steps.push_back(
          {.kind = is_entry ? PathStep::Kind::kEntry : PathStep::Kind::kAnyItem, .field = {}});
      if (is_entry) {
        path.entry = &item;
      }
    } else {
      return std::nullopt;
    }
  }
  if (path.steps.size() > index::kMaxPathSteps) {
    return std::nullopt;
  }
  return path;
}

}  // namespace portcullis::rego
