#include "webhook/trace_log.h"

#include <utility>
#include <vector>

#include "document/json.h"

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
