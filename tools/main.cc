// The portcullis program: parses the command line and runs one sub-command.

#include <CLI/CLI.hpp>

#include "tools/command.h"

int main(int argc, char** argv) {
  namespace tools = portcullis::tools;
  CLI::App program(
      "Portcullis runs OPA Gatekeeper's policies unchanged and answers those that look at other "
      "objects by look-up, "
      "from an indexed replica of the cluster.",
      "portcullis");
  program.require_subcommand(1);
  program.footer(
      "Examples:\n"
      "  portcullis serve --source ./manifests --data ./data --listen 127.0.0.1:8443\n"
      "  portcullis review -f review.json --source ./manifests --policies ./policies\n"
      "  portcullis explain --policies ./policies K8sUniqueHost\n"
      "  portcullis inventory stats --data ./data\n"
      "  portcullis violations list --data ./data\n"
      "Each command has its own --help with examples.");
  int exit_code = tools::kExitOk;
  tools::AddServe(program, &exit_code);
  tools::AddReview(program, &exit_code);
  tools::AddExplain(program, &exit_code);
  tools::AddInstall(program, &exit_code);
  tools::AddInventory(program, &exit_code);
  tools::AddMutate(program, &exit_code);
  tools::AddCheck(program, &exit_code);
  tools::AddEval(program, &exit_code);
  tools::AddTest(program, &exit_code);
  tools::AddExpand(program, &exit_code);
  tools::AddVerify(program, &exit_code);
  tools::AddViolations(program, &exit_code);
  tools::AddVersion(program, &exit_code);
  tools::AddCompletion(program, &exit_code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? tools::kExitOk : tools::kExitError;
  }
  return exit_code;
}
