// portcullis expand: what ExpansionTemplates and mutators make of the objects of files, with the flags and the output of
// `gator expand` (gatekeeper.md 9.3).

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "document/yaml.h"
#include "tools/command.h"
#include "tools/gator_expander.h"
#include "tools/gator_inputs.h"
#include "tools/go_json.h"

namespace portcullis::tools {
namespace {

using document::Value;

struct ExpandOptions {
  GatorSources sources;
  std::string format;
  std::string output;
};

std::string SortKey(const Value& object) {
  return std::string(object.GetString({"metadata", "name"})) +
         std::string(object.GetString({"apiVersion"})) + std::string(object.GetString({"kind"}));
}

std::string Formatted(const Value& object, bool json) {
  return json ? GoJson::Of(object).Indented(4) : document::ToYaml(object);
}

Result<int> Expand(const ExpandOptions& options) {
  document::Arena arena;
  const std::vector<Value> objects = TRY(ReadGatorInputs(options.sources, arena));
  std::vector<Value> resultants;
  const GatorExpander expander =
      TRY(AddContext(GatorExpander::Make(objects, arena), "error expanding resources"));
  for (const Value& object : objects) {
    const Expanded expanded = TRY(AddContext(expander.Expand(object), "error expanding resources"));
    for (const policy::Resultant& each : expanded.resultants) {
      resultants.push_back(each.object);
    }
  }
  std::ranges::stable_sort(resultants, std::ranges::greater(), SortKey);
  if (!options.format.empty() && options.format != "yaml" && options.format != "json" &&
      !resultants.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "unrecognized value for format flag: " + options.format);
  }
  std::string text;
  for (std::size_t i = 0; i < resultants.size(); ++i) {
    text += (i > 0 ? "---\n" : "") + Formatted(resultants[i], options.format == "json");
  }
  if (options.output.empty()) {
    std::cout << text << '\n' << std::flush;
    return kExitOk;
  }
  std::cout << "Writing output to file: " << options.output << std::endl;
  std::ofstream out(options.output, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) {
    return Fail(ErrorCode::kUnavailable, "cannot write " + options.output);
  }
  return kExitOk;
}

}  // namespace

void AddExpand(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "expand",
      "Print what ExpansionTemplates make of the objects of files, mutated, as `gator expand`");
  auto options = std::make_shared<ExpandOptions>();
  AddGatorSources(*command, "-n,--filename", "ExpansionTemplates, mutators and objects",
                  &options->sources);
  command->add_option("-f,--format", options->format, "json or yaml; without it, yaml");
  command->add_option("-o,--outputfile", options->output, "Write to this file");
  command->footer(
      "Examples:\n"
      "  portcullis expand --filename manifests/ --filename policies/\n"
      "  portcullis expand -n deployment.yaml -n expansion.yaml --format json");
  SetGatorCallback(*command, exit_code, [options] { return Expand(*options); });
}

}  // namespace portcullis::tools
