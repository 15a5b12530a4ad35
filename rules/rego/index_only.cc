#include "rules/rego/index_only.h"

#include <cstddef>
#include <memory>

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

bool IsPath(const Term& reference, const std::vector<PathStep>& path) {
  if (reference.items.size() != path.size() + 1) {
    return false;
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Term& item = *reference.items[i + 1];
    const bool same =
        path[i].kind == PathStep::Kind::kField ? IsField(item, path[i].field) : item.IsWildcard();
    if (!same) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool WantsOnlyTheEntry(const Rule& rule, const std::string& variable,
                       const std::vector<PathStep>& path) {
  if (path.empty() || path.front().kind != PathStep::Kind::kField ||
      path.front().field == "metadata" || rule.else_rule != nullptr) {
    return false;
  }
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
            if (IsPath(term, path)) {
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

}  // namespace portcullis::rego
