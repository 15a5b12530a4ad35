#include "tests/differential/campaign.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <ranges>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "tests/differential/known.h"
#include "tests/differential/shrink.h"

namespace portcullis::differential {
namespace {

constexpr std::size_t kBatch = 250;
// Bytes of a request that is worth keeping.
constexpr std::size_t kShort = 1500;

// How often OPA is asked for what differs: a choice of eight falls on one of them in all but one case of ten thousand.
constexpr std::size_t kTries = 64;
constexpr std::size_t kTriesAtOnce = 8;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

// "a -> b" of a cycle that a line names; `head`: what stands before it. None: the line names no cycle.
std::optional<std::vector<std::string>> StepsOf(std::string line, std::string* head) {
  constexpr std::string_view kMark = " recursive: ";
  const std::size_t at = line.find(kMark);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  *head = line.substr(0, at);
  // What a step hangs on is told of the first that hangs on something.
  line.resize(std::min(line.find(" (data", at), line.size()));
  std::vector<std::string> steps;
  std::string from;
  for (std::size_t begin = at + kMark.size(); begin < line.size();) {
    const std::size_t end = std::min(line.find(" -> ", begin), line.size());
    const std::string to = line.substr(begin, end - begin);
    if (!from.empty()) {
      steps.push_back(from + " -> " + to);
    }
    from = to;
    begin = end + 4;
  }
  return steps;
}

// Whether some of OPA's lines name the same rule as recursive, and all steps of the cycle are steps in cycles of theirs.
bool IsOneOfTheirCycles(const std::string& line, const std::set<std::string>& theirs) {
  std::string head;
  const auto steps = StepsOf(line, &head);
  std::set<std::string> known;
  bool named = false;
  for (const std::string& other : theirs) {
    std::string other_head;
    if (const auto other_steps = StepsOf(other, &other_head)) {
      known.insert(other_steps->begin(), other_steps->end());
      named = named || other_head == head;
    }
  }
  return steps && named &&
         std::ranges::all_of(*steps, [&](const auto& step) { return known.contains(step); });
}

std::string Known(const std::map<std::string, std::size_t>& known) {
  std::string text;
  for (const auto& [what, count] : known) {
    text += ", " + std::to_string(count) + " known (" + what + ")";
  }
  return text;
}

bool IsResult(const Outcome& outcome) {
  return outcome.kind == OutcomeKind::kValue || outcome.kind == OutcomeKind::kEmpty ||
         outcome.kind == OutcomeKind::kUndefined;
}

bool DiffersInResult(const Outcome& ours, const Outcome& theirs) {
  if (ours.kind == OutcomeKind::kBroken) {
    return true;
  }
  const bool rejected = ours.kind == OutcomeKind::kRejected;
  return (IsResult(ours) && IsResult(theirs)) ||
         rejected != (theirs.kind == OutcomeKind::kRejected);
}

}  // namespace

std::string Finding::ToText() const {
  return "DIFFERS seed " + std::to_string(seed) + " (" + sort + ")\n" +
         differential::ToText(program) + "--- ours:\n" + ours.text + "--- OPA:\n" + theirs.text;
}

std::string CampaignResult::ToText() const {
  const auto count = [this](OutcomeKind kind) { return std::to_string(Of(kind)); };
  return "seeds " + std::to_string(first_seed) + " to " +
         std::to_string(first_seed + programs - 1) + ": " + std::to_string(findings.size()) +
         " differ, " + std::to_string(unsteady) + " unsteady in OPA itself" + Known(known) +
         "; values " + count(OutcomeKind::kValue) + ", empty " + count(OutcomeKind::kEmpty) +
         ", undefined " + count(OutcomeKind::kUndefined) + ", rejected " +
         count(OutcomeKind::kRejected) +
         (with_lookups == 0 ? "" : ", " + std::to_string(with_lookups) + " looked into indexes") +
         ", failed " + count(OutcomeKind::kFailed) + ", broken " + count(OutcomeKind::kBroken) +
         "; " + std::to_string(static_cast<long>(programs_a_minute)) + " programs a minute";
}

Result<std::unique_ptr<Campaign>> Campaign::Open(const std::string& ours, const std::string& theirs,
                                                 EvaluateBy by) {
  std::vector<std::string> command = {ours};
  if (by == EvaluateBy::kSteps) {
    command.emplace_back("--steps");
  }
  auto own = TRY(Peer::Start(std::move(command)));
  auto other = TRY(Peer::Start({theirs, "answer"}));
  return std::unique_ptr<Campaign>(new Campaign(std::move(own), std::move(other)));
}

Result<CampaignResult> Campaign::Run(const CampaignOptions& options) {
  CampaignResult result;
  result.first_seed = options.seed;
  const auto began = std::chrono::steady_clock::now();
  while (result.programs < options.count && result.findings.size() < options.most) {
    std::vector<Program> programs;
    while (programs.size() < kBatch && result.programs + programs.size() < options.count) {
      programs.push_back(
          GenerateProgram(options.seed + result.programs + programs.size(), options.flavour));
    }
    TRY(Compare(options, programs, options.seed + result.programs, &result));
    result.programs += programs.size();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  result.programs_a_minute = static_cast<double>(result.programs) / took.count() * 60;
  return result;
}

Result<bool> Campaign::Compare(const CampaignOptions& options, const std::vector<Program>& programs,
                               std::uint64_t first_seed, CampaignResult* result) {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    requests.push_back(ToRequest(programs[i], first_seed + i));
  }
  Result<std::vector<std::string>> own_answers;
  std::jthread own([&] { own_answers = ours_->Ask(requests); });
  const std::vector<std::string> answers = TRY(theirs_->Ask(requests));
  own.join();
  if (!own_answers) {
    return std::unexpected(std::move(own_answers).error());
  }
  const std::vector<std::string>& own_lines = *own_answers;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const Outcome ours = ReadOutcome(own_lines[i]);
    const Outcome theirs = ReadOutcome(answers[i]);
    ++result->by_kind[static_cast<std::size_t>(theirs.kind)];
    result->with_lookups += ours.lookups > 0 ? 1 : 0;
    if (options.show) {
      std::printf("=== seed %llu\n%s%s\n", static_cast<unsigned long long>(first_seed + i),
                  ToText(programs[i]).c_str(), theirs.text.c_str());
    }
    if (!options.record.empty() && ours.text == theirs.text && requests[i].size() < kShort) {
      std::ofstream(options.record, std::ios::app)
          << R"({"request":)" << requests[i] << R"(,"answer":)" << answers[i] << "}\n";
    }
    // Where OPA has no answer, or an internal error, there is nothing to compare with.
    if (ours.text != theirs.text && theirs.kind != OutcomeKind::kBroken &&
        result->findings.size() < options.most) {
      TRY(Report(options, programs[i], first_seed + i, DifferenceClass(ours, theirs), result));
    }
  }
  return true;
}

Result<std::array<Outcome, 2>> Campaign::AskBoth(const Program& program) {
  const std::vector<std::string> request = {ToRequest(program, 0)};
  const std::vector<std::string> own = TRY(ours_->Ask(request));
  const std::vector<std::string> other = TRY(theirs_->Ask(request));
  return std::array{ReadOutcome(own[0]), ReadOutcome(other[0])};
}

// OPA goes through Go maps in some places, so that which error it meets first, and which of several cycles it names, is
// chance. Each line of a refusal is a chance of its own. Where its stack overflows now and then, there is nothing to compare.
Result<bool> Campaign::IsSteady(const Program& program) {
  const std::string request = ToRequest(program, 0);
  const Outcome ours = ReadOutcome(TRY(ours_->Ask({request}))[0]);
  const auto pieces = [&](const std::string& text) {
    return ours.kind == OutcomeKind::kRejected ? LinesOf(text) : std::vector{text};
  };
  const std::vector<std::string> lines = pieces(ours.text);
  // Past the limit of errors it is chance which are told at all.
  const bool some_of_many = ours.text.contains("error limit reached");
  std::vector<bool> met(lines.size());
  std::set<std::string> all;
  const auto is_met = [&](std::size_t i) { return met[i] || IsOneOfTheirCycles(lines[i], all); };
  for (std::size_t tries = 0; tries < kTries; tries += kTriesAtOnce) {
    for (const std::string& answer : TRY(theirs_->Ask(std::vector(kTriesAtOnce, request)))) {
      if (answer.empty()) {
        return false;
      }
      const std::vector<std::string> theirs = pieces(ReadOutcome(answer).text);
      all.insert(theirs.begin(), theirs.end());
      for (std::size_t i = 0; theirs.size() == lines.size() && i < lines.size(); ++i) {
        met[i] = met[i] || theirs[i] == lines[i] ||
                 (some_of_many && std::ranges::find(theirs, lines[i]) != theirs.end());
      }
    }
    if (std::ranges::all_of(std::views::iota(std::size_t{0}, lines.size()), is_met)) {
      return false;
    }
  }
  return true;
}

Result<bool> Campaign::Report(const CampaignOptions& options, const Program& program,
                              std::uint64_t seed, const std::string& sort, CampaignResult* result) {
  if (!TRY(IsSteady(program))) {
    ++result->unsteady;
    return true;
  }
  const std::array<Outcome, 2> whole = TRY(AskBoth(program));
  const AskOpa ask_opa = [this](const Program& rewritten) {
    const auto answers = theirs_->Ask({ToRequest(rewritten, 0)});
    return answers ? ReadOutcome((*answers)[0]) : Outcome();
  };
  if (const std::string_view known = KnownDifference(program, whole[0], whole[1], ask_opa);
      !known.empty()) {
    ++result->known[std::string(known)];
    return true;
  }
  const Probe still = [&](const Program& candidate) {
    const auto both = AskBoth(candidate);
    return both && (*both)[0].text != (*both)[1].text &&
           DifferenceClass((*both)[0], (*both)[1]) == sort;
  };
  Finding finding;
  finding.seed = seed;
  finding.sort = sort;
  finding.program = options.shrink ? Shrink(program, still) : program;
  const std::array<Outcome, 2> both = TRY(AskBoth(finding.program));
  finding.ours = both[0];
  finding.theirs = both[1];
  finding.in_result = DiffersInResult(both[0], both[1]);
  std::printf("%s\n", finding.ToText().c_str());
  std::fflush(stdout);
  result->findings.push_back(std::move(finding));
  return true;
}

}  // namespace portcullis::differential
