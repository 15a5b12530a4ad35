#include "tests/differential/inventory_answer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "document/json.h"
#include "document/object.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "tests/differential/answer.h"

namespace portcullis::differential {
namespace {

using document::Value;

constexpr std::size_t kMemoryLimit = std::size_t{1} << 30;
constexpr std::int64_t kTimeoutMillis = 10'000;

// The objects of a tree of `levels` levels of keys.
void Gather(const Value& tree, int levels, std::vector<Value>* objects) {
  for (std::uint32_t i = 0; tree.is_object() && i < tree.size(); ++i) {
    if (levels == 1) {
      objects->push_back(tree.ValueAt(i));
    } else {
      Gather(tree.ValueAt(i), levels - 1, objects);
    }
  }
}

std::vector<std::string> PathOf(std::string_view query) {
  constexpr std::string_view kBegin = "x = data.";
  std::vector<std::string> path;
  for (query.remove_prefix(kBegin.size()); !query.empty();) {
    const std::size_t dot = std::min(query.find('.'), query.size());
    path.emplace_back(query.substr(0, dot));
    query.remove_prefix(std::min(dot + 1, query.size()));
  }
  return path;
}

}  // namespace

std::string InventoryAnswerer::Answer(std::string_view request) {
  const std::string as_document = differential::Answer(request, catalog_);
  document::Arena arena;
  const auto parsed = document::ParseJson(request, arena);
  std::vector<std::unique_ptr<rego::Module>> modules;
  const Value texts = parsed->Find("modules");
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    auto module = rego::ParseModule(
        std::string(texts.KeyAt(i).string()), std::string(texts.ValueAt(i).string()),
        parsed->GetString({"version"}) == "v0" ? rego::Version::kV0 : rego::Version::kV1);
    if (!module) {
      return as_document;
    }
    modules.push_back(std::move(*module));
  }
  const rego::CompileOptions options{.catalog = &catalog_};
  const auto policy = rego::Compile(std::move(modules), options);
  if (!policy) {
    return as_document;
  }
  const auto plan = rego::MakePlan(*policy, PathOf(parsed->GetString({"query"})));
  if (!plan) {
    return R"({"errors":[{"code":"other","message":"no plan"}],"text":"no plan"})";
  }

  std::vector<Value> objects;
  const Value inventory = parsed->Find("data").Find("inventory");
  Gather(inventory.Find("namespace"), 4, &objects);
  Gather(inventory.Find("cluster"), 3, &objects);
  const auto kinds = inventory_->Kinds();
  for (const index::KindStatistics& kind : kinds ? *kinds : std::vector<index::KindStatistics>()) {
    if (!inventory_->Wipe(kind.type)) {
      return R"({"errors":[{"code":"other","message":"no wipe"}],"text":"no wipe"})";
    }
  }
  for (const Value& object : objects) {
    inventory_.Put(document::ToJson(object));
  }
  inventory_.WantIndexes((*plan)->wanted_indexes());
  const auto view = inventory_->View();

  document::ObjectBuilder rest(arena);
  const Value data = parsed->Find("data");
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    if (data.KeyAt(i).string() != "inventory") {
      rest.Add(data.KeyAt(i).string(), data.ValueAt(i));
    }
  }
  SystemClock clock;
  rego::EvaluationRequest evaluation;
  evaluation.input = parsed->Find("input");
  document::Arena results(kMemoryLimit);
  evaluation.arena = &results;
  evaluation.clock = &clock;
  evaluation.inventory_numbers = document::NumberMode::kExact;
  evaluation.strict_builtin_errors = parsed->Find("strict_builtin_errors").is_true();
  evaluation.conflict_texts = rego::ConflictTexts::kCurrent;
  const Value timeout = parsed->Find("timeout_ms");
  const std::chrono::milliseconds patience(timeout.is_int() ? timeout.integer() : kTimeoutMillis);
  const auto text = [&]() -> std::string {
    results.Reset();
    evaluation.deadline = clock.Now() + patience;
    const auto outcome = (*plan)->Evaluate(evaluation);
    if (!outcome) {
      return outcome.error().ToString();
    }
    return !*outcome                    ? (*outcome).error().ToString()
           : (*outcome)->is_undefined() ? "undefined"
                                        : document::ToRego(**outcome);
  };
  std::array<std::string, 3> ways;
  evaluation.data = data;
  ways[0] = text();
  evaluation.data = rest.Finish();
  evaluation.inventory = view.get();
  evaluation.index_use = rego::IndexUse::kIgnore;
  ways[1] = text();
  evaluation.index_use = rego::IndexUse::kUse;
  rego::EvaluationStatistics statistics;
  evaluation.statistics = &statistics;
  ways[2] = text();
  if (ways[0] == ways[1] && ways[1] == ways[2]) {
    return as_document.substr(0, as_document.size() - 1) +
           ",\"lookups\":" + std::to_string(statistics.lookups) + '}';
  }
  std::string message;
  document::AppendJsonString(
      "document: " + ways[0] + "; scanned: " + ways[1] + "; indexed: " + ways[2],
      document::JsonStyle::kCompact, &message);
  return R"({"errors":[{"code":"other","message":)" + message + R"(}],"text":)" + message + '}';
}

}  // namespace portcullis::differential
