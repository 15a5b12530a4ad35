// Random programs, asked of this engine and of OPA, and what differs.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tests/differential/answer.h"
#include "tests/differential/generator.h"
#include "tests/differential/outcome.h"
#include "tests/differential/peer.h"
#include "tests/differential/program.h"

namespace portcullis::differential {

struct CampaignOptions {
  std::uint64_t seed = 1;  // Of the first program; the next has the next.
  std::uint64_t count = 1000;
  std::size_t most = 10;  // Differences after which to stop.
  bool shrink = false;    // Makes what differs small: seconds each.
  bool show = false;      // Prints each program and OPA's answer.
  Flavour flavour = Flavour::kLanguage;
  std::string
      record;  // File that short requests are added to with OPA's answers, for recorded.jsonl. Empty: none.
};

struct Finding {
  std::uint64_t seed = 0;
  std::string sort;        // DifferenceClass()
  bool in_result = false;  // Not only in which error is told, or when one is met.
  Program program;
  Outcome ours;
  Outcome theirs;
  [[nodiscard]] std::string ToText() const;
};

struct CampaignResult {
  std::uint64_t first_seed = 0;
  std::uint64_t programs = 0;
  std::array<std::size_t, 6> by_kind{};  // Of OPA's outcomes, by OutcomeKind.
  std::size_t unsteady = 0;      // OPA itself gives one of several answers; ours was among them.
  std::size_t with_lookups = 0;  // Programs that looked into an index.
  std::map<std::string, std::size_t> known;  // By what differs (known.h).
  std::vector<Finding> findings;
  double programs_a_minute = 0;
  [[nodiscard]] std::size_t Of(OutcomeKind kind) const {
    return by_kind[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::string ToText() const;
};

class Campaign {
 public:
  // `ours`, `theirs`: the programs portcullis_peer and opa_peer. ERRORS: kUnavailable: cannot be started.
  [[nodiscard]] static Result<std::unique_ptr<Campaign>> Open(const std::string& ours,
                                                              const std::string& theirs,
                                                              EvaluateBy by = EvaluateBy::kPlan);
  // ERRORS: kUnavailable: a peer ended and cannot be started again.
  [[nodiscard]] Result<CampaignResult> Run(const CampaignOptions& options);

 private:
  Campaign(std::unique_ptr<Peer> ours, std::unique_ptr<Peer> theirs)
      : ours_(std::move(ours)), theirs_(std::move(theirs)) {}
  Result<bool> Compare(const CampaignOptions& options, const std::vector<Program>& programs,
                       std::uint64_t first_seed, CampaignResult* result);
  // The two outcomes of a program, ours first.
  Result<std::array<Outcome, 2>> AskBoth(const Program& program);
  Result<bool> IsSteady(const Program& program);
  Result<bool> Report(const CampaignOptions& options, const Program& program, std::uint64_t seed,
                      const std::string& sort, CampaignResult* result);

  std::unique_ptr<Peer> ours_;
  std::unique_ptr<Peer> theirs_;
};

}  // namespace portcullis::differential
