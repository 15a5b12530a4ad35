#include "webhook/trace_log.h"

#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/policy/review_trace.h"

namespace portcullis::webhook {
namespace {

using document::ObjectBuilder;
using document::Value;

Value Modules(const policy::PolicySet& policies, document::Arena& arena) {
  ObjectBuilder modules(arena);
  for (const policy::Template* of : policies.templates()) {
    if (const auto targets = document::ParseJson(of->source, arena)) {
      modules.Add(of->kind, *targets);
    }
  }
  return modules.Finish();
}

Value Constraints(const policy::PolicySet& policies, document::Arena& arena) {
  ObjectBuilder kinds(arena);
  for (const policy::Template* of : policies.templates()) {
    ObjectBuilder parameters(arena);
    for (const policy::Constraint* constraint : policies.ConstraintsOf(of->kind)) {
      parameters.Add(constraint->name, constraint->parameters);
    }
    kinds.Add(of->kind, parameters.Finish());
  }
  return kinds.Finish();
}

Value Counts(index::Inventory& inventory, document::Arena& arena) {
  ObjectBuilder counts(arena);
  if (const Result<std::vector<index::KindStatistics>> kinds = inventory.Kinds()) {
    for (const index::KindStatistics& each : *kinds) {
      counts.Add(arena.CopyString(each.type.ToString()),
                 Value::Int(static_cast<std::int64_t>(each.objects)));
    }
  }
  return counts.Finish();
}

}  // namespace

void LogTrace(const TracedReview& review, const policy::ReviewInput& input,
              policy::ReviewOptions options) {
  document::Arena arena;
  arena.set_limit_bytes(review.arena_limit_bytes);
  std::string trace;
  options.trace = &trace;
  options.times = nullptr;
  options.constraint_times = nullptr;
  options.measure_accesses = false;
  const auto verdict =
      policy::Review(review.policies, input, &review.view, options, review.clock, arena);
  std::vector<policy::TracedResult> results;
  for (std::size_t i = 0; verdict && i < verdict->violations.size(); ++i) {
    const policy::Violation& violation = verdict->violations[i];
    results.push_back({std::string(violation.enforcement_action), std::string(violation.message)});
  }
  review.logger.Info(
      policy::TraceDump(trace, results),
      {{"hookType", "validation"}, {"request_uid", input.request.GetString({"uid"})}});
  if (review.wish.dump) {
    review.logger.Info(DumpEngine(review.policies, review.inventory), {{"hookType", "validation"}});
  }
}

std::string DumpEngine(const policy::PolicySet& policies, index::Inventory& inventory) {
  document::Arena arena;
  ObjectBuilder data(arena);
  data.Add("constraints", Constraints(policies, arena));
  data.Add("objects", Counts(inventory, arena));
  ObjectBuilder target(arena);
  target.Add("data", data.Finish());
  target.Add("modules", Modules(policies, arena));
  ObjectBuilder engine(arena);
  engine.Add("admission.k8s.gatekeeper.sh", target.Finish());
  return "DRIVER: Rego:\n\n" + document::ToJson(engine.Finish()) + "\n\n";
}

}  // namespace portcullis::webhook
