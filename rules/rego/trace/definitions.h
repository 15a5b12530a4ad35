// The rules of a policy as OPA's evaluator finds them: a tree by their names, and which of one name's definitions an index
// look-up gives. Internal to rules/rego/trace.
// SOURCE: OPA's v1/ast/compile.go (TreeNode), v1/ast/index.go.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/rego/compile.h"
#include "rules/rego/trace/terms.h"
#include "rules/rego/trace/traced_query.h"

namespace portcullis::rego::trace {

// A rule or one of its `else` parts.
struct Definition {
  const Rule* rule = nullptr;
  const Rule* first = nullptr;  // The rule of which it is an `else` part, or itself.
  TermPtr reference;            // data.package.name[key]…
  std::string path;             // As printed, up to the first variable.
  bool is_multi_value = false;  // A set: its head has no value.
  bool is_complete = false;     // Neither set nor object.
  bool has_open_keys =
      false;  // An `else` below a head with computed keys, which OPA does not evaluate for it.
};

// The definitions to try.
struct Candidates {
  struct Chain {
    const Definition* first = nullptr;
    std::vector<const Definition*> otherwise;
  };
  std::vector<Chain> chains;
  const Definition* by_default = nullptr;
  bool is_multi_value = false;
  bool only_ground = true;  // No definition has a variable in its name.
  bool early_exit = false;

  [[nodiscard]] bool empty() const { return chains.empty() && by_default == nullptr; }
};

// What an index asks about: a part of `input`, of `data`, or an argument of the call.
struct IndexedRef {
  enum class Root : std::uint8_t { kInput, kData, kArgument };
  Root root = Root::kInput;
  std::size_t argument = 0;
  std::vector<Value> path;  // Below `input` or `data`.
  [[nodiscard]] bool operator==(const IndexedRef& other) const;
};
// Undefined: there is nothing. Null: it cannot be told.
using Resolver = std::function<std::optional<Value>(const IndexedRef& ref)>;

class DefinitionIndex {
 public:
  virtual ~DefinitionIndex() = default;
  [[nodiscard]] virtual Candidates Find(const Resolver& resolver) const = 0;
};

struct DefinitionNode {
  Value key;
  std::map<Value, std::unique_ptr<DefinitionNode>, ValueLess> children;
  std::vector<const Rule*> rules;
  bool hidden = false;                           // data.system is no part of data.
  std::unique_ptr<const DefinitionIndex> index;  // Null: there are no rules here.

  [[nodiscard]] const DefinitionNode* Child(const Value& at) const;
};

// LIFETIME: the policy and the arena of `constants` outlive it.
class Definitions {
 public:
  Definitions(const CompiledPolicy& policy, Constants& constants, Release release);

  // `data`.
  [[nodiscard]] const DefinitionNode& root() const { return root_; }
  [[nodiscard]] const Definition& Of(const Rule& rule) const { return known_.at(&rule); }
  // Below `data`; null: nothing is there.
  [[nodiscard]] const DefinitionNode* Find(const std::vector<Value>& path) const;
  // True if rules make what is at the path, or something below or above it.
  [[nodiscard]] bool IsVirtual(const std::vector<Value>& path) const;

 private:
  // `first`: the rule of which it is an `else` part, or itself.
  void Add(const Rule& rule, const Rule& first);
  void Index(DefinitionNode& node, Constants& constants, Release release);

  DefinitionNode root_;
  std::map<const Rule*, Definition> known_;
};

// Of the rules in one place, defaults among them. `definitions` is asked what rules make.
[[nodiscard]] std::unique_ptr<const DefinitionIndex> MakeDefinitionIndex(
    const std::vector<const Rule*>& rules, const Definitions& definitions, Constants& constants,
    Release release);

}  // namespace portcullis::rego::trace
