#include "rules/policy/review_trace.h"

#include "rules/rego/capture.h"
#include "rules/rego/trace/traced_query.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::string_view kTarget = "admission.k8s.gatekeeper.sh";
constexpr std::string_view kQuery = "data.hooks.violation[result]";

Value MakeInput(std::span<const Constraint* const> constraints, const Value& review,
                document::Arena& arena) {
  document::ArrayBuilder keys(arena);
  for (const Constraint* constraint : constraints) {
    document::ObjectBuilder key(arena);
    key.Add("kind", Value::String(constraint->kind));
    key.Add("name", Value::String(constraint->name));
    keys.Add(key.Finish());
  }
  document::ObjectBuilder input(arena);
  input.Add("target", Value::String(kTarget));
  input.Add("constraints", keys.Finish());
  input.Add("review", review);
  return input.Finish();
}

Value MakeData(const Template& of, std::span<const Constraint* const> constraints,
               const Value& base, document::Arena& arena) {
  document::ObjectBuilder parameters(arena);
  for (const Constraint* constraint : constraints) {
    parameters.Add(constraint->name, constraint->parameters);
  }
  document::ObjectBuilder kinds(arena);
  kinds.Add(of.kind, parameters.Finish());
  document::ObjectBuilder data(arena);
  for (std::uint32_t i = 0; i < base.size(); ++i) {
    data.Add(base.KeyAt(i), base.ValueAt(i));
  }
  data.Add("constraints", kinds.Finish());
  return data.Finish();
}

}  // namespace

Result<std::string> TraceTemplate(const Template& of,
                                  std::span<const Constraint* const> constraints,
                                  const Value& review, const rego::EvaluationRequest& request) {
  auto parsed = rego::ParseQuery(std::string(kQuery), rego::Version::kV0);
  auto compiled = parsed ? rego::CompileValueQuery(*of.policy, *std::move(parsed), kQuery, nullptr,
                                                   {.catalog = of.catalog.get()})
                         : rego::Checked<rego::ValueQuery>(std::unexpected(parsed.error()));
  if (!compiled) {
    return Fail(ErrorCode::kInternal, rego::ToString(compiled.error()));
  }
  const rego::trace::TracedQuery query(of.policy, *std::move(compiled));
  rego::EvaluationRequest traced = request;
  traced.input = MakeInput(constraints, review, *request.arena);
  traced.data = MakeData(of, constraints, request.data, *request.arena);
  traced.prints = nullptr;
  traced.statistics = nullptr;
  traced.accesses = nullptr;
  rego::trace::Explanation explanation(rego::trace::Explain::kDebug, rego::trace::Form::kText,
                                       kTraceLimitBytes);
  const auto outcome = TRY(query.Evaluate(traced, rego::trace::Release::k1_17, explanation));
  std::string text = explanation.Text(rego::trace::Places::kHide, rego::trace::Quotes::kEscaped);
  if (!outcome && outcome.error().code != "eval_conflict_error") {
    text += outcome.error().ToString() + "\n";
  }
  return text;
}

std::string TraceDump(const std::string& trace, std::span<const TracedResult> results) {
  std::string text = "Target: " + std::string(kTarget) + "\n";
  if (!trace.empty()) {
    text += "Trace:\n" + trace + "\n\n";
  } else if (!results.empty()) {
    text += "Trace: TRACING DISABLED\n\n";
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    text += "Result(" + std::to_string(i) + "):\n" + results[i].action + ": " + results[i].message +
            "\n\n";
  }
  return text + "\n\n";
}

}  // namespace portcullis::policy
