#include "rules/rego/first_error.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "document/arena.h"
#include "rules/rego/trace/traced_query.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using document::Value;

constexpr std::chrono::milliseconds kPatience(200);
// What a store's inventory may take, which is read whole.
constexpr std::size_t kMostInventory = std::size_t{16} << 20;

class Unheard final : public trace::Sink {
 public:
  [[nodiscard]] bool wants_unify() const override { return false; }
  bool Add(const trace::Event& /*event*/) override { return true; }
};

bool IsOfPolicy(const EvaluationError& error) {
  return error.code == "eval_conflict_error" || error.code == "eval_builtin_error" ||
         error.code == "eval_type_error";
}

// Other systems are asked once.
bool AsksOthers(const CompiledPolicy& policy) {
  bool asks = false;
  ConstVisitor visitor;
  visitor.expr = [&asks](const Expr& expr) {
    if (expr.kind == ExprKind::kCall) {
      const std::string name = ToString(*expr.terms[0]);
      asks = asks || name == "http.send" || name == "external_data";
    }
    return !asks;
  };
  for (const std::unique_ptr<Module>& module : policy.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(std::as_const(*rule), visitor);
    }
  }
  return asks;
}

using Solutions = std::vector<std::vector<Value>>;

// Nothing: they do not fit into what the evaluation may take.
std::optional<Solutions> Kept(const std::vector<std::vector<Binding>>& rows,
                              std::span<const std::string> variables, document::Arena& arena) {
  Solutions solutions;
  for (const std::vector<Binding>& row : rows) {
    std::vector<Value>& values = solutions.emplace_back();
    for (const std::string& variable : variables) {
      const auto binding = std::ranges::find(row, variable, &Binding::variable);
      values.push_back(binding == row.end() ? Value() : document::DeepCopy(binding->value, arena));
      if (arena.over_limit()) {
        return std::nullopt;
      }
    }
  }
  return solutions;
}

}  // namespace

std::expected<Solutions, EvaluationError> SettleError(
    const std::shared_ptr<const CompiledPolicy>& policy,
    const std::function<std::optional<ValueQuery>()>& query, std::span<const std::string> variables,
    const EvaluationRequest& request, EvaluationError error) {
  const auto now = request.clock->Now();
  if (!IsOfPolicy(error) || request.step_limit != 0 || request.deadline <= now ||
      AsksOthers(*policy)) {
    return std::unexpected(std::move(error));
  }
  std::optional<ValueQuery> asked = query();
  if (!asked) {
    return std::unexpected(std::move(error));
  }
  // What the evaluation has left of its memory.
  const std::size_t limit = request.arena->limit_bytes();
  const std::size_t left = limit - std::min(request.arena->used_bytes(), limit);
  document::Arena arena(request.inventory == nullptr ? left : std::min(left, kMostInventory));
  EvaluationRequest again = request;
  again.arena = &arena;
  again.deadline = std::min(request.deadline, now + kPatience);
  again.statistics = nullptr;
  again.accesses = nullptr;
  again.prints = nullptr;
  Unheard sink;
  const auto release = request.conflict_texts == ConflictTexts::kCurrent ? trace::Release::k1_22
                                                                         : trace::Release::k1_17;
  const trace::TracedQuery traced(policy, *std::move(asked));
  const auto outcome = traced.Evaluate(again, release, sink);
  if (!outcome) {
    return std::unexpected(std::move(error));
  }
  if (!*outcome) {
    return std::unexpected(IsOfPolicy(outcome->error()) ? outcome->error() : std::move(error));
  }
  if (auto solutions = Kept(**outcome, variables, *request.arena)) {
    return *std::move(solutions);
  }
  return std::unexpected(std::move(error));
}

}  // namespace portcullis::rego
