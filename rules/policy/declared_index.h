// Indexes that a template's author asks for, for conditions that the planner takes no index for by itself:
//
//   metadata:
//     annotations:
//       portcullis.dev/indexes: |
//         - kind: Ingress                # scope: Namespaced, or Cluster; without it Namespaced
//           path: spec.ingressClassName
//         - kind: Ingress
//           expression: startswith(object.spec.rules[_].host, "*.")
//
// A path serves comparisons of the value at it, also with constants, which the planner leaves out where something else serves.
// An expression serves conditions that are the same call (or comparison) of the object alone, whatever its variable is called:
// only objects for which it holds are visited. Functions of the template may be called.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/policy/template.h"
#include "rules/policy/template_modules.h"

namespace portcullis::policy {

inline constexpr std::string_view kIndexesAnnotation = "portcullis.dev/indexes";
inline constexpr std::size_t kMostDeclaredIndexes = 8;

// One entry of the annotation.
struct IndexRequestText {
  store::Scope scope = store::Scope::kNamespaced;
  std::string kind;
  std::string path;        // Or
  std::string expression;  // this.
};

// The entries of a template's annotation; none where it has none. ERRORS: kInvalidArgument: names the entry.
[[nodiscard]] Result<std::vector<IndexRequestText>> ReadDeclaredIndexes(
    const document::Value& object);

// Their definitions. COST: a compilation of the template for each expression. ERRORS: kInvalidArgument: names the entry.
[[nodiscard]] Result<std::vector<DeclaredIndex>> MakeDeclaredIndexes(
    const std::vector<IndexRequestText>& entries, const TemplateSource& source,
    const std::shared_ptr<const builtins::Catalog>& catalog);

}  // namespace portcullis::policy
