#include "tests/fuzz/evaluation.h"

#include "document/json.h"

namespace portcullis::fuzz {
namespace {

using document::Value;

Value Read(const std::string& json, document::Arena& arena) {
  const auto value = document::ParseJson(json, arena);
  return value ? *value : Value();
}

std::string Text(const Value& value) {
  if (value.is_undefined()) {
    return "undefined";
  }
  Require(!document::ToJson(value).empty(), "a result can be written as JSON");
  return document::ToRego(value);
}

std::string Text(const rego::EvaluationError& error) {
  return error.code == kCancelled ? std::string(kCancelled) : error.ToString();
}

}  // namespace

Evaluation::Evaluation(const Program& program) {
  request.input = Read(program.input, documents);
  request.data = Read(program.data, documents);
  if (!request.data.is_object()) {
    request.data = Value();
  }
  request.arena = &arena_;
  request.clock = &clock_;
  request.deadline = clock_.Now() + kTimeLimit;
  request.strict_builtin_errors = program.strict_builtin_errors;
  request.prints = program.keep_prints ? &prints_ : nullptr;
}

std::string Evaluation::Run(const rego::Plan& plan) {
  const LimitCheck check(arena_);
  const auto outcome = plan.Evaluate(request);
  check.Done();
  Require(outcome.has_value(), "the engine does not fail");
  return (*outcome ? Text(**outcome) : Text(outcome->error())) + prints_;
}

std::string Evaluation::Run(const rego::QueryPlan& plan) {
  const LimitCheck check(arena_);
  const auto outcome = plan.Evaluate(request);
  check.Done();
  return Shown(outcome);
}

std::string Evaluation::Run(const rego::trace::TracedQuery& query) {
  rego::trace::Explanation steps(rego::trace::Explain::kFails, rego::trace::Form::kText,
                                 kMemoryLimit);
  const LimitCheck check(arena_);
  const auto release = request.conflict_texts == rego::ConflictTexts::kCurrent
                           ? rego::trace::Release::k1_22
                           : rego::trace::Release::k1_17;
  const auto outcome = query.Evaluate(request, release, steps);
  check.Done();
  const bool cut = outcome && !*outcome && outcome->error().code == "eval_internal_error";
  return cut ? std::string(kCancelled) : Shown(outcome);
}

std::string Evaluation::Shown(
    const Result<std::expected<Rows, rego::EvaluationError>>& outcome) const {
  Require(outcome.has_value(), "the engine does not fail");
  if (!*outcome) {
    return Text(outcome->error()) + prints_;
  }
  Require((*outcome)->size() <= 1, "a document has one value");
  return ((*outcome)->empty() ? "undefined" : Text((**outcome)[0].at(0).value)) + prints_;
}

}  // namespace portcullis::fuzz
