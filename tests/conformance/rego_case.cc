#include "tests/conformance/rego_case.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "document/json.h"
#include "document/yaml.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"

namespace portcullis::conformance {
namespace {

using document::Value;

constexpr std::size_t kMemoryLimit = std::size_t{1} << 30;
constexpr std::chrono::seconds kTimeLimit{20};

std::string TextAt(const Value& object, std::string_view key) {
  const Value value = object.Find(key);
  return value.is_string() ? std::string(value.string()) : std::string();
}

// What OPA's runner compares: sets as sorted arrays, keys that are no strings as their JSON text.
Result<Value> ThroughJson(const Value& value, document::Arena& arena) {
  return document::ParseJson(arena.CopyString(document::ToJson(value)), arena);
}

Value Sorted(const Value& array, document::Arena& arena) {
  std::vector<Value> items;
  for (std::uint32_t i = 0; i < array.size(); ++i) {
    items.push_back(array.ItemAt(i));
  }
  std::ranges::stable_sort(
      items, [](const Value& a, const Value& b) { return document::Compare(a, b) < 0; });
  document::ArrayBuilder sorted(arena);
  for (const Value& item : items) {
    sorted.Add(item);
  }
  return sorted.Finish();
}

// One run of one case.
class Runner {
 public:
  Runner(const RegoCase& test, const builtins::Catalog& catalog) : test_(test), catalog_(catalog) {}

  std::string Run() {
    std::vector<std::unique_ptr<rego::Module>> modules;
    const Value texts = test_.body.Find("modules");
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
      auto module = rego::ParseModule("test-" + std::to_string(i) + ".rego",
                                      std::string(texts.ItemAt(i).string()), test_.version);
      if (!module) {
        return "module does not parse: " + rego::ToString(module.error());
      }
      modules.push_back(std::move(*module));
    }
    const rego::CompileOptions options{.catalog = &catalog_};
    auto policy = rego::Compile(std::move(modules), options);
    if (!policy) {
      return "modules do not compile: " + rego::ToString(policy.error());
    }
    policy_ = std::move(*policy);

    rego::EvaluationRequest request;
    request.arena = &arena_;
    request.clock = &clock_;
    request.deadline = clock_.Now() + kTimeLimit;
    request.strict_builtin_errors = test_.body.Find("strict_error").is_true();
    request.conflict_texts = rego::ConflictTexts::kCurrent;
    if (const std::string term = TextAt(test_.body, "input_term"); !term.empty()) {
      auto input = EvaluateTerm(term);
      if (!input) {
        return "input_term: " + input.error();
      }
      request.input = *input;
    } else {
      request.input = test_.body.Find("input");
    }
    const Value data = test_.body.Find("data");
    request.data = data.is_undefined() || data.is_null() ? Value::Object({}) : data;

    auto plan = MakePlan(TextAt(test_.body, "query"));
    if (!plan) {
      return plan.error();
    }
    auto outcome = (*plan)->Evaluate(request);
    if (!outcome) {
      return "engine: " + outcome.error().ToString();
    }
    return *outcome ? CheckResult(**outcome) : CheckError(outcome->error());
  }

 private:
  std::expected<std::unique_ptr<const rego::QueryPlan>, std::string> MakePlan(
      const std::string& text) {
    auto query = rego::ParseQuery(text, rego::Version::kV1);
    if (!query) {
      return std::unexpected("query does not parse: " + rego::ToString(query.error()));
    }
    const rego::CompileOptions options{.catalog = &catalog_};
    auto compiled = rego::CompileQuery(*policy_, std::move(*query), options);
    if (!compiled) {
      return std::unexpected("query does not compile: " + rego::ToString(compiled.error()));
    }
    auto plan = rego::MakeQueryPlan(policy_, std::move(*compiled));
    if (!plan) {
      return std::unexpected("plan: " + plan.error().ToString());
    }
    return std::move(*plan);
  }

  std::expected<Value, std::string> EvaluateTerm(const std::string& term) {
    auto plan = MakePlan("term_value = " + term);
    if (!plan) {
      return std::unexpected(plan.error());
    }
    rego::EvaluationRequest request;
    request.arena = &arena_;
    request.clock = &clock_;
    request.data = Value::Object({});
    auto outcome = (*plan)->Evaluate(request);
    if (!outcome || !*outcome || (*outcome)->size() != 1) {
      return std::unexpected("has no value");
    }
    // Constants live in the plan, which goes.
    return document::DeepCopy((**outcome)[0].at(0).value, arena_);
  }

  std::string CheckError(const rego::EvaluationError& error) {
    const std::string text = error.ToString();
    const std::string code = TextAt(test_.body, "want_error_code");
    const std::string part = TextAt(test_.body, "want_error");
    if (code.empty() && part.empty()) {
      return "unexpected error: " + text;
    }
    if (!code.empty() && code != error.code) {
      return "want error " + code + ", got " + text;
    }
    return text.find(part) == std::string::npos ? "want error \"" + part + "\", got " + text : "";
  }

  std::string CheckResult(const std::vector<std::vector<rego::Binding>>& rows) {
    const Value want = test_.body.Find("want_result");
    const bool wants_error = test_.body.Find("want_error_code").is_defined() ||
                             test_.body.Find("want_error").is_defined();
    document::SetBuilder got(arena_);
    for (const auto& row : rows) {
      document::ObjectBuilder object(arena_);
      for (const rego::Binding& binding : row) {
        if (test_.body.Find("ignore_generated_vars").is_true() &&
            binding.variable.starts_with("__localq")) {
          continue;
        }
        auto value = ThroughJson(binding.value, arena_);
        if (!value) {
          return "result is no JSON: " + value.error().ToString();
        }
        object.Add(binding.variable, Normal(*value));
      }
      got.Add(object.Finish());
    }
    const Value results = got.Finish();
    if (wants_error && want.is_undefined()) {
      return "want error " + TextAt(test_.body, "want_error_code") + " " +
             TextAt(test_.body, "want_error") + ", got " + document::ToRego(results);
    }
    if (test_.body.Find("want_defined").is_true()) {
      return results.size() > 0 ? "" : "undefined";
    }
    document::SetBuilder wanted(arena_);
    for (std::uint32_t i = 0; i < want.size(); ++i) {
      document::ObjectBuilder object(arena_);
      const Value row = want.ItemAt(i);
      for (std::uint32_t j = 0; j < row.size(); ++j) {
        object.Add(row.KeyAt(j), Normal(row.ValueAt(j)));
      }
      wanted.Add(object.Finish());
    }
    const Value expected = wanted.Finish();
    return document::Equal(expected, results)
               ? ""
               : "want " + document::ToRego(expected) + "\n      got  " + document::ToRego(results);
  }

  Value Normal(const Value& value) {
    return test_.body.Find("sort_bindings").is_true() && value.is_array() ? Sorted(value, arena_)
                                                                          : value;
  }

  const RegoCase& test_;
  const builtins::Catalog& catalog_;
  SystemClock clock_;
  document::Arena arena_{kMemoryLimit};
  std::shared_ptr<const rego::CompiledPolicy> policy_;
};

}  // namespace

Result<std::vector<RegoCase>> ReadCases(const std::filesystem::path& path, std::string name,
                                        document::Arena& arena) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(ErrorCode::kNotFound, "cannot read " + path.string());
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  document::ParseOptions options;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  options.file = name;
  const auto documents = TRY(document::ParseYaml(arena.CopyString(text), arena, options));
  std::vector<RegoCase> cases;
  for (const document::YamlDocument& document : documents) {
    const Value list = document.value.Find("cases");
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      RegoCase& test = cases.emplace_back();
      test.file = name;
      test.body = list.ItemAt(i);
      test.note = TextAt(test.body, "note");
      test.version =
          path.string().find("/v0/") != std::string::npos ? rego::Version::kV0 : rego::Version::kV1;
    }
  }
  return cases;
}

std::string RunCase(const RegoCase& test, const builtins::Catalog& catalog) {
  return Runner(test, catalog).Run();
}

}  // namespace portcullis::conformance
