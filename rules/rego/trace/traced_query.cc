#include "rules/rego/trace/traced_query.h"

#include "document/walk_guard.h"
#include "rules/rego/trace/topdown.h"
#include "rules/rego/visit.h"

namespace portcullis::rego::trace {

using Rows = std::vector<std::vector<Binding>>;

namespace {

// True if some reference may reach data.inventory.
bool NamesInventory(const CompiledPolicy& policy, const Body& query) {
  bool found = false;
  ConstVisitor visitor;
  visitor.term = [&found](const Term& term) {
    if (term.kind == TermKind::kRef && term.items[0]->text == "data") {
      found = found || term.items.size() < 2 || term.items[1]->kind != TermKind::kString ||
              term.items[1]->text == "inventory";
    }
    return !found;
  };
  Walk(query, visitor);
  for (const std::unique_ptr<Module>& module : policy.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      Walk(std::as_const(*rule), visitor);
    }
  }
  return found;
}

}  // namespace

TracedQuery::TracedQuery(std::shared_ptr<const CompiledPolicy> policy, ValueQuery query)
    : policy_(std::move(policy)), query_(std::move(query)) {
  Visitor visitor;
  visitor.term = [this](Term& term) {
    if (const auto top = query_.tops.find(term.text); term.IsVar() && top != query_.tops.end()) {
      term.text = top->second;
    }
    return true;
  };
  Walk(query_.body, visitor);
}

Result<std::expected<Rows, EvaluationError>> TracedQuery::Evaluate(const EvaluationRequest& request,
                                                                   Release release,
                                                                   Sink& sink) const {
  const auto is_late = [&request] {
    return request.deadline != std::chrono::steady_clock::time_point::max() &&
           request.clock->Now() >= request.deadline;
  };
  const document::WalkGuard guard(request.arena->limit_bytes(), is_late);
  const auto data = TRY(DataOf(request));
  if (!data) {
    return std::expected<Rows, EvaluationError>(std::unexpect, data.error());
  }
  EvaluationRequest whole = request;
  whole.data = *data;
  whole.inventory = nullptr;
  TopDown evaluator(*policy_, query_, whole, prepared_, release, sink);
  Rows rows = evaluator.Run();
  if (evaluator.engine_error()) {
    return std::unexpected(*evaluator.engine_error());
  }
  if (guard.end() == document::WalkGuard::End::kTime) {
    return std::expected<Rows, EvaluationError>(std::unexpect, "eval_cancel_error",
                                                "caller cancelled query execution", Location{});
  }
  bool too_large = guard.end() == document::WalkGuard::End::kBytes;
  for (const std::vector<Binding>& row : rows) {
    for (const Binding& binding : row) {
      too_large = too_large || !document::IsWithin(binding.value, request.arena->limit_bytes());
    }
  }
  if (too_large) {
    return std::expected<Rows, EvaluationError>(std::unexpect, "eval_cancel_error",
                                                "memory limit reached", Location{});
  }
  if (!evaluator.error()) {
    return std::expected<Rows, EvaluationError>(std::move(rows));
  }
  return std::expected<Rows, EvaluationError>(std::unexpect, *evaluator.error());
}

Result<std::expected<document::Value, EvaluationError>> TracedQuery::DataOf(
    const EvaluationRequest& request) const {
  using Outcome = std::expected<document::Value, EvaluationError>;
  if (request.inventory == nullptr || !NamesInventory(*policy_, query_.body)) {
    return Outcome(request.data);
  }
  auto query = ParseQuery("inventory := data.inventory");
  auto compiled = CompileQuery(*policy_, *std::move(query), {.catalog = policy_->catalog});
  if (!compiled) {
    return Fail(ErrorCode::kInternal, ToString(compiled.error()));
  }
  const auto plan = TRY(MakeQueryPlan(policy_, *std::move(compiled)));
  auto rows = TRY(plan->Evaluate(request));
  if (!rows) {
    return Outcome(std::unexpect, std::move(rows).error());
  }
  document::ObjectBuilder data(*request.arena);
  for (std::uint32_t i = 0; i < request.data.size(); ++i) {
    data.Add(request.data.KeyAt(i), request.data.ValueAt(i));
  }
  for (const std::vector<Binding>& row : *rows) {
    data.Add("inventory", row.front().value);
  }
  return Outcome(data.Finish());
}

}  // namespace portcullis::rego::trace
