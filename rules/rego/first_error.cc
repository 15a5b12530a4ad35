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

}  // namespace

EvaluationError FirstError(const std::shared_ptr<const CompiledPolicy>& policy,
                           const std::function<std::optional<ValueQuery>()>& query,
                           const EvaluationRequest& request, EvaluationError error) {
  const auto now = request.clock->Now();
  if (!IsOfPolicy(error) || request.step_limit != 0 || request.deadline <= now ||
      AsksOthers(*policy)) {
    return error;
  }
  std::optional<ValueQuery> asked = query();
  if (!asked) {
    return error;
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
  const auto outcome = trace::TracedQuery(policy, std::move(asked->body), std::move(asked->written))
                           .Evaluate(again, release, sink);
  const bool is_met = outcome && !*outcome && IsOfPolicy(outcome->error());
  return is_met ? outcome->error() : std::move(error);
}

}  // namespace portcullis::rego
