// The engine's public face: a compiled policy becomes a plan once; the plan is run for each review.

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "index/definition.h"
#include "index/inventory.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// An evaluation that ended in an error of the policy (not of the engine): what OPA's topdown.Error says.
struct EvaluationError {
  std::string
      code;  // eval_conflict_error, eval_builtin_error, eval_type_error, eval_internal_error, eval_cancel_error
  std::string message;
  Location location;
  // "template:4: eval_conflict_error: functions must not produce multiple outputs for same inputs"
  [[nodiscard]] std::string ToString() const;
};

enum class IndexUse : std::uint8_t { kUse, kIgnore };

// Whose words an eval_conflict_error of complete rules and functions has.
enum class ConflictTexts : std::uint8_t {
  kGatekeeper,  // OPA 1.17's, which Gatekeeper shows: "functions must not produce multiple outputs for same inputs"
  kCurrent,  // OPA 1.22's: "function data.a.f produced conflicting values for the same inputs"
};

// What an evaluation cost, by access path.
struct EvaluationStatistics {
  std::uint64_t gets = 0;             // Point reads of the inventory.
  std::uint64_t lookups = 0;          // Index look-ups.
  std::uint64_t scans = 0;            // Scans of a range of objects.
  std::uint64_t objects_visited = 0;  // By look-ups and scans.
  EvaluationStatistics& operator+=(const EvaluationStatistics& other);
};

// What one access of a plan cost: PlanStep::access.
struct AccessCost {
  std::uint64_t runs = 0;  // Times that the step was reached.
  EvaluationStatistics reads;
  std::uint64_t rows = 0;   // Objects (or nodes of the tree) that the steps after it were run for.
  std::uint64_t bytes = 0;  // Encoded, of the objects that were read.
  std::chrono::steady_clock::duration time{};  // In the inventory, without the steps after it.
};

// All that one evaluation reads. LIFETIME: everything outlives the result, which lives in `arena`.
struct EvaluationRequest {
  document::Value input;  // Undefined: there is no input.
  document::Value data;   // Base documents below `data`; undefined or an object.
  index::InventoryView* inventory = nullptr;  // What data.inventory is; null: whatever `data` has.
  document::NumberMode inventory_numbers = document::NumberMode::kFloat64;
  document::Arena* arena = nullptr;  // REQUIRED. Its limit is the evaluation's.
  Clock* clock = nullptr;            // REQUIRED.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  IndexUse index_use = IndexUse::kUse;
  bool strict_builtin_errors = false;
  ConflictTexts conflict_texts = ConflictTexts::kGatekeeper;
  // Steps after which the evaluation ends as at its deadline, but the same at any load; 0: no limit.
  std::uint64_t step_limit = 0;
  EvaluationStatistics* statistics = nullptr;
  // Gets the cost of each access of the plan, added to what is there; null: they are not measured. COST: two looks at the
  // clock for each object.
  std::vector<AccessCost>* accesses = nullptr;
  std::string* prints = nullptr;  // What print() writes goes here, a line each; null: nowhere.
};

// One variable of a query and its value.
struct Binding {
  std::string_view variable;
  document::Value value;
};

// How a plan reaches what it reads, for `portcullis explain` and for tests.
struct PlanStep {
  std::uint32_t depth = 0;
  std::string text;  // "for each other in namespace/*/*/Ingress where spec.rules[_].host == host"
  std::string
      access_path;  // "get", "range", "index look-up", "full scan", or empty: touches no inventory.
  std::vector<index::Definition> indexes;
  std::string reason;  // Of a scan: why no index serves.
  // The indexes of the first choice, of the second …: any choice serves, all of its indexes are looked up.
  std::vector<std::size_t> choices = {};
  // What a scan of it goes through.
  struct Scanned {
    store::Scope scope = store::Scope::kNamespaced;
    std::string kind;  // "" is every kind.
  };
  std::vector<Scanned> scanned = {};
  std::optional<std::uint32_t> access = std::nullopt;  // Its place in EvaluationRequest::accesses.
};

struct RuleExplanation {
  std::string rule;  // "data.template.violation (line 9)"
  std::vector<PlanStep> steps;
};

// THREADS: Evaluate may be called in parallel; nothing else changes a plan.
class Plan {
 public:
  virtual ~Plan() = default;

  // The value of the document that was asked for; undefined where it has none. A partial set gives a set.
  // An evaluation that reached its deadline or the arena's limit ends with eval_cancel_error.
  // ERRORS (outer): the store failed.
  virtual Result<std::expected<document::Value, EvaluationError>> Evaluate(
      const EvaluationRequest& request) const = 0;

  // The indexes that this plan would use.
  [[nodiscard]] virtual const std::vector<index::Definition>& wanted_indexes() const = 0;
  // True if some reference reads data.inventory.
  [[nodiscard]] virtual bool reads_inventory() const = 0;
  [[nodiscard]] virtual std::vector<RuleExplanation> Explain() const = 0;
};

// What the planner does not choose by itself.
struct PlanOptions {
  // Indexes that an author asks for: a condition that one of them serves uses it, whatever else there is.
  std::vector<index::Definition> declared;
  // An index for every condition that is a call which the scanned object alone decides.
  bool all_tests = false;
};

// The plan for one document, e.g. {"template", "violation"} for data.template.violation.
[[nodiscard]] Result<std::unique_ptr<const Plan>> MakePlan(
    std::shared_ptr<const CompiledPolicy> policy, std::span<const std::string> path,
    PlanOptions options = {});

// The plan for a query with variables.
class QueryPlan {
 public:
  virtual ~QueryPlan() = default;
  // One list of bindings a solution, variables in order of their names, generated ones left out.
  virtual Result<std::expected<std::vector<std::vector<Binding>>, EvaluationError>> Evaluate(
      const EvaluationRequest& request) const = 0;
};

[[nodiscard]] Result<std::unique_ptr<const QueryPlan>> MakeQueryPlan(
    std::shared_ptr<const CompiledPolicy> policy, Body query);

}  // namespace portcullis::rego
