// Makes the Program of a compiled policy: every rule that the entry point can reach becomes procedures.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "rules/rego/error_analysis.h"
#include "rules/rego/plan.h"

namespace portcullis::rego {

class BodyPlanner;

// The rules of one path, and the procedures made of them so far.
struct RuleGroup {
  enum class Kind : std::uint8_t { kComplete, kFunction, kSet, kObject, kNested };
  struct Definition {
    const Rule* rule = nullptr;
    std::vector<const Term*>
        keys;  // Below the group's path: terms of the head's reference (kNested, kObject).
  };
  Kind kind = Kind::kComplete;
  const RuleTree* node = nullptr;
  std::vector<std::string> path;
  std::vector<Definition> definitions;
  bool one_constant = false;
  Procedure* whole = nullptr;  // Or the function.
  Procedure* entry = nullptr;
  std::map<std::string, Procedure*> by_shape;
  std::map<std::size_t, Procedure*> below;  // By the number of keys.

  [[nodiscard]] std::size_t most_keys() const {
    std::size_t most = 0;
    for (const Definition& definition : definitions) {
      most = std::max(most, definition.keys.size());
    }
    return most;
  }
};

class Planner {
 public:
  // LIFETIME: `policy` outlives the program (locations point into it).
  Planner(const CompiledPolicy& policy, Program& program,
          std::vector<RuleExplanation>& explanations, PlanOptions options);
  ~Planner();

  [[nodiscard]] Result<void> PlanDocument(std::span<const std::string> path);
  [[nodiscard]] Result<void> PlanQuery(const Body& query);

  // What BodyPlanner asks for.
  [[nodiscard]] const CompiledPolicy& policy() const { return policy_; }
  [[nodiscard]] const PlanOptions& options() const { return options_; }
  [[nodiscard]] Program& program() { return program_; }
  [[nodiscard]] ErrorAnalysis& errors() { return errors_; }
  RuleGroup& GroupOf(const RuleTree& node, std::span<const std::string> path);
  const Procedure* Whole(RuleGroup& group);
  // A partial rule asked for one key: the argument.
  const Procedure* Entry(RuleGroup& group);
  // A partial rule asked for keys of one shape (AddShape): the arguments are the values of its bound leaves, in order.
  const Procedure* ByShape(RuleGroup& group, const std::string& shape, std::size_t arguments);
  // The part of nested objects below their first keys: the arguments.
  const Procedure* Below(RuleGroup& group, std::size_t keys);
  const DocumentNode* DocumentAt(std::span<const std::string> path);
  Operand Constant(document::Value value);
  Operand ConstantOf(const Term& ground);
  document::Value ValueOf(const Term& ground);
  [[nodiscard]] const document::Value& ConstantAt(Operand constant) const {
    return program_.constants[static_cast<std::size_t>(~constant.at)];
  }
  // The result of a call with constants, as a constant, where it can be told now.
  std::optional<Operand> Fold(const builtins::Builtin& builtin, std::span<const Operand> operands);
  std::span<const Operand> Operands(std::span<const Operand> operands);
  document::Value StringValue(std::string_view text);
  Block* NewBlock() { return &program_.blocks.emplace_back(); }
  // The author's words at a place in the policy; empty: it is in no module.
  [[nodiscard]] std::string_view SourceText(const Location& location) const;
  // The body of a rule that reads the inventory through names, functions and other rules, as if it did so itself; nothing where it
  // stays as it is.
  [[nodiscard]] std::optional<Body> SeeThrough(const Rule& rule);
  // The first failure is what the caller of PlanDocument sees.
  void Fail(std::string message, const Location& location);

 private:
  enum class Use : std::uint8_t { kWhole, kEntry, kShape, kBelow };
  struct Work {
    RuleGroup* group = nullptr;
    Procedure* procedure = nullptr;
    Use use = Use::kWhole;
    std::string shape;
  };
  Procedure* NewProcedure(RuleGroup& group, Procedure::Kind kind, Use use);
  void Finish();
  void PlanProcedure(const Work& work);
  const Branch* PlanBranch(const Work& work, const RuleGroup::Definition& definition,
                           const Rule& rule);
  void PlanYield(BodyPlanner& body, const Work& work, const RuleGroup::Definition& definition,
                 const Rule& rule);
  void AddDefinitions(RuleGroup& group, const RuleTree& node);
  std::unique_ptr<DocumentNode> MakeDocuments(const RuleTree& tree, std::vector<std::string>& path);

  const CompiledPolicy& policy_;
  Program& program_;
  std::vector<RuleExplanation>& explanations_;
  const PlanOptions options_;
  ErrorAnalysis errors_;
  std::map<const RuleTree*, std::unique_ptr<RuleGroup>> groups_;
  std::map<std::string, Operand, std::less<>> strings_;
  std::deque<Work> work_;
  std::optional<bool>
      replaces_builtins_;  // Some `with` puts something else in the place of a builtin.
  std::optional<bool> replaces_rules_;  // Or of a rule.
  std::optional<Error> error_;
};

// The shape of a pattern with free and bound leaves, e.g. {"field": b, "msg": f}. Equal shapes of one group share a
// procedure. `bound` gets the leaves that are arguments, in order.
template <class IsBound>
void AddShape(const Term& pattern, const IsBound& is_bound, std::string* shape,
              std::vector<const Term*>* bound) {
  if (is_bound(pattern)) {
    shape->push_back('b');
    bound->push_back(&pattern);
    return;
  }
  const bool is_object = pattern.kind == TermKind::kObject;
  if (pattern.kind != TermKind::kArray && !is_object) {
    shape->push_back('f');
    return;
  }
  shape->push_back(is_object ? '{' : '[');
  for (std::size_t i = 0; i < pattern.items.size(); ++i) {
    if (is_object && i % 2 == 0) {
      shape->append(ToString(*pattern.items[i])).push_back(':');
      continue;
    }
    AddShape(*pattern.items[i], is_bound, shape, bound);
    shape->push_back(',');
  }
  shape->push_back(is_object ? '}' : ']');
}

}  // namespace portcullis::rego
