// Any program is compiled and evaluated on its own input and data within its limits, and twice alike, as a document and as
// a query; see tests/fuzz/program.h for the form of the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "tests/fuzz/limits.h"
#include "tests/fuzz/program.h"

using portcullis::document::Arena;
using portcullis::document::Value;
using portcullis::fuzz::Program;
using portcullis::fuzz::Require;
namespace rego = portcullis::rego;

namespace {

constexpr std::string_view kCancelled = "eval_cancel_error";

Value Read(const std::string& json, Arena& arena) {
  const auto value = portcullis::document::ParseJson(json, arena);
  return value ? *value : Value();
}

// Runs `evaluate` within the limits; its text, or the error's.
template <class Evaluate>
std::string Run(const Program& program, Evaluate evaluate) {
  Arena documents;
  Arena arena(portcullis::fuzz::kMemoryLimit);
  portcullis::fuzz::HalfClock clock;
  std::string prints;
  rego::EvaluationRequest request;
  request.input = Read(program.input, documents);
  request.data = Read(program.data, documents);
  if (!request.data.is_object()) {
    request.data = Value();
  }
  request.arena = &arena;
  request.clock = &clock;
  request.deadline = clock.Now() + portcullis::fuzz::kTimeLimit;
  request.strict_builtin_errors = program.strict_builtin_errors;
  request.prints = program.keep_prints ? &prints : nullptr;
  const portcullis::fuzz::LimitCheck check(arena);
  std::string text = evaluate(request);
  check.Done();
  return text + prints;
}

std::string Text(const Value& value) {
  if (value.is_undefined()) {
    return "undefined";
  }
  Require(!portcullis::document::ToJson(value).empty(), "a result can be written as JSON");
  return portcullis::document::ToRego(value);
}

std::string Text(const rego::EvaluationError& error) {
  return error.code == kCancelled ? std::string(kCancelled) : error.ToString();
}

std::string EvaluateDocument(const rego::Plan& plan, const Program& program) {
  return Run(program, [&](const rego::EvaluationRequest& request) {
    const auto outcome = plan.Evaluate(request);
    Require(outcome.has_value(), "the engine does not fail");
    return *outcome ? Text(**outcome) : Text(outcome->error());
  });
}

std::string EvaluateQuery(const rego::QueryPlan& plan, const Program& program) {
  return Run(program, [&](const rego::EvaluationRequest& request) -> std::string {
    const auto outcome = plan.Evaluate(request);
    Require(outcome.has_value(), "the engine does not fail");
    if (!*outcome) {
      return Text(outcome->error());
    }
    Require((*outcome)->size() <= 1, "a document has one value");
    return (*outcome)->empty() ? "undefined" : Text((**outcome)[0].at(0).value);
  });
}

// Signatures are salted.
bool IsRandom(const Program& program) {
  return std::ranges::any_of(program.modules, [](const std::string& text) {
    return text.find("encode_sign") != std::string::npos;
  });
}

std::unique_ptr<const rego::QueryPlan> PlanQuery(
    const std::shared_ptr<const rego::CompiledPolicy>& policy,
    const std::vector<std::string>& path) {
  std::string text = "result = data";
  for (const std::string& part : path) {
    text += "[";
    portcullis::document::AppendRegoString(part, &text);
    text += "]";
  }
  auto query = rego::ParseQuery(text);
  Require(query.has_value(), "a path can be asked for", text);
  auto compiled = rego::CompileQuery(*policy, std::move(*query), {.catalog = policy->catalog});
  if (!compiled) {
    return nullptr;
  }
  auto plan = rego::MakeQueryPlan(policy, std::move(*compiled));
  return plan ? std::move(*plan) : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Program program = portcullis::fuzz::ReadProgram(data, size);
  const auto policy = portcullis::fuzz::CompileProgram(program);
  if (!policy) {
    return 0;
  }
  const std::vector<std::string>& path = (*policy)->modules.front()->package;
  const auto plan = rego::MakePlan(*policy, path);
  if (!plan) {
    return 0;
  }
  const std::string first = EvaluateDocument(**plan, program);
  if (first.starts_with(kCancelled) || IsRandom(program)) {
    return 0;
  }
  const auto same = [&](const std::string& other, std::string_view promise) {
    Require(other == first || other.starts_with(kCancelled), promise, first + "\n" + other);
  };
  same(EvaluateDocument(**plan, program), "a second evaluation gives the same");
  if (const auto query = PlanQuery(*policy, path)) {
    same(EvaluateQuery(*query, program), "a query gives what the document is");
  }
  return 0;
}
