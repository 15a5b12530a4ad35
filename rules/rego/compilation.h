// What the compiler's stages share. Internal to rules/rego.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/rego/compile.h"
#include "rules/rego/variables.h"

namespace portcullis::rego {

// The errors of a compilation, as far as its options want them.
class ErrorList {
 public:
  enum class Kind : std::uint8_t {
    kFinal,        // No stage runs after this one.
    kRecoverable,  // Later stages run, to find more.
  };
  explicit ErrorList(std::size_t limit) : limit_(limit) {}
  // False once the limit is reached.
  bool Add(Diagnostic error, Kind kind = Kind::kFinal);
  bool Add(std::vector<Diagnostic> errors, Kind kind = Kind::kFinal);

  [[nodiscard]] bool empty() const { return errors_.empty(); }
  [[nodiscard]] bool stops() const { return stops_; }
  // In the order of their locations.
  [[nodiscard]] std::vector<Diagnostic> Take();
  // In the order in which they were added, as OPA tells those of a query.
  [[nodiscard]] std::vector<Diagnostic> TakeAsMet();

 private:
  [[nodiscard]] bool full() const { return limit_ != 0 && errors_.size() >= limit_; }

  std::size_t limit_;  // 0: none.
  std::vector<Diagnostic> errors_;
  bool stops_ = false;
};

[[nodiscard]] Diagnostic CompileError(const Location& location, std::string message);
[[nodiscard]] Diagnostic TypeError(const Location& location, std::string message);

// Makes "__local0__", "__local1__", …, leaving out names that the texts use.
class LocalNames {
 public:
  explicit LocalNames(std::string prefix = "__local") : prefix_(std::move(prefix)) {}
  void Exclude(const VarSet& vars) { Insert(taken_, vars); }
  [[nodiscard]] std::string Next();

 private:
  std::string prefix_;
  VarSet taken_;
  std::uint64_t next_ = 0;
};

// Rules by the ground part of their references. Keys are terms as printed.
struct RuleNode {
  std::map<std::string, std::unique_ptr<RuleNode>, std::less<>> children;
  std::vector<Rule*> rules;
  [[nodiscard]] const RuleNode* Child(const Term& key) const;
  [[nodiscard]] const RuleNode* Find(const Term& reference) const;
};

struct DynamicReference;

// Which rules a rule's references may select.
struct RuleGraph {
  std::map<const Rule*, std::vector<Rule*>> dependencies;
  std::map<const Rule*, std::vector<Rule*>> dependents;
  std::set<std::pair<const Rule*, const Rule*>>
      certain;  // Dependencies that do not hang on the value of a variable.
  std::map<std::pair<const Rule*, const Rule*>, std::shared_ptr<const DynamicReference>>
      causes;                // Of others, the first reference that they come from.
  std::vector<Rule*> rules;  // Dependencies first, where there is no cycle.
};

struct TypeEnvironment;

// The state of one compilation, of modules or of a query.
struct Compilation {
  explicit Compilation(const CompileOptions& given)
      : options(given), catalog(*given.catalog), errors(given.max_errors) {}
  Compilation(const Compilation&) = delete;
  Compilation& operator=(const Compilation&) = delete;

  const CompileOptions& options;
  const builtins::Catalog& catalog;
  std::vector<std::unique_ptr<Module>> modules;  // By file name.
  ErrorList errors;
  LocalNames names;
  WrittenNames written;  // What the author called a generated variable.
  std::map<std::string, TermPtr, std::less<>>
      subjects;  // The term that a generated variable stands for.
  std::map<std::string, std::string, std::less<>>
      query_names;  // Variables of a query's top, back to what they were.
  std::shared_ptr<RuleNode> tree = std::make_shared<RuleNode>();
  std::shared_ptr<const RuleGraph> graph;
  std::shared_ptr<const TypeEnvironment> builtin_types;
  std::shared_ptr<const TypeEnvironment> types;  // Of rules, over those of builtins.
  Arity arity;
  bool open_collections = true;   // Some set or object literal holds more than constants.
  bool calls_deprecated = false;  // As far as types are checked: not below every, not, and, or.

  [[nodiscard]] const builtins::Builtin* FindBuiltin(const Term& reference) const;
  [[nodiscard]] std::string Written(const std::string& variable) const;
  // The reference with the author's names.
  [[nodiscard]] TermPtr WithWrittenNames(const Term& reference) const;

  // `var = term`, with a new variable.
  [[nodiscard]] ExprPtr NewEquality(TermPtr term);
};

[[nodiscard]] TermPtr NewVar(std::string name, const Location& location);
[[nodiscard]] TermPtr NewString(std::string text, const Location& location);
[[nodiscard]] TermPtr NewOperator(std::string_view name, const Location& location);
[[nodiscard]] TermPtr NewRef(std::vector<TermPtr> items, const Location& location);
[[nodiscard]] ExprPtr NewCallExpr(std::string_view name, TermPtr a, TermPtr b,
                                  const Location& location);
// The items of a reference up to the first that is not ground.
[[nodiscard]] std::size_t GroundPrefixSize(const Term& reference);
// data, then the package, then the rule's own reference.
[[nodiscard]] TermPtr FullReference(const Rule& rule);

// Puts expressions at the end of a body; a lone `true` gives way to them.
void AppendToBody(Body& body, std::vector<ExprPtr> exprs);
void Renumber(Body& body);

[[nodiscard]] bool IsConstant(
    const Term& term);  // No variable, reference, call or closure is in it.
// The rules, and their else parts aside, that a reference may select.
[[nodiscard]] std::vector<Rule*> RulesOf(const RuleNode& root, const Term& reference);
[[nodiscard]] bool ContainsRefs(const Term& term);
[[nodiscard]] bool ContainsComprehensions(const Term& term);
// Whether a term's value must be computed before it can be matched.
[[nodiscard]] bool RequiresEvaluation(const Term& term);

// The stages, in their order.
void ResolveNames(Compilation& compilation);             // names.cc
void RewriteHeadRefs(Compilation& compilation);          // names.cc
void CheckRootOverrides(Compilation& compilation);       // names.cc
void CheckDuplicateImports(Compilation& compilation);    // names.cc
void MakeRuleNodes(Compilation& compilation);            // rule_node.cc
void RewriteLocals(Compilation& compilation);            // locals.cc
void RewriteTemplates(Compilation& compilation);         // templates.cc
void CheckVoidCalls(Compilation& compilation);           // calls.cc
void RewritePrints(Compilation& compilation);            // prints.cc
void ExpandTerms(Compilation& compilation);              // expand.cc
void MakeRuleGraph(Compilation& compilation);            // rule_graph.cc
void RewriteMetadataCalls(Compilation& compilation);     // metadata.cc
void HoistComprehensionTerms(Compilation& compilation);  // hoist.cc
void HoistHeadTerms(Compilation& compilation);           // hoist.cc
void RewriteWith(Compilation& compilation);              // with.cc
void CheckRuleConflicts(Compilation& compilation);       // rule_node.cc
void CheckFunctions(Compilation& compilation);           // calls.cc
void CheckHeadSafety(Compilation& compilation);          // safety.cc
void OrderBodies(Compilation& compilation);              // safety.cc
void RewriteEquals(Compilation& compilation);            // hoist.cc
void HoistDynamicTerms(Compilation& compilation);        // hoist.cc
void CheckRecursion(Compilation& compilation);           // recursion.cc
void CheckTypes(Compilation& compilation);               // check.cc
void CheckDeprecated(Compilation& compilation);          // calls.cc

// The same of a query's body.
// `context`: see CompileValueQuery.
void ResolveNames(Body& query, const Module* context,
                  const std::vector<std::unique_ptr<Module>>& modules);
void RewriteLocals(Compilation& compilation, Body& query);
void RewriteTemplates(Compilation& compilation, Body& query);
void CheckVoidCalls(Compilation& compilation, Body& query);
void RewritePrints(Compilation& compilation, Body& query);
void ExpandTerms(Compilation& compilation, Body& query);
void HoistComprehensionTerms(Compilation& compilation, Body& query);
void RewriteWith(Compilation& compilation, Body& query);
void CheckFunctions(Compilation& compilation, Body& query);
void OrderBody(Compilation& compilation, Body& query);
void HoistDynamicTerms(Compilation& compilation, Body& query);
void CheckTypes(Compilation& compilation, Body& query);

// CompileQuery, with names that `context` brings and a stage after names are resolved; null: none. `named`, if not null,
// gets the names of the query's own variables.
struct NamedVariables {
  WrittenNames written;
  WrittenNames tops;  // As ValueQuery::tops.
};
[[nodiscard]] Checked<Body> CompileQueryWith(
    const CompiledPolicy& policy, Body query, const Module* context, const CompileOptions& options,
    const std::function<void(Compilation&, Body&)>& after_names, NamedVariables* named);

}  // namespace portcullis::rego
