// differential --peer OPA_PEER --own PORTCULLIS_PEER [--seed S] [--count N]: makes random programs, asks both, and prints
// what differs. Exits 0 when nothing did.

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/differential/campaign.h"

namespace portcullis::differential {
namespace {

Result<int> Run(const std::string& own, const std::string& peer, EvaluateBy by,
                const CampaignOptions& options) {
  auto campaign = TRY(Campaign::Open(own, peer, by));
  const CampaignResult result = TRY(campaign->Run(options));
  std::printf("%s\n", result.ToText().c_str());
  return result.findings.empty() ? 0 : 1;
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  portcullis::differential::CampaignOptions options;
  std::string own;
  std::string peer;
  bool inventory = false;
  bool steps = false;
  CLI::App app("Random programs, answered by this engine and by OPA.");
  app.add_option("--peer", peer, "tests/opa_peer, built (script/opa-peer)")->required();
  app.add_option("--own", own, "portcullis_peer")->required();
  app.add_option("--seed", options.seed, "Of the first program; the next has the next");
  app.add_option("--count", options.count, "Programs");
  app.add_option("--most", options.most, "Differences after which to stop");
  app.add_option("--record", options.record,
                 "File to add short requests and OPA's answers to (recorded.jsonl)");
  app.add_flag("--shrink", options.shrink, "Make programs that differ small");
  app.add_flag("--show", options.show, "Print each program and OPA's answer");
  app.add_flag("--inventory", inventory, "Programs over data.inventory");
  app.add_flag("--steps", steps, "Evaluate as `portcullis eval --explain` does");
  CLI11_PARSE(app, argc, argv);
  if (inventory) {
    options.flavour = portcullis::differential::Flavour::kInventory;
  }
  const auto by = steps ? portcullis::differential::EvaluateBy::kSteps
                        : portcullis::differential::EvaluateBy::kPlan;
  const auto code = portcullis::differential::Run(own, peer, by, options);
  if (!code) {
    std::fprintf(stderr, "differential: %s\n", code.error().ToString().c_str());
    return 2;
  }
  return *code;
}
