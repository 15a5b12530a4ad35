// The schema that constraints of one template must fulfil: Kubernetes' structural OpenAPI v3 subset, as a CRD carries it.
// Understood are types, nullable, required, properties, additionalProperties, items, enum, pattern, bounds and lengths, allOf,
// anyOf, oneOf, not, default, x-kubernetes-preserve-unknown-fields, -int-or-string and -embedded-resource. `format` is read
// and not enforced.
// SOURCE: k8s.io/apiextensions-apiserver/pkg/apiserver/schema and kube-openapi/pkg/validation.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace portcullis::policy {

struct SchemaNode;

// The schema of every constraint but for `spec.parameters`, as JSON (gatekeeper.md 1.2): what a generated CRD carries.
[[nodiscard]] std::string_view ConstraintSchemaText();

// Immutable. THREADS: may be read in parallel.
class Schema {
 public:
  ~Schema();

  // The schema of a generated constraint CRD (gatekeeper.md 1.2). `parameters` is the template's openAPIV3Schema; undefined:
  // constraints have no parameters. `legacy` lets parameters hold more than the schema names.
  // ERRORS: kInvalidArgument: no schema, or one that Kubernetes refuses in a CRD, with Kubernetes' text.
  static Result<std::unique_ptr<const Schema>> ForConstraints(const document::Value& parameters,
                                                              bool legacy);

  // What is wrong with `object`, a line each, in the order of the schema's fields.
  [[nodiscard]] std::vector<std::string> Validate(const document::Value& object) const;
  // Paths of members that the schema does not know, sorted: "spec.foo".
  [[nodiscard]] std::vector<std::string> UnknownFields(const document::Value& object) const;
  // `object` with the schema's defaults filled in; what is not changed is shared with `object`, nothing with the schema.
  [[nodiscard]] document::Value WithDefaults(const document::Value& object,
                                             document::Arena& arena) const;

 private:
  Schema();
  std::unique_ptr<document::Arena> arena_;  // Holds defaults and enumerations.
  std::unique_ptr<const SchemaNode> root_;
};

}  // namespace portcullis::policy
