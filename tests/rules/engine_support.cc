#include "tests/rules/engine_support.h"

#include <stdexcept>
#include <utility>

#include "document/json.h"
#include "rules/rego/catalog.h"

namespace portcullis::rego {

using document::Value;

TestPolicy::TestPolicy(std::string text, std::string_view rule, Version version)
    : catalog_(rego::CreateCatalog()) {
  auto module = ParseModule("template", std::move(text), version);
  if (!module) {
    throw std::runtime_error(ToString(module.error()));
  }
  std::vector<std::unique_ptr<Module>> modules;
  modules.push_back(std::move(*module));
  const CompileOptions options{.catalog = catalog_.get()};
  auto policy = Compile(std::move(modules), options);
  if (!policy) {
    throw std::runtime_error(ToString(policy.error()));
  }
  const std::vector<std::string> path = {"template", std::string(rule)};
  auto plan = MakePlan(*policy, path);
  if (!plan) {
    throw std::runtime_error(plan.error().ToString());
  }
  plan_ = std::move(*plan);
}

TestPolicy::Outcome TestPolicy::Run(std::string_view input_json, index::InventoryView* inventory,
                                    IndexUse use, std::string_view data_json) const {
  document::Arena arena(memory_limit);
  SystemClock clock;
  Outcome outcome;
  EvaluationRequest request;
  request.input = *document::ParseJson(input_json, arena);
  request.data = *document::ParseJson(data_json, arena);
  request.inventory = inventory;
  request.arena = &arena;
  request.clock = &clock;
  request.index_use = use;
  request.statistics = &outcome.statistics;
  const auto result = plan_->Evaluate(request);
  if (!result) {
    outcome.result = result.error().ToString();
  } else if (!*result) {
    outcome.result = result->error().ToString();
  } else {
    outcome.result = (*result)->is_undefined() ? "undefined" : document::ToRego(**result);
  }
  return outcome;
}

std::string TestPolicy::AccessPaths() const {
  std::string text;
  for (const RuleExplanation& rule : plan_->Explain()) {
    for (const PlanStep& step : rule.steps) {
      if (!step.access_path.empty()) {
        text += step.access_path + ": " + step.text +
                (step.reason.empty() ? "" : " (" + step.reason + ")") + "\n";
      }
    }
  }
  return text;
}

}  // namespace portcullis::rego
