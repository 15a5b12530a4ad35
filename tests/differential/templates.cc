// differential_templates DIR [--seed S] [--count N]: writes random constraint templates, each with a constraint and objects, as
// DIR/SEED/{template,constraint,objects}.yaml, for templates_test.py.

#include <filesystem>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "document/json.h"
#include "document/yaml.h"
#include "tests/differential/generator.h"

namespace portcullis::differential {
namespace {

using document::Value;

// The objects of a tree of `levels` levels of keys.
void Append(const Value& tree, int levels, std::string* yaml) {
  for (std::uint32_t i = 0; tree.is_object() && i < tree.size(); ++i) {
    if (levels == 0) {
      *yaml += "---\n" + document::ToJson(tree) + '\n';
      return;
    }
    Append(tree.ValueAt(i), levels - 1, yaml);
  }
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (const char c : text) {
    out += c;
    out += c == '\n' ? indent : "";
  }
  return out;
}

void Write(const std::filesystem::path& folder, std::uint64_t seed) {
  const Program program = GenerateTemplate(seed);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "template.yaml")
      << "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\n"
         "metadata: {name: random}\nspec:\n  crd: {spec: {names: {kind: Random}, "
         "validation: {openAPIV3Schema: {type: object, "
         "x-kubernetes-preserve-unknown-fields: true}}}}\n"
         "  targets:\n  - target: admission.k8s.gatekeeper.sh\n    rego: |\n      "
      << Indented(program.modules.at("rego"), "      ") << '\n';
  std::ofstream(folder / "constraint.yaml")
      << "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Random\nmetadata: {name: "
         "random}\nspec: {parameters: "
      << program.input << "}\n";
  document::Arena arena;
  const auto data = document::ParseJson(program.data, arena);
  std::string objects;
  Append(data->Find("inventory").Find("namespace"), 4, &objects);
  Append(data->Find("inventory").Find("cluster"), 3, &objects);
  std::ofstream(folder / "objects.yaml") << objects;
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  std::string folder;
  std::uint64_t seed = 1;
  std::uint64_t count = 100;
  CLI::App app("Writes random constraint templates with a constraint and objects each.");
  app.add_option("DIR", folder, "Where they go")->required();
  app.add_option("--seed", seed, "Of the first; the next has the next");
  app.add_option("--count", count, "Templates");
  CLI11_PARSE(app, argc, argv);
  for (std::uint64_t i = seed; i < seed + count; ++i) {
    portcullis::differential::Write(std::filesystem::path(folder) / std::to_string(i), i);
  }
  return 0;
}
