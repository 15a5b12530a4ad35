// Makes a first corpus for a campaign out of the conformance data, which is not part of this repository:
//
//   fuzz_seeds CONFORMANCE OUT
//
// writes OUT/parser, OUT/compiler, OUT/evaluator (modules of OPA's cases), OUT/template and OUT/yaml (Gatekeeper's library) and
// OUT/builtins (each builtin with some operands).

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "document/json.h"
#include "tests/conformance/rego_case.h"
#include "tests/fuzz/program.h"

namespace {

using portcullis::document::Value;
using portcullis::fuzz::Program;
namespace fs = std::filesystem;

constexpr std::size_t kLargestSeed = 8192;

class Seeds {
 public:
  explicit Seeds(fs::path root) : root_(std::move(root)) {}

  void Add(std::string_view target, std::string_view text) {
    if (text.size() > kLargestSeed) {
      return;
    }
    const fs::path folder = root_ / target;
    fs::create_directories(folder);
    std::ofstream(folder / std::to_string(++count_), std::ios::binary) << text;
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  fs::path root_;
  int count_ = 0;
};

void AddCase(const portcullis::conformance::RegoCase& test, Seeds& seeds) {
  Program program;
  program.version = test.version;
  program.strict_builtin_errors = test.body.Find("strict_error").is_true();
  const Value modules = test.body.Find("modules");
  for (std::uint32_t i = 0; modules.is_array() && i < modules.size(); ++i) {
    const std::string text(modules.ItemAt(i).string());
    seeds.Add("parser", (program.version == portcullis::rego::Version::kV1 ? "1" : "0") + text);
    program.modules.push_back(text);
  }
  const Value query = test.body.Find("query");
  if (program.modules.empty()) {
    program.modules.emplace_back("package a");
  }
  if (query.is_string()) {
    seeds.Add("parser", "1" + std::string(query.string()));
    program.input = query.string();
  }
  seeds.Add("compiler", WriteProgram(program));
  const Value input = test.body.Find("input");
  const Value data = test.body.Find("data");
  program.input = input.is_defined() ? portcullis::document::ToJson(input) : "";
  program.data = data.is_defined() ? portcullis::document::ToJson(data) : "";
  seeds.Add("evaluator", WriteProgram(program));
}

void AddBuiltins(Seeds& seeds) {
  constexpr std::array kOperands = std::to_array<std::string_view>({
      R"(["a", "b", "c", "d"])",
      R"([["a", "b"], ["b"], 1])",
      R"([{"a": [1, {"b": null}]}, ["a"], {"x": 1}])",
      R"([{"set!": [1, 2]}, {"set!": [2, 3]}])",
      R"([7, 3, -2])",
      R"([[3, 1, 2], 1, 2])",
      R"(["{\"a\": [1, 2]}", {"a": 1}, "a"])",
      R"([1700000000123456789, "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20Z"])",
      R"([[1700000000000000000, "Europe/Berlin", "RFC850"], [1, "UTC"], 1])",
      R"(["10.0.0.0/8", "10.1.2.3", ["10.0.0.0/16"]])",
      R"([{"a": {"b": 1}}, [{"op": "add", "path": "/a/c", "value": 2}]])",
      R"(["%s %05d %v %x", ["a", 7, [1], "b"]])",
  });
  for (const portcullis::builtins::Builtin* builtin : portcullis::fuzz::OfflineCatalog().all()) {
    for (const std::string_view operands : kOperands) {
      seeds.Add("builtins", std::string(builtin->name) + "\n" + std::string(operands));
    }
  }
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: fuzz_seeds CONFORMANCE OUT\n");
    return 2;
  }
  Seeds seeds(argv[2]);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argv[1])) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    portcullis::document::Arena arena;
    const auto cases =
        portcullis::conformance::ReadCases(entry.path(), entry.path().filename(), arena);
    if (cases && !cases->empty()) {
      std::ranges::for_each(*cases, [&](const auto& test) { AddCase(test, seeds); });
      continue;
    }
    const bool is_template = entry.path().filename() == "template.yaml";
    seeds.Add(is_template ? "template" : "yaml", ReadText(entry.path()));
  }
  AddBuiltins(seeds);
  std::printf("%d seeds\n", seeds.count());
  return seeds.count() > 0 ? 0 : 1;
}
