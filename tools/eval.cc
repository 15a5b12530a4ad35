// portcullis eval: the answer of a Rego query, with the flags, the output and the exit codes of `opa eval`.

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "rules/builtins/builtin.h"
#include "rules/builtins/go_time.h"
#include "rules/rego/capture.h"
#include "rules/rego/catalog.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/traced_query.h"
#include "tools/command.h"
#include "tools/eval_print.h"
#include "tools/rego_files.h"
#include "tools/timers.h"

namespace portcullis::tools {
namespace {

using document::Value;

struct EvalOptions {
  std::string query;
  bool query_given = false;
  bool query_on_stdin = false;
  std::vector<std::string> data;
  std::string input;
  bool input_on_stdin = false;
  bool v0 = false;
  bool v1 = false;
  std::string format = "json";
  bool fail = false;
  bool fail_defined = false;
  bool strict = false;
  bool strict_builtin_errors = false;
  std::string package;
  std::vector<std::string> imports;
  bool metrics = false;
  std::string explain = "off";
  bool profile = false;
  std::size_t profile_limit = 10;
  std::vector<std::string> profile_sort;
  std::string timeout;
};

const std::map<std::string, EvalFormat, std::less<>> kFormats = {
    {"json", EvalFormat::kJson},         {"pretty", EvalFormat::kPretty},
    {"raw", EvalFormat::kRaw},           {"values", EvalFormat::kValues},
    {"bindings", EvalFormat::kBindings}, {"discard", EvalFormat::kDiscard}};

const std::map<std::string, rego::trace::Explain, std::less<>> kExplanations = {
    {"notes", rego::trace::Explain::kNotes},
    {"fails", rego::trace::Explain::kFails},
    {"full", rego::trace::Explain::kFull},
    {"debug", rego::trace::Explain::kDebug}};

// Whether the format has room for more than results.
bool ShowsSteps(std::string_view format) {
  return format == "pretty" || format == "json" || format == "discard";
}

// Hands events on to an explanation and a profile.
class Sinks final : public rego::trace::Sink {
 public:
  Sinks(rego::trace::Explanation* explanation, rego::trace::Profile* profile)
      : explanation_(explanation), profile_(profile) {}

  [[nodiscard]] bool wants_unify() const override {
    return explanation_ != nullptr && explanation_->wants_unify();
  }
  bool Add(const rego::trace::Event& event) override {
    return (profile_ == nullptr || profile_->Add(event)) &&
           (explanation_ == nullptr || explanation_->Add(event));
  }

 private:
  rego::trace::Explanation* const explanation_;
  rego::trace::Profile* const profile_;
};

class Evaluation {
 public:
  Evaluation(const EvalOptions& options, Clock& clock)
      : options_(options), clock_(clock), timers_(clock) {
    compile_.catalog = catalog_.get();
    compile_.keep_prints = true;
    request_.arena = &arena_;
    request_.clock = &clock_;
    request_.prints = &prints_;
    if (const auto found = kExplanations.find(options.explain);
        found != kExplanations.end() && ShowsSteps(options.format)) {
      const bool as_text = options.format == "pretty";
      explanation_ = std::make_unique<rego::trace::Explanation>(
          found->second, as_text ? rego::trace::Form::kText : rego::trace::Form::kJson);
    }
    if (options.profile) {
      profile_ = std::make_unique<rego::trace::Profile>(clock);
    }
    request_.strict_builtin_errors = options.strict_builtin_errors;
    request_.conflict_texts = rego::ConflictTexts::kCurrent;
  }

  // ERRORS: what stops the command before it evaluates: a file that is not there, a flag that is wrong.
  Result<void> ReadInputs() {
    if (!options_.timeout.empty()) {
      const auto timeout = builtins::ParseDuration(options_.timeout);
      if (!timeout) {
        return Fail(ErrorCode::kInvalidArgument,
                    "invalid argument \"" + options_.timeout +
                        "\" for \"--timeout\" flag: " + timeout.error());
      }
      if (*timeout != 0) {
        request_.deadline = clock_.Now() + std::chrono::nanoseconds(*timeout);
      }
    }
    query_ = options_.query_on_stdin ? TRY(ReadFile("-")) : options_.query;
    if (!options_.input_on_stdin && options_.input.empty()) {
      return {};
    }
    const std::string path = options_.input_on_stdin ? "-" : options_.input;
    const Result<std::string> text = ReadFile(path);
    if (!text && text.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kNotFound, "open " + path + ": no such file or directory");
    }
    if (!text) {
      return std::unexpected(text.error());
    }
    request_.input = TRY(AddContext(ParseRegoDocument(*text, arena_), "unable to parse input"));
    return {};
  }

  EvalOutput Run() {
    EvalOutput output;
    Reported<void> done = RunInto(&output);
    if (!done) {
      output.errors = std::move(done).error();
      output.solutions.clear();
    }
    output.explanation = explanation_.get();
    if (profile_ != nullptr) {
      AddProfile(&output);
    }
    if (options_.metrics) {
      output.metrics = timers_.all();
    }
    return output;
  }

  [[nodiscard]] const std::string& prints() const { return prints_; }

 private:
  [[nodiscard]] rego::Version version() const {
    return options_.v0 ? rego::Version::kV0 : rego::Version::kV1;
  }

  Reported<void> RunInto(EvalOutput* output) {
    RegoFiles files;
    files.data = Value::Object({});
    if (!options_.data.empty()) {
      auto loaded = timers_.Time("timer_rego_load_files_ns", [&] {
        return LoadRegoFiles(options_.data, RegoFileKinds::kAll, version(), arena_, &timers_);
      });
      if (!loaded) {
        return std::unexpected(std::move(loaded).error());
      }
      files = *std::move(loaded);
    }
    request_.data = files.data;
    rego::CompileOptions strict = compile_;
    strict.strict = options_.strict;
    const auto compile = [&] { return rego::Compile(std::move(files.modules), strict); };
    auto policy =
        files.modules.empty() ? compile() : timers_.Time("timer_rego_module_compile_ns", compile);
    if (!policy) {
      return std::unexpected(ReportOf(policy.error()));
    }
    auto query = CompileQuery(*policy, output);
    if (!query) {
      return std::unexpected(std::move(query).error());
    }
    auto evaluated = explanation_ == nullptr && profile_ == nullptr
                         ? Evaluate(*policy, *std::move(query))
                         : Trace(*policy, *std::move(query));
    if (!evaluated) {
      return std::unexpected(std::move(evaluated).error());
    }
    for (const std::vector<rego::Binding>& row : *evaluated) {
      AddSolution(row, output);
    }
    return {};
  }

  using Rows = std::vector<std::vector<rego::Binding>>;

  Reported<Rows> Evaluate(const std::shared_ptr<const rego::CompiledPolicy>& policy,
                          rego::ValueQuery query) {
    auto plan = rego::MakeQueryPlan(policy, std::move(query.body));
    if (!plan) {
      return std::unexpected(std::vector{ReportOf(plan.error())});
    }
    plan_ = *std::move(plan);
    return AsReported(
        timers_.Time("timer_rego_query_eval_ns", [&] { return plan_->Evaluate(request_); }));
  }

  Reported<Rows> Trace(const std::shared_ptr<const rego::CompiledPolicy>& policy,
                       rego::ValueQuery query) {
    traced_ = std::make_unique<const rego::trace::TracedQuery>(policy, std::move(query));
    Sinks sinks(explanation_.get(), profile_.get());
    return AsReported(timers_.Time("timer_rego_query_eval_ns", [&] {
      return traced_->Evaluate(request_, rego::trace::Release::k1_22, sinks);
    }));
  }

  static Reported<Rows> AsReported(Result<std::expected<Rows, rego::EvaluationError>> outcome) {
    if (!outcome) {
      return std::unexpected(std::vector{ReportOf(outcome.error())});
    }
    if (!*outcome) {
      return std::unexpected(std::vector{ReportOf(outcome->error())});
    }
    return **std::move(outcome);
  }

  void AddProfile(EvalOutput* output) {
    std::vector<std::string> criteria = options_.profile_sort;
    if (criteria.empty()) {
      criteria = {"total_time_ns", "num_eval", "num_redo", "file", "line"};
    }
    for (const rego::trace::ProfiledLine& line :
         profile_->Lines(options_.profile_limit, criteria)) {
      EvalOutput::ProfiledLine& shown = output->profile.emplace_back();
      shown.line = line;
      shown.place =
          line.file.empty()
              ? query_.substr(std::min<std::size_t>(line.offset, query_.size()), line.length)
              : line.file + ":" + std::to_string(line.row);
    }
  }

  Reported<rego::ValueQuery> CompileQuery(const std::shared_ptr<const rego::CompiledPolicy>& policy,
                                          EvalOutput* output) {
    std::unique_ptr<rego::Module> context;
    if (!options_.package.empty() || !options_.imports.empty()) {
      std::string text =
          "package " + (options_.package.empty() ? "__query__" : options_.package) + "\n";
      for (const std::string& import : options_.imports) {
        text += "import " + import + "\n";
      }
      auto parsed = rego::ParseModule("", text, version());
      if (!parsed) {
        return std::unexpected(ReportOf(parsed.error()));
      }
      context = *std::move(parsed);
    }
    auto parsed = timers_.Time("timer_rego_query_parse_ns",
                               [&] { return rego::ParseQuery(query_, version()); });
    if (!parsed) {
      return std::unexpected(ReportOf(parsed.error()));
    }
    auto compiled = timers_.Time("timer_rego_query_compile_ns", [&] {
      return rego::CompileValueQuery(*policy, *std::move(parsed), query_, context.get(), compile_);
    });
    if (!compiled) {
      return std::unexpected(ReportOf(compiled.error()));
    }
    output->expressions = compiled->expressions;
    return *std::move(compiled);
  }

  static void AddSolution(const std::vector<rego::Binding>& row, EvalOutput* output) {
    EvalSolution& solution = output->solutions.emplace_back();
    std::map<std::string_view, Value> captured;
    for (const rego::Binding& binding : row) {
      if (rego::IsCapture(binding.variable)) {
        captured[binding.variable] = binding.value;
      } else {
        solution.bindings.emplace_back(binding.variable, binding.value);
      }
    }
    for (const rego::QueryExpression& expression : output->expressions) {
      const auto found = captured.find(expression.variable);
      solution.expressions.push_back(found == captured.end() ? Value::Boolean(true)
                                                             : found->second);
    }
  }

  const EvalOptions& options_;
  Clock& clock_;
  Timers timers_;
  document::Arena arena_;
  const std::shared_ptr<const builtins::Catalog> catalog_ = rego::CreateCatalog();
  rego::CompileOptions compile_;
  rego::EvaluationRequest request_;
  std::string query_;
  std::string prints_;
  std::unique_ptr<rego::trace::Explanation> explanation_;
  std::unique_ptr<rego::trace::Profile> profile_;
  // One of the two: its constants are among the values.
  std::unique_ptr<const rego::QueryPlan> plan_;
  std::unique_ptr<const rego::trace::TracedQuery> traced_;
};

std::string WhatIsWrong(const EvalOptions& options) {
  if (options.query_given && options.query_on_stdin) {
    return "specify query argument or --stdin but not both";
  }
  if (!options.query_given && !options.query_on_stdin) {
    return "specify query argument or --stdin";
  }
  if (options.query_on_stdin && options.input_on_stdin) {
    return "specify --stdin or --stdin-input but not both";
  }
  if (options.input_on_stdin && !options.input.empty()) {
    return "specify --stdin-input or --input but not both";
  }
  if (options.fail && options.fail_defined) {
    return "specify --fail or --fail-defined but not both";
  }
  return "";
}

int Eval(const EvalOptions& options) {
  if (const std::string wrong = WhatIsWrong(options); !wrong.empty()) {
    std::cerr << "Error: " << wrong << "; portcullis eval --help has examples\n";
    return kExitDenied;
  }
  SystemClock clock;
  Evaluation evaluation(options, clock);
  if (const Result<void> read = evaluation.ReadInputs(); !read) {
    std::cerr << read.error().ToString() << '\n';
    return kExitError;
  }
  const EvalOutput output = evaluation.Run();
  std::cerr << evaluation.prints();
  const EvalText text = PrintEval(output, kFormats.find(options.format)->second);
  std::cout << text.out << std::flush;
  std::cerr << text.err;
  if (!output.errors.empty()) {
    return kExitError;
  }
  const bool defined = !output.solutions.empty();
  return (options.fail && !defined) || (options.fail_defined && defined) ? kExitDenied : kExitOk;
}

}  // namespace

void AddEval(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "eval", "Answer a Rego query, as `opa eval`: exit 0 answered, 2 error, 1 with --fail");
  auto options = std::make_shared<EvalOptions>();
  auto* query = command->add_option("query", options->query, "The query: data.a.b, x := 1; x > 0");
  command->add_flag("--stdin", options->query_on_stdin, "Read the query from standard input");
  command
      ->add_option("-d,--data", options->data,
                   "A policy or data file, or a folder of them; a.b:PATH puts data below data.a.b; "
                   "may be repeated")
      ->allow_extra_args(false);
  command->add_option("-i,--input", options->input, "The input document, JSON or YAML");
  command->add_flag("-I,--stdin-input", options->input_on_stdin,
                    "Read the input document from standard input");
  command->add_flag("--v0-compatible", options->v0, "Read policies and the query as Rego v0");
  command->add_flag("--v1-compatible", options->v1, "Read them as Rego v1: the default");
  command
      ->add_option("-f,--format", options->format, "json, pretty, raw, values, bindings, discard")
      ->check(CLI::IsMember({"json", "pretty", "raw", "values", "bindings", "discard"}))
      ->capture_default_str();
  command->add_flag("--fail", options->fail, "Exit with 1 where the query is undefined");
  command->add_flag("--fail-defined", options->fail_defined, "Exit with 1 where it is defined");
  command->add_flag("-S,--strict", options->strict, "Compile policies with strict checks");
  command->add_flag("--strict-builtin-errors", options->strict_builtin_errors,
                    "The first error of a builtin function ends the evaluation");
  command->add_option("--package", options->package,
                      "The package whose rules the query may name without data.…");
  command
      ->add_option("--import", options->imports,
                   "A reference that the query may name by its last part; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--explain", options->explain,
                   "Show how the answer came about: off, full, notes (what trace() says), fails, "
                   "debug (unifications too)")
      ->check(CLI::IsMember({"off", "full", "notes", "fails", "debug"}))
      ->capture_default_str();
  command->add_flag("--profile", options->profile,
                    "Show how often each line was evaluated, and how long it took");
  command->add_option("--profile-limit", options->profile_limit, "Lines to show; 0: all")
      ->capture_default_str();
  command
      ->add_option("--profile-sort", options->profile_sort,
                   "What lines are sorted by: total_time_ns, num_eval, num_redo, num_gen_expr, "
                   "file, line; may be repeated")
      ->delimiter(',')
      ->check(
          CLI::IsMember({"total_time_ns", "num_eval", "num_redo", "num_gen_expr", "file", "line"}))
      ->allow_extra_args(false);
  command->add_flag("--metrics", options->metrics, "Print how long each part took");
  command->add_option("--timeout", options->timeout,
                      "End the evaluation after so long: 500ms, 10s");
  command->footer(
      "Examples:\n"
      "  portcullis eval 'x := 1; y := 2; x < y'\n"
      "  portcullis eval -d policy.rego -d data.json -i input.json data.policy.allow\n"
      "  portcullis eval -d policies/ -I --format pretty data.policy.violation < input.json\n"
      "  portcullis eval -d policy.rego -i input.json --explain fails --format pretty "
      "data.policy.allow\n"
      "  portcullis eval -d policy.rego -i input.json --profile --profile-limit 5 "
      "data.policy.allow");
  command->callback([=] {
    options->query_given = query->count() > 0;
    options->profile = options->profile || command->count("--profile-limit") > 0 ||
                       command->count("--profile-sort") > 0;
    options->metrics = options->metrics || options->profile;
    *exit_code = Eval(*options);
  });
}

}  // namespace portcullis::tools
