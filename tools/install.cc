// portcullis install: what a cluster needs before Portcullis runs in it.

#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "controller/policy_crds.h"
#include "tools/command.h"

namespace portcullis::tools {

void AddInstall(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "install", "Print the CustomResourceDefinitions of the policy kinds, for kubectl");
  auto print = std::make_shared<bool>(false);
  auto name_space = std::make_shared<std::string>("gatekeeper-system");
  command->add_flag("--print", *print, "Print the manifests on standard output")->required();
  command
      ->add_option("--gatekeeper-namespace", *name_space,
                   "The namespace of Config and of the statuses, which is made too")
      ->envname("POD_NAMESPACE")
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  portcullis install --print | kubectl apply -f -\n"
      "  portcullis install --print | kubectl diff -f -\n"
      "The same is made by `portcullis serve --install-crds`.");
  command->callback([name_space, exit_code] {
    std::cout << "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " << *name_space
              << "\n  labels: {admission.gatekeeper.sh/ignore: no-self-managing}\n";
    for (const controller::PolicyCrd& each : controller::PolicyCrds()) {
      std::cout << "---\n" << each.manifest;
      if (!each.manifest.ends_with('\n')) {
        std::cout << '\n';
      }
    }
    *exit_code = kExitOk;
  });
}

}  // namespace portcullis::tools
