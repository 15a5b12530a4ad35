// portcullis version

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/command.h"

namespace portcullis::tools {

void AddVersion(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand("version", "Print the version of this program");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->footer("Example:\n  portcullis version --json");
  command->callback([json, exit_code] {
    if (*json) {
      std::cout << R"({"version":")" PORTCULLIS_VERSION R"(","opa":"1.22.2","gatekeeper":"3.23.1"})"
                << '\n';
    } else {
      std::cout << "portcullis " PORTCULLIS_VERSION
                   " (Rego as OPA 1.22.2 runs it, admission as Gatekeeper 3.23.1)\n";
    }
    *exit_code = kExitOk;
  });
}

}  // namespace portcullis::tools
