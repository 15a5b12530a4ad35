#include "tests/differential/answer.h"

#include <algorithm>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "document/json.h"
#include "rules/rego/capture.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/traced_query.h"

namespace portcullis::differential {
namespace {

using document::JsonStyle;
using document::Value;

constexpr std::size_t kMemoryLimit = std::size_t{1} << 30;
constexpr std::int64_t kTimeoutMillis = 10'000;

// Errors in the two forms of an answer.
struct Failure {
  std::vector<rego::Diagnostic> problems;
  std::string text;
};

template <class T>
using Attempt = std::expected<T, Failure>;

std::unexpected<Failure> Other(std::string message) {
  Failure failure;
  failure.text = message;
  failure.problems.push_back({"other", std::move(message), {}, {}});
  return std::unexpected(std::move(failure));
}

std::unexpected<Failure> Rejected(std::vector<rego::Diagnostic> diagnostics) {
  std::string text = rego::ToString(diagnostics);
  return std::unexpected(Failure{std::move(diagnostics), std::move(text)});
}

std::unexpected<Failure> Ended(const rego::EvaluationError& error) {
  return std::unexpected(
      Failure{{{error.code, error.message, error.location, {}}}, error.ToString()});
}

std::string TextAt(const Value& object, std::string_view key) {
  return std::string(object.GetString({key}));
}

void AppendMember(std::string_view key, std::string_view text, std::string* out) {
  document::AppendJsonString(key, JsonStyle::kCompact, out);
  *out += ':';
  document::AppendJsonString(text, JsonStyle::kCompact, out);
}

void AppendProblem(const rego::Diagnostic& problem, std::string* out) {
  *out += '{';
  AppendMember("code", problem.code, out);
  *out += ',';
  AppendMember("message", problem.message, out);
  const rego::Location& place = problem.location;
  if (place.file && !place.file->empty()) {
    *out += ',';
    AppendMember("file", *place.file, out);
  }
  if (place.row != 0) {
    *out += ",\"row\":" + std::to_string(place.row);
  }
  if (place.column != 0) {
    *out += ",\"col\":" + std::to_string(place.column);
  }
  if (!problem.details.empty()) {
    *out += ",\"details\":[";
    for (std::size_t i = 0; i < problem.details.size(); ++i) {
      *out += i == 0 ? "" : ",";
      document::AppendJsonString(problem.details[i], JsonStyle::kCompact, out);
    }
    *out += ']';
  }
  *out += '}';
}

using Rows = std::vector<std::vector<rego::Binding>>;

class Unheard final : public rego::trace::Sink {
 public:
  [[nodiscard]] bool wants_unify() const override { return false; }
  bool Add(const rego::trace::Event& /*event*/) override { return true; }
};

// One request on its way.
class Asked {
 public:
  Asked(const Value& request, const builtins::Catalog& catalog, EvaluateBy by,
        document::Arena& arena)
      : request_(request),
        by_(by),
        options_{.catalog = &catalog, .strict = request.Find("strict").is_true()},
        arena_(arena) {}

  // The answer's "solutions": empty where there are none, or nothing was asked but to compile.
  Attempt<std::string> Solutions() {
    if (auto failure = CompileModules()) {
      return std::unexpected(std::move(*failure));
    }
    if (TextAt(request_, "query").empty()) {
      return "";
    }
    rego::ValueQuery query = TRY(CompileQuery(TextAt(request_, "query")));
    const std::vector<rego::QueryExpression> expressions = std::move(query.expressions);
    rego::EvaluationRequest evaluation;
    evaluation.input = TRY(Input());
    const Value data = request_.Find("data");
    evaluation.data = data.is_object() ? data : Value::Object({});
    evaluation.arena = &arena_;
    evaluation.clock = &clock_;
    const Value timeout = request_.Find("timeout_ms");
    evaluation.deadline = clock_.Now() + std::chrono::milliseconds(
                                             timeout.is_int() ? timeout.integer() : kTimeoutMillis);
    evaluation.strict_builtin_errors = request_.Find("strict_builtin_errors").is_true();
    evaluation.conflict_texts = rego::ConflictTexts::kCurrent;
    std::unique_ptr<const rego::QueryPlan> plan;
    std::unique_ptr<const rego::trace::TracedQuery> steps;
    const auto outcome = TRY(Evaluate(std::move(query), evaluation, &plan, &steps));
    if (!outcome) {
      return Ended(outcome.error());
    }
    std::string text;
    for (const std::vector<rego::Binding>& solution : *outcome) {
      text += text.empty() ? "{" : ",{";
      for (const rego::Binding& binding : solution) {
        if (!rego::IsCapture(binding.variable)) {
          AppendMember(binding.variable, document::ToRego(binding.value), &text);
          text += ',';
        }
      }
      AppendMember("", Expressions(expressions, solution), &text);
      text += '}';
    }
    return text;
  }

 private:
  std::optional<Failure> CompileModules() {
    const Value texts = request_.Find("modules");
    const rego::Version version =
        TextAt(request_, "version") == "v0" ? rego::Version::kV0 : rego::Version::kV1;
    std::vector<std::unique_ptr<rego::Module>> modules;
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
      auto module = rego::ParseModule(std::string(texts.KeyAt(i).string()),
                                      std::string(texts.ValueAt(i).string()), version,
                                      rego::Annotations::kRead);
      if (!module) {
        return Rejected(std::move(module.error())).error();
      }
      modules.push_back(std::move(*module));
    }
    auto policy = rego::Compile(std::move(modules), options_);
    if (!policy) {
      return Rejected(std::move(policy.error())).error();
    }
    policy_ = std::move(*policy);
    return std::nullopt;
  }

  // What each of the query's expressions gave.
  static std::string Expressions(const std::vector<rego::QueryExpression>& expressions,
                                 const std::vector<rego::Binding>& solution) {
    std::string text;
    for (const rego::QueryExpression& expression : expressions) {
      const auto value = std::ranges::find(solution, expression.variable, &rego::Binding::variable);
      text += text.empty() ? "" : "; ";
      text += value == solution.end() ? "true" : document::ToRego(value->value);
    }
    return text;
  }

  Attempt<rego::ValueQuery> CompileQuery(const std::string& text) {
    auto query = rego::ParseQuery(text, rego::Version::kV1);
    if (!query) {
      return Rejected(std::move(query.error()));
    }
    auto compiled = rego::CompileValueQuery(*policy_, std::move(*query), text, nullptr, options_);
    if (!compiled) {
      return Rejected(std::move(compiled.error()));
    }
    return std::move(*compiled);
  }

  Attempt<std::unique_ptr<const rego::QueryPlan>> MakePlan(rego::Body body) {
    auto plan = rego::MakeQueryPlan(policy_, std::move(body));
    if (!plan) {
      return Other(plan.error().ToString());
    }
    return std::move(*plan);
  }

  // Values name constants of the plan or of the query: it is handed out.
  Attempt<std::expected<Rows, rego::EvaluationError>> Evaluate(
      rego::ValueQuery query, const rego::EvaluationRequest& request,
      std::unique_ptr<const rego::QueryPlan>* plan,
      std::unique_ptr<const rego::trace::TracedQuery>* steps) {
    Result<std::expected<Rows, rego::EvaluationError>> outcome;
    if (by_ == EvaluateBy::kPlan) {
      *plan = TRY(MakePlan(std::move(query.body)));
      outcome = (*plan)->Evaluate(request);
    } else {
      *steps = std::make_unique<const rego::trace::TracedQuery>(policy_, std::move(query));
      Unheard sink;
      outcome = (*steps)->Evaluate(request, rego::trace::Release::k1_22, sink);
    }
    if (!outcome) {
      return Other(outcome.error().ToString());
    }
    return std::move(*outcome);
  }

  Attempt<Value> Input() {
    const std::string term = TextAt(request_, "input_term");
    if (term.empty()) {
      return request_.Find("input");
    }
    rego::ValueQuery query = TRY(CompileQuery("term_value = " + term));
    const auto plan = TRY(MakePlan(std::move(query.body)));
    rego::EvaluationRequest evaluation;
    evaluation.arena = &arena_;
    evaluation.clock = &clock_;
    evaluation.data = Value::Object({});
    const auto outcome = plan->Evaluate(evaluation);
    if (!outcome || !*outcome || (*outcome)->size() != 1) {
      return Other("input_term has no value");
    }
    // Constants live in the plan, which goes.
    return document::DeepCopy((**outcome)[0].at(0).value, arena_);
  }

  const Value& request_;
  const EvaluateBy by_;
  const rego::CompileOptions options_;
  document::Arena& arena_;
  SystemClock clock_;
  std::shared_ptr<const rego::CompiledPolicy> policy_;
};

}  // namespace

std::string Answer(std::string_view request, const builtins::Catalog& catalog, EvaluateBy by) {
  document::Arena arena(kMemoryLimit);
  document::ParseOptions options;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  const auto parsed = document::ParseJson(request, arena, options);
  Attempt<std::string> solutions;
  std::string id = "null";
  if (!parsed) {
    solutions = Other("request: " + parsed.error().ToString());
  } else {
    if (const Value given = parsed->Find("id"); given.is_defined()) {
      id = document::ToJson(given);
    }
    solutions = Asked(*parsed, catalog, by, arena).Solutions();
  }
  std::string out = "{\"id\":" + id;
  if (solutions) {
    return out + (solutions->empty() ? "}" : ",\"solutions\":[" + *solutions + "]}");
  }
  out += ",\"errors\":[";
  for (std::size_t i = 0; i < solutions.error().problems.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendProblem(solutions.error().problems[i], &out);
  }
  out += "],";
  AppendMember("text", solutions.error().text, &out);
  return out + '}';
}

}  // namespace portcullis::differential
