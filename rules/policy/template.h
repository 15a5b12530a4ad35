// A ConstraintTemplate: the Rego of one policy, compiled (gatekeeper.md sections 1.1 and 3).

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "rules/policy/schema.h"
#include "rules/rego/engine.h"

namespace portcullis::policy {

// An index that a template asks for by its annotation (rules/policy/declared_index.h).
struct DeclaredIndex {
  index::Definition definition;
  std::string text;   // As it was written: a path, or an expression.
  bool used = false;  // By some step of the plan. Only then it is built.
};

// Immutable. THREADS: may be read in parallel.
struct Template {
  std::string name;                     // metadata.name: the kind in lower case.
  std::string kind;                     // Of its constraints.
  std::vector<std::string> operations;  // spec.targets[0].operations; empty: all.
  std::string parameters_schema;  // openAPIV3Schema of spec.parameters as JSON text; empty: none.
  std::unique_ptr<const Schema> schema;  // Of its constraints.
  bool legacy_schema = false;
  std::shared_ptr<const builtins::Catalog> catalog;  // What the plan was compiled with.
  std::shared_ptr<const rego::CompiledPolicy> policy;
  std::unique_ptr<const rego::Plan> plan;  // data.template.violation
  std::vector<DeclaredIndex> declared_indexes;
  std::string source;  // spec.targets as JSON text: what the plan was made from.
  [[nodiscard]] bool reads_inventory() const { return plan->reads_inventory(); }
};

struct TemplateOptions {
  bool keep_prints =
      false;  // print(…) writes to EvaluationRequest::prints; otherwise it is erased.
  bool may_read_inventory = true;  // data.inventory may be referred to.
};

// Reads and compiles. ERRORS: kInvalidArgument with Gatekeeper's text.
[[nodiscard]] Result<std::shared_ptr<const Template>> ParseTemplate(
    const document::Value& object, const std::shared_ptr<const builtins::Catalog>& catalog,
    const TemplateOptions& options = {});

// What can be said without compiling the Rego: names, target, schema (Gatekeeper's CreateCRD).
[[nodiscard]] Result<void> CheckTemplateMetadata(const document::Value& object);

// targets[].operations: "*" stands alone. ERRORS: kInvalidArgument with the text that Gatekeeper's webhook answers with
// code 500; its controller accepts such a template.
[[nodiscard]] Result<void> CheckTemplateOperations(const document::Value& object);

}  // namespace portcullis::policy
