// differential --peer OPA_PEER --own PORTCULLIS_PEER [--seed S] [--count N]: makes random programs, asks both, and prints
// what differs. Exits 0 when nothing did.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/differential/generator.h"
#include "tests/differential/outcome.h"
#include "tests/differential/peer.h"
#include "tests/differential/shrink.h"

namespace portcullis::differential {
namespace {

constexpr std::size_t kBatch = 250;

struct Options {
  std::string peer;
  std::string own;
  std::uint64_t seed = 1;
  std::uint64_t count = 1000;
  std::size_t most = 10;
  bool shrink = false;
  bool show = false;
  bool inventory = false;
};

class Campaign {
 public:
  Campaign(const Options& options, std::unique_ptr<Peer> ours, std::unique_ptr<Peer> theirs)
      : options_(options), ours_(std::move(ours)), theirs_(std::move(theirs)) {}

  Result<int> Run() {
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t done = 0;
    while (done < options_.count && differing_ < options_.most) {
      std::vector<Program> programs;
      for (; programs.size() < kBatch && done < options_.count; ++done) {
        programs.push_back(GenerateProgram(options_.seed + done, flavour()));
      }
      TRY(Compare(programs, options_.seed + done - programs.size()));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf(
        "seeds %llu to %llu: %zu differ, %zu unsteady in OPA itself; values %zu, empty %zu, "
        "undefined %zu, rejected %zu, "
        "failed %zu, broken %zu; %.0f programs a minute\n",
        static_cast<unsigned long long>(options_.seed),
        static_cast<unsigned long long>(options_.seed + done - 1), differing_, unsteady_,
        Count(OutcomeKind::kValue), Count(OutcomeKind::kEmpty), Count(OutcomeKind::kUndefined),
        Count(OutcomeKind::kRejected), Count(OutcomeKind::kFailed), Count(OutcomeKind::kBroken),
        static_cast<double>(done) / took.count() * 60);
    return differing_ == 0 ? 0 : 1;
  }

 private:
  [[nodiscard]] Flavour flavour() const {
    return options_.inventory ? Flavour::kInventory : Flavour::kLanguage;
  }
  [[nodiscard]] std::size_t Count(OutcomeKind kind) const {
    return counts_[static_cast<std::size_t>(kind)];
  }

  Result<bool> Compare(const std::vector<Program>& programs, std::uint64_t first_seed) {
    std::vector<std::string> requests;
    for (std::size_t i = 0; i < programs.size(); ++i) {
      requests.push_back(ToRequest(programs[i], first_seed + i));
    }
    Result<std::vector<std::string>> own_answers;
    std::jthread own([&] { own_answers = ours_->Ask(requests); });
    const std::vector<std::string> answers = TRY(theirs_->Ask(requests));
    own.join();
    const std::vector<std::string> own_lines = TRY(std::move(own_answers));
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const Outcome ours = ReadOutcome(own_lines[i]);
      const Outcome theirs = ReadOutcome(answers[i]);
      ++counts_[static_cast<std::size_t>(theirs.kind)];
      if (options_.show) {
        std::printf("=== seed %llu\n%s%s\n", static_cast<unsigned long long>(first_seed + i),
                    ToText(programs[i]).c_str(), theirs.text.c_str());
      }
      if (ours.text != theirs.text && theirs.kind != OutcomeKind::kBroken &&
          differing_ < options_.most) {
        TRY(Report(programs[i], first_seed + i, DifferenceClass(ours, theirs)));
      }
    }
    return true;
  }

  // The two outcomes of a program, ours first.
  Result<std::array<Outcome, 2>> AskBoth(const Program& program) {
    const std::vector<std::string> request = {ToRequest(program, 0)};
    const std::vector<std::string> own = TRY(ours_->Ask(request));
    const std::vector<std::string> other = TRY(theirs_->Ask(request));
    return std::array{ReadOutcome(own[0]), ReadOutcome(other[0])};
  }

  // OPA goes through Go maps in some places, so that which error it meets first is chance.
  Result<bool> IsSteady(const Program& program) {
    const std::vector<std::string> requests(8, ToRequest(program, 0));
    const std::vector<std::string> answers = TRY(theirs_->Ask(requests));
    const std::vector<std::string> own = TRY(ours_->Ask({requests[0]}));
    for (const std::string& answer : answers) {
      if (ReadOutcome(answer).text == ReadOutcome(own[0]).text) {
        return false;
      }
    }
    return true;
  }

  Result<bool> Report(const Program& program, std::uint64_t seed, const std::string& difference) {
    if (!TRY(IsSteady(program))) {
      ++unsteady_;
      return true;
    }
    ++differing_;
    const Program small =
        options_.shrink ? Shrink(program,
                                 [&](const Program& candidate) {
                                   const auto both = AskBoth(candidate);
                                   return both && (*both)[0].text != (*both)[1].text &&
                                          DifferenceClass((*both)[0], (*both)[1]) == difference;
                                 })
                        : program;
    const std::array<Outcome, 2> both = TRY(AskBoth(small));
    std::printf("DIFFERS seed %llu (%s)\n%s--- ours:\n%s--- OPA:\n%s\n",
                static_cast<unsigned long long>(seed), difference.c_str(), ToText(small).c_str(),
                both[0].text.c_str(), both[1].text.c_str());
    std::fflush(stdout);
    return true;
  }

  const Options& options_;
  std::unique_ptr<Peer> ours_;
  std::unique_ptr<Peer> theirs_;
  std::array<std::size_t, 6> counts_{};
  std::size_t differing_ = 0;
  std::size_t unsteady_ = 0;
};

Result<int> Run(const Options& options) {
  auto ours = TRY(Peer::Start({options.own}));
  auto theirs = TRY(Peer::Start({options.peer, "answer"}));
  return Campaign(options, std::move(ours), std::move(theirs)).Run();
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  portcullis::differential::Options options;
  CLI::App app("Random programs, answered by this engine and by OPA.");
  app.add_option("--peer", options.peer, "tests/opa_peer, built (script/opa-peer)")->required();
  app.add_option("--own", options.own, "portcullis_peer")->required();
  app.add_option("--seed", options.seed, "Of the first program; the next has the next");
  app.add_option("--count", options.count, "Programs");
  app.add_option("--most", options.most, "Differences after which to stop");
  app.add_flag("--shrink", options.shrink, "Make programs that differ small");
  app.add_flag("--show", options.show, "Print each program and OPA's answer");
  app.add_flag("--inventory", options.inventory, "Programs over data.inventory");
  CLI11_PARSE(app, argc, argv);
  const auto code = portcullis::differential::Run(options);
  if (!code) {
    std::fprintf(stderr, "differential: %s\n", code.error().ToString().c_str());
    return 2;
  }
  return *code;
}
