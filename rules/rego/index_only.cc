#include "rules/rego/index_only.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using index::PathStep;

bool IsField(const Term& term, std::string_view name) {
  return term.kind == TermKind::kString && term.text == name;
}

bool IsNameOrNamespace(const Term& reference) {
  return reference.items.size() == 3 && IsField(*reference.items[1], "metadata") &&
         (IsField(*reference.items[2], "name") || IsField(*reference.items[2], "namespace"));
}

bool IsPath(std::span<const TermPtr> items, const Probe& probe) {
  const std::vector<PathStep>& path = probe.definition.path;
  return std::ranges::equal(items, path, [&probe](const TermPtr& item, const PathStep& step) {
    switch (step.kind) {
      case PathStep::Kind::kField:
        return IsField(*item, step.field);
      case PathStep::Kind::kAnyItem:
        return item->IsWildcard();
      case PathStep::Kind::kEntry:
        return probe.entry != nullptr && ToString(*item) == ToString(*probe.entry);
    }
    return false;
  });
}

// True if an object with its name and namespace beside the path can be made up: the path has another place.
bool CanStandFor(const std::vector<PathStep>& path) {
  if (path.empty() || path.front().kind != PathStep::Kind::kField) {
    return false;
  }
  return path.front().field != "metadata" ||
         (path.size() > 1 && path[1].kind == PathStep::Kind::kField && path[1].field != "name" &&
          path[1].field != "namespace");
}

bool HasOneWay(const std::vector<PathStep>& path) {
  return std::ranges::none_of(
      path, [](const PathStep& step) { return step.kind == PathStep::Kind::kAnyItem; });
}

// True if the variable, which has the object, is only used for the path, once, and for the name and the namespace.
bool IsOnlyAskedFor(const std::string& variable, const Rule& rule, const Probe& probe) {
  int bindings = 0;
  int paths = 0;
  bool other_uses = false;
  const ConstVisitor visitor{
      .term =
          [&](const Term& term) {
            if (term.IsVar() && term.text == variable) {
              ++bindings;
            }
            if (term.kind != TermKind::kRef || !term.items[0]->IsVar() ||
                term.items[0]->text != variable) {
              return true;
            }
            if (IsPath(std::span(term.items).subspan(1), probe)) {
              ++paths;
            } else if (!IsNameOrNamespace(term)) {
              other_uses = true;
            }
            return false;
          },
      .expr = {},
      .rule = {},
  };
  Walk(rule, visitor);
  return bindings == 1 && paths == 1 && !other_uses;
}

}  // namespace

bool WantsOnlyTheEntry(const EntryUse& use, const Probe& probe) {
  const std::vector<PathStep>& path = probe.definition.path;
  if (!probe.direct || use.rule == nullptr || use.rule->else_rule != nullptr ||
      !CanStandFor(path) || (!use.in_rule_body && !HasOneWay(path))) {
    return false;
  }
  if (use.object_end == use.reference->items.size()) {
    return !use.variable.empty() && IsOnlyAskedFor(use.variable, *use.rule, probe);
  }
  // A side of the equality, or of the assignment that an equality with the key follows.
  const Expr& expr = *use.expression;
  return expr.kind == ExprKind::kCall && expr.terms.size() == 3 && !expr.negated &&
         expr.with.empty() &&
         (expr.terms[1].get() == use.reference || expr.terms[2].get() == use.reference) &&
         IsPath(std::span(use.reference->items).subspan(use.object_end), probe);
}

}  // namespace portcullis::rego
