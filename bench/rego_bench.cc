// CPU time of one evaluation, beside Open Policy Agent itself in the same run: each policy is compiled and planned once and its
// answer compared with OPA's, then both evaluate it over and over on one thread.
//
//   rego_bench [--library DIR] [--peer PROGRAM] [--only TEXT] [--quick]
//
// --peer is tests/opa_peer, built; without it only our own times are shown. --quick runs each case a few times: a test.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/rego_cases.h"
#include "document/json.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/catalog.h"
#include "rules/rego/engine.h"

namespace portcullis::bench {
namespace {

namespace fs = std::filesystem;
using document::Value;

constexpr double kRunNanos = 5e8;

double CpuNanos() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Options {
  fs::path library = "../shared/conformance/library";
  fs::path peer;
  std::string only;
  bool quick = false;
};

struct PeerTime {
  double nanos = 0;
  std::string answer;  // Rego text; empty: undefined.
};

// One policy, compiled, with its input.
struct Prepared {
  document::Arena inputs;
  std::unique_ptr<const rego::Plan> plan;
  Value input;
  Value data;
};

Result<std::shared_ptr<const rego::CompiledPolicy>> Compile(const RegoCase& test,
                                                            const builtins::Catalog& catalog) {
  std::vector<std::unique_ptr<rego::Module>> modules;
  for (const auto& [file, text] : test.modules) {
    auto module =
        rego::ParseModule(file, text, test.is_v0 ? rego::Version::kV0 : rego::Version::kV1);
    if (!module) {
      return Fail(ErrorCode::kInvalidArgument, rego::ToString(module.error()));
    }
    modules.push_back(std::move(*module));
  }
  auto policy = rego::Compile(std::move(modules), {.catalog = &catalog});
  if (!policy) {
    return Fail(ErrorCode::kInvalidArgument, rego::ToString(policy.error()));
  }
  return std::move(*policy);
}

Result<std::unique_ptr<const rego::Plan>> Plan(const RegoCase& test,
                                               const builtins::Catalog& catalog) {
  auto policy = TRY(Compile(test, catalog));
  std::vector<std::string> path;
  for (std::size_t begin = 0; begin <= test.path.size();) {
    const std::size_t end = std::min(test.path.find('.', begin), test.path.size());
    path.push_back(test.path.substr(begin, end - begin));
    begin = end + 1;
  }
  return rego::MakePlan(std::move(policy), path);
}

Result<std::unique_ptr<Prepared>> Prepare(const RegoCase& test, const builtins::Catalog& catalog) {
  auto made = std::make_unique<Prepared>();
  made->plan = TRY(Plan(test, catalog));
  made->input = TRY(document::ParseJson(test.input, made->inputs));
  made->data = TRY(document::ParseJson(test.data, made->inputs));
  return made;
}

// The result as Rego text; what it cost goes to `nanos`.
Result<std::string> Measure(const Prepared& prepared, bool quick, double* nanos) {
  SystemClock clock;
  document::Arena arena(std::size_t{1} << 30);
  std::string answer;
  std::optional<Error> error;
  const auto run = [&](std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      arena.Reset();
      rego::EvaluationRequest request;
      request.input = prepared.input;
      request.data = prepared.data;
      request.arena = &arena;
      request.clock = &clock;
      request.deadline = clock.Now() + std::chrono::seconds(60);
      auto outcome = prepared.plan->Evaluate(request);
      if (!outcome || !*outcome) {
        error = outcome ? Error{.code = ErrorCode::kInternal,
                                .message = outcome->error().ToString(),
                                .position = {}}
                        : outcome.error();
        return;
      }
      if (i + 1 == times) {
        answer = (*outcome)->is_undefined() ? "" : document::ToRego(**outcome);
      }
    }
  };
  std::uint64_t times = 1;
  double took = 0;
  for (;;) {
    const double begin = CpuNanos();
    run(times);
    took = CpuNanos() - begin;
    if (error) {
      return std::unexpected(*error);
    }
    if (quick || took >= kRunNanos) {
      break;
    }
    times =
        took < kRunNanos / 50
            ? times * 4
            : static_cast<std::uint64_t>(static_cast<double>(times) * 1.2 * kRunNanos / took) + 1;
  }
  *nanos = took / static_cast<double>(times);
  return answer;
}

std::string Quote(const std::string& text) {
  std::string out;
  document::AppendJsonString(text, document::JsonStyle::kCompact, &out);
  return out;
}

Result<std::vector<PeerTime>> AskPeer(const Options& options, const std::vector<RegoCase>& cases) {
  const fs::path requests =
      fs::temp_directory_path() / fmt::format("rego_bench-{}.jsonl", getpid());
  {
    std::ofstream file(requests);
    for (const RegoCase& test : cases) {
      std::string modules;
      for (const auto& [name, text] : test.modules) {
        modules += (modules.empty() ? "" : ",") + Quote(name) + ":" + Quote(text);
      }
      file
          << fmt::format(
                 R"({{"modules":{{{}}},"version":"{}","query":"x = data.{}","input":{},"data":{},"iterations":{}}})",
                 modules, test.is_v0 ? "v0" : "v1", test.path, test.input, test.data,
                 options.quick ? 1 : 0)
          << "\n";
    }
  }
  const std::string command = options.peer.string() + " bench < " + requests.string();
  FILE* pipe = popen(command.c_str(), "r");
  std::string replies;
  char buffer[65536];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    replies.append(buffer, got);
  }
  const int status = pclose(pipe);
  fs::remove(requests);
  if (status != 0) {
    return Fail(ErrorCode::kInternal, command + " failed");
  }
  document::Arena arena;
  std::vector<PeerTime> times;
  for (std::size_t begin = 0; begin < replies.size();) {
    const std::size_t end = replies.find('\n', begin);
    const Value reply =
        TRY(document::ParseJson(std::string_view(replies).substr(begin, end - begin), arena));
    begin = end + 1;
    PeerTime& time = times.emplace_back();
    time.nanos = document::ToDouble(reply.Find("cpu_ns"));
    const Value solutions = reply.Find("solutions");
    if (solutions.size() == 1) {
      time.answer = solutions.ItemAt(0).GetString({"x"});
    } else if (reply.Find("errors").is_defined()) {
      time.answer = "error: " + document::ToJson(reply.Find("errors"));
    }
  }
  if (times.size() != cases.size()) {
    return Fail(ErrorCode::kInternal, "the peer answered to some cases only");
  }
  return times;
}

// Compiles and plans every template of the library.
Result<void> MeasureCompilation(const Options& options, const builtins::Catalog& catalog) {
  const auto templates = TRY(AllTemplates(options.library));
  double best = 0;
  for (int round = 0; round < (options.quick ? 1 : 5); ++round) {
    const double begin = CpuNanos();
    for (const RegoCase& test : templates) {
      const auto plan = TRY(Plan(test, catalog));
    }
    const double took = CpuNanos() - begin;
    best = round == 0 ? took : std::min(best, took);
  }
  fmt::print("{} templates compiled and planned in {:.1f} ms\n", templates.size(), best / 1e6);
  return {};
}

Result<bool> Run(const Options& options) {
  std::vector<RegoCase> all = TRY(LibraryCases(options.library));
  for (RegoCase& test : MicroCases()) {
    all.push_back(std::move(test));
  }
  std::vector<RegoCase> cases;
  for (RegoCase& test : all) {
    if (test.name.find(options.only) != std::string::npos) {
      cases.push_back(std::move(test));
    }
  }
  std::vector<PeerTime> peers;
  if (!options.peer.empty()) {
    peers = TRY(AskPeer(options, cases));
  }
  const auto catalog = rego::CreateCatalog();
  bool all_agree = true;
  double logarithms = 0;
  double least = 1e9;
  fmt::print("{:44} {:>12} {:>12} {:>8}\n", "case", "ours us", "OPA us", "ratio");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto prepared = TRY(Prepare(cases[i], *catalog));
    double nanos = 0;
    const std::string answer = TRY(Measure(*prepared, options.quick, &nanos));
    if (peers.empty()) {
      fmt::print("{:44} {:12.2f}\n", cases[i].name, nanos / 1e3);
      continue;
    }
    const double ratio = peers[i].nanos / nanos;
    logarithms += std::log(ratio);
    least = std::min(least, ratio);
    fmt::print("{:44} {:12.2f} {:12.2f} {:8.1f}\n", cases[i].name, nanos / 1e3,
               peers[i].nanos / 1e3, ratio);
    if (answer != peers[i].answer) {
      all_agree = false;
      fmt::print("  DIFFERENT ANSWERS\n    ours: {}\n    OPA:  {}\n", answer, peers[i].answer);
    }
  }
  if (!peers.empty()) {
    fmt::print("geometric mean of the ratios {:.1f}, least {:.1f}\n",
               std::exp(logarithms / static_cast<double>(cases.size())), least);
  }
  TRY(MeasureCompilation(options, *catalog));
  return all_agree;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) {
  portcullis::bench::Options options;
  CLI::App app("CPU time of one evaluation, beside OPA.");
  app.add_option("--library", options.library, "Folder of gatekeeper-library's templates")
      ->check(CLI::ExistingDirectory);
  app.add_option("--peer", options.peer, "tests/opa_peer, built")->check(CLI::ExistingFile);
  app.add_option("--only", options.only, "Only cases whose name contains this text");
  app.add_flag("--quick", options.quick, "A few evaluations of each: checks the answers");
  CLI11_PARSE(app, argc, argv);
  const auto agree = portcullis::bench::Run(options);
  if (!agree) {
    std::fprintf(stderr, "%s\n", agree.error().ToString().c_str());
    return 2;
  }
  return *agree ? 0 : 1;
}
