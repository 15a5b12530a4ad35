// portcullis completion: shell scripts that ask the program itself what may come next, so that they never go stale.

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "tools/command.h"

namespace portcullis::tools {
namespace {

constexpr std::string_view kBash = R"sh(# Load now:          source <(portcullis completion bash)
# Load in each shell: portcullis completion bash > /etc/bash_completion.d/portcullis
_portcullis() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$(portcullis __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _portcullis portcullis
)sh";

constexpr std::string_view kZsh = R"sh(#compdef portcullis
# Load now: source <(portcullis completion zsh)
_portcullis() {
  local -a candidates
  candidates=(${(f)"$(portcullis __complete ${words[2,CURRENT-1]} 2>/dev/null)"})
  compadd -a candidates
  _files
}
compdef _portcullis portcullis
)sh";

constexpr std::string_view kFish = R"sh(# Load now: portcullis completion fish | source
function __portcullis_candidates
  set -l words (commandline -opc)
  portcullis __complete $words[2..-1] 2>/dev/null
end
complete -c portcullis -a '(__portcullis_candidates)'
)sh";

// The commands and options that may follow `words`.
void PrintCandidates(const CLI::App& program, const std::vector<std::string>& words) {
  const CLI::App* at = &program;
  for (const std::string& word : words) {
    const auto named =
        at->get_subcommands([&word](const CLI::App* each) { return each->check_name(word); });
    if (!named.empty()) {
      at = named.front();
    }
  }
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) {
      std::cout << command->get_name() << '\n';
    }
  }
  for (const CLI::Option* option : at->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      std::cout << "--" << name << '\n';
    }
  }
}

}  // namespace

void AddCompletion(CLI::App& program, int* exit_code) {
  auto* command =
      program.add_subcommand("completion", "Print a script that completes commands in a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example:\n  source <(portcullis completion bash)");
  command->callback([shell, exit_code] {
    std::cout << (*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
    *exit_code = kExitOk;
  });

  auto* complete = program.add_subcommand("__complete", "")->group("");
  complete->prefix_command();
  complete->callback([&program, complete, exit_code] {
    PrintCandidates(program, complete->remaining());
    *exit_code = kExitOk;
  });
}

}  // namespace portcullis::tools
