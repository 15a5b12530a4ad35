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
#include "rules/rego/trace/traced_query.h"

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

using Modules = std::vector<std::unique_ptr<rego::Module>>;

std::expected<Modules, std::string> ParseModules(const RegoCase& test) {
  Modules modules;
  const Value texts = test.body.Find("modules");
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    auto module = rego::ParseModule("test-" + std::to_string(i) + ".rego",
                                    std::string(texts.ItemAt(i).string()), test.version);
    if (!module) {
      return std::unexpected("module does not parse: " + rego::ToString(module.error()));
    }
    modules.push_back(std::move(*module));
  }
  return modules;
}

bool IsWanted(const Value& want, const rego::Diagnostic& error) {
  const std::string module = TextAt(want, "module");
  const Value row = want.Find("row");
  const Value column = want.Find("col");
  return error.location.file && *error.location.file == (module.empty() ? "test-0.rego" : module) &&
         error.code == TextAt(want, "code") && error.message == TextAt(want, "message") &&
         row.is_int() && row.integer() == error.location.row &&
         (!column.is_int() || column.integer() == error.location.column);
}

// A case of errors: all that are wanted must be there, and where the case says `exhaustive` no others.
std::string CheckErrors(const RegoCase& test, const builtins::Catalog& catalog) {
  if (TextAt(test.body, "rego_version") == "v0-compat-v1" ||
      test.body.Find("experimental_keywords").is_true()) {
    return "this program has no such version of the language";
  }
  auto modules = ParseModules(test);
  if (!modules) {
    return modules.error();
  }
  const rego::CompileOptions options{.catalog = &catalog,
                                     .strict = test.body.Find("strict").is_true(),
                                     .keep_prints = test.body.Find("print_statements").is_true()};
  const auto policy = rego::Compile(std::move(*modules), options);
  if (policy) {
    return "modules compile";
  }
  std::vector<rego::Diagnostic> others = policy.error();
  const Value wanted = test.body.Find("want_errors");
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::ranges::find_if(
        others, [&](const rego::Diagnostic& error) { return IsWanted(wanted.ItemAt(i), error); });
    if (found == others.end()) {
      return "want error " + document::ToRego(wanted.ItemAt(i)) + "\n      got  " +
             rego::ToString(policy.error());
    }
    others.erase(found);
  }
  if (test.body.Find("exhaustive").is_true() && !others.empty()) {
    return "unwanted: " + rego::ToString(others);
  }
  return "";
}

// One run of one case.
class Runner {
 public:
  Runner(const RegoCase& test, const builtins::Catalog& catalog) : test_(test), catalog_(catalog) {}

  std::string Run() {
    auto modules = ParseModules(test_);
    if (!modules) {
      return modules.error();
    }
    const rego::CompileOptions options{.catalog = &catalog_};
    auto policy = rego::Compile(std::move(*modules), options);
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
    std::string problem = *outcome ? CheckResult(**outcome) : CheckError(outcome->error());
    return problem.empty() ? RunTraced(request) : problem;
  }

  // The same by the evaluator that tells its steps.
  std::string RunTraced(const rego::EvaluationRequest& request) {
    auto query = CompileQuery(TextAt(test_.body, "query"));
    if (!query) {
      return query.error();
    }
    const rego::trace::TracedQuery traced(policy_, {.body = *std::move(query)});
    rego::trace::Explanation fails(rego::trace::Explain::kFails);
    auto outcome = traced.Evaluate(request, rego::trace::Release::k1_22, fails);
    if (!outcome) {
      return "traced: engine: " + outcome.error().ToString();
    }
    const std::string problem = *outcome ? CheckResult(**outcome) : CheckError(outcome->error());
    return problem.empty() ? "" : "traced: " + problem;
  }

 private:
  std::expected<rego::Body, std::string> CompileQuery(const std::string& text) {
    auto query = rego::ParseQuery(text, rego::Version::kV1);
    if (!query) {
      return std::unexpected("query does not parse: " + rego::ToString(query.error()));
    }
    const rego::CompileOptions options{.catalog = &catalog_};
    auto compiled = rego::CompileQuery(*policy_, std::move(*query), options);
    if (!compiled) {
      return std::unexpected("query does not compile: " + rego::ToString(compiled.error()));
    }
    return *std::move(compiled);
  }

  std::expected<std::unique_ptr<const rego::QueryPlan>, std::string> MakePlan(
      const std::string& text) {
    auto query = CompileQuery(text);
    if (!query) {
      return std::unexpected(query.error());
    }
    auto plan = rego::MakeQueryPlan(policy_, *std::move(query));
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
    if (const Value defined = test_.body.Find("want_defined"); defined.is_boolean()) {
      return defined.is_true() == (results.size() > 0) ? "" : "got " + document::ToRego(results);
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

rego::Version VersionOf(const Value& body, const std::filesystem::path& path) {
  if (const std::string version = TextAt(body, "rego_version"); !version.empty()) {
    return version == "v0" ? rego::Version::kV0 : rego::Version::kV1;
  }
  const bool v0 = std::ranges::any_of(path, [](const std::filesystem::path& part) {
    return part == "v0" || part.string().ends_with("-v0");
  });
  return v0 ? rego::Version::kV0 : rego::Version::kV1;
}

Value OneMore(builtins::CallContext&, std::span<const Value> arguments) {
  return arguments[0].is_int() ? Value::Int(arguments[0].integer() + 1) : Value();
}
Value Foo(builtins::CallContext&, std::span<const Value>) {
  return Value::String("foo");
}
Value Hundred(builtins::CallContext&, std::span<const Value>) {
  return Value::Int(100);
}
Value Sleep(builtins::CallContext& context, std::span<const Value>) {
  // What is asked is that time.now_ns stays the same after it.
  return context.ShouldHalt() ? Value() : Value::Null();
}

constexpr builtins::Builtin kSuiteBuiltins[] = {
    {.name = "custom_builtin_test", .type = "(number) -> number", .function = OneMore},
    {.name = "custom_builtin_test_impure", .type = "() -> string", .function = Foo},
    {.name = "custom_builtin_test_memoization", .type = "() -> number", .function = Hundred},
    {.name = "test.sleep", .type = "(string) -> null", .function = Sleep},
};

}  // namespace

std::span<const builtins::Builtin> SuiteBuiltins() {
  return kSuiteBuiltins;
}

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
      test.path = path.string();
      test.body = list.ItemAt(i);
      test.note = TextAt(test.body, "note");
      test.version = VersionOf(test.body, path);
    }
  }
  return cases;
}

std::string RunCase(const RegoCase& test, const builtins::Catalog& catalog) {
  return test.body.Find("want_errors").is_defined() ? CheckErrors(test, catalog)
                                                    : Runner(test, catalog).Run();
}

}  // namespace portcullis::conformance
