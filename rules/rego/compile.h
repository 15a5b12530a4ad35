// From texts to a checked, rewritten, ordered policy: OPA's parser and compiler stages.
//
// What the planner may rely on, in rules and in compiled queries:
// - References. The head of a kRef is a kVar: `data` or `input`, with the full path behind it, or a local variable; never
//   a call or a collection. Operands are scalars, variables, and arrays, objects and sets of such; where the reference
//   stands in a kCall's operands it has been hoisted (see below). Imports, package-local names and shadowing are resolved.
// - Variables. Every `:=`, `some`, argument and `every` variable has a name of its own in the whole policy ("__local3__",
//   "__localq3__" in queries); variables that are bound by unification without a declaration keep their written names, and
//   mean the same throughout their rule. Each wildcard is its own variable ("$0"). `some` and `assign` are gone: kSome
//   does not occur, `x := e` and `some k, v in xs` have become `eq`. In queries variables of the top level are called
//   again what the author called them.
// - Equality. kCall of `eq` with two operands is unification, in any form: variable with anything, reference with
//   reference, array and object patterns with anything, scalar with scalar. In rules `a == b` without a captured result is
//   `eq` too (both sides are bound by then); in queries it stays `equal`, since its value is asked for. A kRef or
//   comprehension appears in a body only as the whole of a kTerm, as the whole of one side of `eq`, or hoisted.
// - Calls. Only as kCall expressions: terms are the operator, the arguments, and where the result is used one more term, to be
//   unified with it. Operands are variables, scalars, and collections of those: references and comprehensions in them
//   have been hoisted to `eq` of a generated variable before the expression (`generated` set), in the order in which OPA
//   evaluates them; these carry the same `with`. A call without the extra term succeeds unless its result is false.
//   The operator is a builtin's name (one kVar, or kVar and kStrings) or the full reference of a function.
// - every. terms are key (always there), value, domain (a variable, bound before); body is a body of its own, whose variables
//   are not seen outside. kNot, kAnd and kOr hold bodies likewise, and bind nothing outside. A plain `not e` is `e` with
//   `negated`, whose variables are all bound before.
// - with. target: a kRef into input or data, or the name of a builtin or function (a kRef). value: a variable, a scalar or a
//   collection of those, bound before; or where a function is replaced, a kRef that names one.
// - Bodies are in an order in which every variable is bound before it must be: arguments of calls, heads of references,
//   negated expressions, `with` values, and what closures mention.
// - Comprehensions: their items are variables, scalars or collections of those; so are a rule's arguments, key and value.
//   Template strings and print() are gone: calls of internal.template_string([part, …]), where parts are strings, sets of
//   at most one member, or comprehensions of such sets; and, if keep_prints is set, of internal.print([set, …]), an array
//   of set comprehensions.
// - Rules. `reference` is the name and the keys as written; keys are scalars and variables. kComplete: all are strings.
//   kPartialObject: at least one is not; the strings before the first such key are its place in the tree, the value is at the
//   end of the path that the rest makes, and `key` is a copy of the last. kPartialSet: `key` is the member; with keys in
//   its reference that are not strings it is a set at the end of that path. `else_rule` has its own head, with the
//   arguments' variables of its first rule. `default` rules have a body of `true`, functions among them plain
//   variables as arguments.

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

// Whether METADATA comments are read, and what is wrong in them is an error of the text, as in `opa eval` and `opa check`.
// Where they are not, as in Gatekeeper, they are read once a rule calls rego.metadata.rule or chain.
enum class Annotations : std::uint8_t { kIgnore, kRead };
[[nodiscard]] Checked<std::unique_ptr<Module>> ParseModule(
    std::string file, std::string text, Version version,
    Annotations annotations = Annotations::kIgnore);
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
  std::size_t max_errors = 10;                 // After so many no more are looked for; 0: all are.
};

// By the names that the compiler gave.
using WrittenNames = std::map<std::string, std::string, std::less<>>;

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

// What the author called a variable that the compiler renamed; null: it was not.
[[nodiscard]] const std::string* WrittenName(const CompiledPolicy& policy,
                                             std::string_view variable);

// Resolves, checks and orders a query against the policy. Variables that the author wrote keep
// their names.
[[nodiscard]] Checked<Body> CompileQuery(const CompiledPolicy& policy, Body query,
                                         const CompileOptions& options);

}  // namespace portcullis::rego
