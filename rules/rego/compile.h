// From texts to a checked, rewritten, ordered policy: OPA's parser and compiler stages.

#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/rego/ast.h"

namespace portcullis::rego {

// One of OPA's diagnostics.
struct Diagnostic {
  std::string code;  // rego_parse_error, rego_compile_error, rego_unsafe_var_error,
                     // rego_type_error, rego_recursion_error, …
  std::string message;
  Location location;
  std::vector<std::string> details;  // Lines that follow the message: of parse errors the text and
                                     // a caret, of type errors have/want.
  // "template:2: rego_unsafe_var_error: var msg is unsafe"
  [[nodiscard]] std::string ToString() const;
};

// OPA's text for several: "1 error occurred: …", or "2 errors occurred:\n…\n…".
[[nodiscard]] std::string ToString(const std::vector<Diagnostic>& diagnostics);

template <class T>
using Checked = std::expected<T, std::vector<Diagnostic>>;

[[nodiscard]] Checked<std::unique_ptr<Module>> ParseModule(std::string file, std::string text,
                                                           Version version);
// A query: a body, as `opa eval` takes it (v1 keywords).
[[nodiscard]] Checked<Body> ParseQuery(std::string text, Version version = Version::kV1);

// All definitions of one name.
struct RuleSet {
  RuleKind kind = RuleKind::kComplete;
  std::vector<const Rule*>
      rules;  // In the order of the modules and of their texts; `default` ones too.
};

// The tree of rules: data.<path> down to each name. Ref-head rules hang below the longest ground
// prefix of their reference.
struct RuleTree {
  std::map<std::string, std::unique_ptr<RuleTree>, std::less<>> children;
  std::unique_ptr<RuleSet> rules;
  [[nodiscard]] const RuleTree* Child(std::string_view name) const;
};

struct CompileOptions {
  const builtins::Catalog* catalog = nullptr;  // REQUIRED. What may be called.
  bool strict = false;                         // OPA's --strict.
  bool keep_prints = false;                    // Otherwise print(…) is erased.
};

struct PolicyState;

// Immutable once made. THREADS: may be read in parallel.
struct CompiledPolicy {
  std::vector<std::unique_ptr<Module>> modules;
  RuleTree root;  // Below `data`.
  const builtins::Catalog* catalog = nullptr;
  std::shared_ptr<const PolicyState> state;  // What CompileQuery needs.
};

[[nodiscard]] Checked<std::shared_ptr<const CompiledPolicy>> Compile(
    std::vector<std::unique_ptr<Module>> modules, const CompileOptions& options);

// Resolves, checks and orders a query against the policy. Variables that the author wrote keep
// their names.
[[nodiscard]] Checked<Body> CompileQuery(const CompiledPolicy& policy, Body query,
                                         const CompileOptions& options);

}  // namespace portcullis::rego
