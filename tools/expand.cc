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
  std::vector<std::string> files;
  std::vector<std::string> images;
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
  if (!options.images.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "OCI images are not pulled here: fetch " + options.images.front() +
                    " with oras or crane, unpack it, and name the folder with --filename");
  }
  document::Arena arena;
  const std::vector<Value> objects = TRY(ReadGatorInputs(options.files, arena));
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
  command
      ->add_option("-n,--filename", options->files,
                   "A file or folder of ExpansionTemplates, mutators and objects; may be repeated. "
                   "What is piped in is read too")
      ->allow_extra_args(false);
  command->add_option("-f,--format", options->format, "json or yaml; without it, yaml");
  command->add_option("-o,--outputfile", options->output, "Write to this file");
  command
      ->add_option("-i,--image", options->images,
                   "Not possible: OCI images are not pulled; says what to do instead")
      ->allow_extra_args(false);
  command->footer(
      "Examples:\n"
      "  portcullis expand --filename manifests/ --filename policies/\n"
      "  portcullis expand -n deployment.yaml -n expansion.yaml --format json");
  command->callback([=] {
    const Result<int> done = Expand(*options);
    if (!done) {
      std::cerr << done.error().message << '\n';
    }
    *exit_code = done ? *done : kExitDenied;
  });
}

}  // namespace portcullis::tools
