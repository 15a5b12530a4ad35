// portcullis review: one AdmissionReview from a file, answered as the webhook answers it.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "tools/command.h"
#include "tools/review_world.h"
#include "webhook/admission.h"
#include "webhook/mutation.h"

namespace portcullis::tools {
namespace {

struct ReviewOptions {
  std::string file;
  ReviewPlace place;
  bool no_index = false;
  bool mutate = false;
};

int AnswerMutation(ReviewWorld& world, const std::string& body) {
  webhook::MutationOptions options;
  options.timeout = std::chrono::minutes(5);
  std::string reply;
  std::int32_t code = 0;
  world.MakeMutationHandler(options)->Mutate("application/json", body, {}, &reply, &code);
  std::cout << reply << std::flush;
  return code == 200 ? kExitOk : kExitError;
}

Result<int> Review(const ReviewOptions& options) {
  const std::string body = TRY(ReadFile(options.file, std::uint64_t{64} << 20));
  const std::unique_ptr<ReviewWorld> world = TRY(OpenReviewWorld(options.place));
  if (options.mutate) {
    return AnswerMutation(*world, body);
  }
  webhook::AdmissionOptions admission;
  admission.evaluation_timeout = std::chrono::minutes(5);
  admission.index_use = options.no_index ? rego::IndexUse::kIgnore : rego::IndexUse::kUse;
  const webhook::AdmissionOutcome outcome =
      world->MakeHandler(admission)->Admit("application/json", body);
  std::cout << outcome.body << std::flush;
  if (outcome.allowed) {
    return kExitOk;
  }
  return outcome.code == 403 || outcome.code == 422 ? kExitDenied : kExitError;
}

}  // namespace

void AddReview(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "review",
      "Answer one AdmissionReview as the webhook would: exit 0 allowed, 1 denied, 2 error");
  auto options = std::make_shared<ReviewOptions>();
  command
      ->add_option("-f,--filename", options->file, "The AdmissionReview, JSON; - is standard input")
      ->required();
  AddPlaceOptions(*command, &options->place);
  command->add_option(
      "--policies", options->place.policies,
      "A folder of templates, constraints and Config; without it they are looked for in --source");
  command->add_flag("--mutate", options->mutate,
                    "Answer as the mutating webhook: with the JSON patch, in base64");
  command->add_flag("--no-index", options->no_index,
                    "Scan where an index would serve: slower, the same answer");
  command->footer(
      "Examples:\n"
      "  portcullis review -f review.json --source ./manifests --policies ./policies\n"
      "  portcullis review -f - --snapshot cluster.snapshot --policies ./policies < review.json");
  command->callback([=] {
    const Result<int> done = Review(*options);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

}  // namespace portcullis::tools
