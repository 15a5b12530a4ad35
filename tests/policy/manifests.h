// Manifests of policies written down in tests.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {

struct TemplateForm {
  std::string_view version = "v1";
  std::string_view operations = {};  // "[CREATE]"; empty: not said.
};

// A ConstraintTemplate of this kind, its name the same in lower case. `rules` is Rego without its package.
inline std::string TemplateManifest(std::string_view kind, std::string_view rules,
                                    const TemplateForm& form = {}) {
  std::string text = "apiVersion: templates.gatekeeper.sh/" + std::string(form.version) +
                     "\nkind: ConstraintTemplate\nmetadata: {name: " + LowerCase(kind) +
                     "}\nspec:\n  crd: {spec: {names: {kind: " + std::string(kind) +
                     "}}}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n";
  if (!form.operations.empty()) {
    text += "    operations: " + std::string(form.operations) + "\n";
  }
  text += "    rego: |\n      package p\n";
  while (!rules.empty()) {
    const std::size_t end = std::min(rules.find('\n'), rules.size() - 1);
    text += "      " + std::string(rules.substr(0, end + 1));
    rules.remove_prefix(end + 1);
  }
  return text.ends_with('\n') ? text : text + "\n";
}

}  // namespace portcullis::policy
