// /v1/admitlabel: only exempt namespaces may set the label that takes a namespace out of the webhooks' reach (gatekeeper.md 4.6).

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portcullis::webhook {

// Which namespaces may set the label.
struct ExemptNamespaces {
  std::vector<std::string> names;
  std::vector<std::string> prefixes;
  std::vector<std::string> suffixes;
};

// Appends the reply to the AdmissionReview in `body` to `reply`. Never fails: what goes wrong is in the reply.
void AdmitNamespaceLabel(std::string_view content_type, std::string_view body,
                         const ExemptNamespaces& exempt, std::string* reply);

}  // namespace portcullis::webhook
