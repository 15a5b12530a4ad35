#include "rules/rego/engine.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "document/json.h"
#include "document/walk_guard.h"
#include "rules/builtins/prepared_cache.h"
#include "rules/rego/evaluator.h"
#include "rules/rego/first_error.h"
#include "rules/rego/planner.h"

namespace portcullis::rego {
namespace {

using document::Value;

// The indexes that a program would look up, each once.
std::vector<index::Definition> IndexesOf(const Program& program) {
  std::vector<index::Definition> indexes;
  for (const InventoryAccess& access : program.inventory_accesses) {
    for (const auto& choice : access.choices) {
      for (const InventoryAccess::Probe& probe : choice) {
        indexes.push_back(probe.definition);
      }
    }
  }
  std::ranges::sort(indexes);
  indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
  return indexes;
}

// Keeps what is done with values within the limits of an evaluation.
class Limits {
 public:
  explicit Limits(const EvaluationRequest& request)
      : request_(request), guard_(request.arena->limit_bytes(), [this] { return IsLate(); }) {}

  // What a result may be: it is walked again by whoever takes it.
  bool Allow(const Value& result) {
    if (!document::IsWithin(result, request_.arena->limit_bytes())) {
      too_large_ = true;
    }
    return !too_large_;
  }

  // Nothing: the evaluation kept to them.
  [[nodiscard]] std::optional<EvaluationError> error() const {
    if (guard_.end() == document::WalkGuard::End::kTime) {
      return EvaluationError{"eval_cancel_error", "caller cancelled query execution", {}};
    }
    if (guard_.end() == document::WalkGuard::End::kBytes || too_large_) {
      return EvaluationError{"eval_cancel_error", "memory limit reached", {}};
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool IsLate() const {
    return request_.deadline != std::chrono::steady_clock::time_point::max() &&
           request_.clock->Now() >= request_.deadline;
  }

  const EvaluationRequest& request_;
  bool too_large_ = false;
  document::WalkGuard guard_;
};

template <class T>
Result<std::expected<T, EvaluationError>> Outcome(const Evaluator& evaluator, const Limits& limits,
                                                  T result) {
  if (limits.error()) {
    return std::expected<T, EvaluationError>(std::unexpect, *limits.error());
  }
  if (evaluator.engine_error()) {
    return std::unexpected(*evaluator.engine_error());
  }
  if (evaluator.evaluation_error()) {
    return std::expected<T, EvaluationError>(std::unexpect, *evaluator.evaluation_error());
  }
  return std::expected<T, EvaluationError>(std::move(result));
}

// A store that the program never reads makes no difference.
EvaluationRequest WithoutStore(EvaluationRequest request, const Program& program) {
  if (!program.reads_inventory) {
    request.inventory = nullptr;
  }
  return request;
}

class DocumentPlan final : public Plan {
 public:
  DocumentPlan(std::shared_ptr<const CompiledPolicy> policy, PlanOptions options)
      : policy_(std::move(policy)), options_(std::move(options)) {}

  Result<void> Make(std::span<const std::string> path) {
    text_ = "data";
    for (const std::string& part : path) {
      text_ += '[' + document::ToRego(Value::String(part)) + ']';
    }
    auto planned = Planner(*policy_, program_, explanations_, options_).PlanDocument(path);
    wanted_indexes_ = IndexesOf(program_);
    return planned;
  }

  Result<std::expected<Value, EvaluationError>> Evaluate(
      const EvaluationRequest& request) const override {
    Limits limits(request);
    if (request.accesses != nullptr) {
      request.accesses->resize(program_.inventory_accesses.size());
    }
    Evaluator evaluator(program_, request, prepared_);
    const Value result = evaluator.RunDocument();
    limits.Allow(result);
    auto outcome = Outcome(evaluator, limits, result);
    if (outcome && !*outcome) {
      const auto query = [this]() -> std::optional<ValueQuery> {
        auto parsed = ParseQuery("document := " + text_);
        auto compiled =
            parsed ? CompileQuery(*policy_, *std::move(parsed), {.catalog = policy_->catalog})
                   : std::unexpected(std::move(parsed).error());
        return compiled ? std::optional(ValueQuery{.body = *std::move(compiled)}) : std::nullopt;
      };
      const std::array variable = {std::string("document")};
      auto settled = SettleError(policy_, query, variable, WithoutStore(request, program_),
                                 std::move(outcome->error()));
      if (!settled) {
        outcome->error() = std::move(settled).error();
      } else {
        *outcome = settled->empty() ? Value() : settled->front().front();
      }
    }
    return outcome;
  }

  [[nodiscard]] const std::vector<index::Definition>& wanted_indexes() const override {
    return wanted_indexes_;
  }
  [[nodiscard]] bool reads_inventory() const override { return program_.reads_inventory; }
  [[nodiscard]] std::vector<RuleExplanation> Explain() const override { return explanations_; }

 private:
  const std::shared_ptr<const CompiledPolicy> policy_;
  const PlanOptions options_;
  std::string text_;  // The document, as a query names it.
  Program program_;
  std::vector<RuleExplanation> explanations_;
  std::vector<index::Definition> wanted_indexes_;
  mutable builtins::PreparedCache prepared_;
};

class VariablesPlan final : public QueryPlan {
 public:
  VariablesPlan(std::shared_ptr<const CompiledPolicy> policy, Body query)
      : policy_(std::move(policy)), query_(std::move(query)) {}

  Result<void> Make() { return Planner(*policy_, program_, explanations_, {}).PlanQuery(query_); }

  Result<std::expected<std::vector<std::vector<Binding>>, EvaluationError>> Evaluate(
      const EvaluationRequest& request) const override {
    Limits limits(request);
    Evaluator evaluator(program_, request, prepared_);
    auto outcome = Outcome(evaluator, limits, Named(evaluator.RunQuery(), limits));
    if (outcome && !*outcome) {
      const auto query = [this] { return std::optional(ValueQuery{.body = Clone(query_)}); };
      auto settled = SettleError(policy_, query, program_.query_variables,
                                 WithoutStore(request, program_), std::move(outcome->error()));
      if (!settled) {
        outcome->error() = std::move(settled).error();
      } else {
        *outcome = Named(*settled, limits);
      }
    }
    return outcome;
  }

 private:
  std::vector<std::vector<Binding>> Named(const std::vector<std::vector<Value>>& solutions,
                                          Limits& limits) const {
    std::vector<std::vector<Binding>> rows;
    for (const std::vector<Value>& values : solutions) {
      std::vector<Binding>& row = rows.emplace_back();
      for (std::size_t i = 0; i < values.size() && limits.Allow(values[i]); ++i) {
        row.push_back({.variable = program_.query_variables[i], .value = values[i]});
      }
    }
    return rows;
  }

  const std::shared_ptr<const CompiledPolicy> policy_;
  const Body query_;
  Program program_;
  std::vector<RuleExplanation> explanations_;
  mutable builtins::PreparedCache prepared_;
};

}  // namespace

EvaluationStatistics& EvaluationStatistics::operator+=(const EvaluationStatistics& other) {
  gets += other.gets;
  lookups += other.lookups;
  scans += other.scans;
  objects_visited += other.objects_visited;
  return *this;
}

std::string EvaluationError::ToString() const {
  std::string text;
  if (location.row != 0) {
    text = (location.file ? *location.file : std::string()) + ":" + std::to_string(location.row) +
           ": ";
  }
  return text + code + ": " + message;
}

Result<std::unique_ptr<const Plan>> MakePlan(std::shared_ptr<const CompiledPolicy> policy,
                                             std::span<const std::string> path,
                                             PlanOptions options) {
  auto plan = std::make_unique<DocumentPlan>(std::move(policy), std::move(options));
  if (auto made = plan->Make(path); !made) {
    return std::unexpected(std::move(made).error());
  }
  return plan;
}

Result<std::unique_ptr<const QueryPlan>> MakeQueryPlan(std::shared_ptr<const CompiledPolicy> policy,
                                                       Body query) {
  auto plan = std::make_unique<VariablesPlan>(std::move(policy), std::move(query));
  if (auto made = plan->Make(); !made) {
    return std::unexpected(std::move(made).error());
  }
  return plan;
}

}  // namespace portcullis::rego
