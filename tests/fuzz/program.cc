#include "tests/fuzz/program.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "rules/rego/catalog.h"

namespace portcullis::fuzz {
namespace {

constexpr std::string_view kModule = "\n#module\n";
constexpr std::string_view kInput = "\n#input\n";
constexpr std::string_view kData = "\n#data\n";

// What stands behind the last `separator`, cut off `text`.
std::string CutOff(std::string_view& text, std::string_view separator) {
  const std::size_t at = text.rfind(separator);
  if (at == std::string_view::npos) {
    return "";
  }
  std::string tail(text.substr(at + separator.size()));
  text = text.substr(0, at);
  return tail;
}

}  // namespace

Program ReadProgram(const std::uint8_t* bytes, std::size_t size) {
  Program program;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (!text.empty()) {
    const auto flags = static_cast<unsigned char>(text.front());
    program.version = (flags & 1) != 0 ? rego::Version::kV1 : rego::Version::kV0;
    program.strict = (flags & 2) != 0;
    program.keep_prints = (flags & 4) != 0;
    program.strict_builtin_errors = (flags & 8) != 0;
    text.remove_prefix(1);
  }
  program.data = CutOff(text, kData);
  program.input = CutOff(text, kInput);
  for (std::size_t at = text.find(kModule); at != std::string_view::npos; at = text.find(kModule)) {
    program.modules.emplace_back(text.substr(0, at));
    text.remove_prefix(at + kModule.size());
  }
  program.modules.emplace_back(text);
  return program;
}

std::string WriteProgram(const Program& program) {
  const int flags = (program.version == rego::Version::kV1 ? 1 : 0) + (program.strict ? 2 : 0) +
                    (program.keep_prints ? 4 : 0) + (program.strict_builtin_errors ? 8 : 0);
  std::string text(1, static_cast<char>('0' + flags));
  for (std::size_t i = 0; i < program.modules.size(); ++i) {
    text += i == 0 ? "" : kModule;
    text += program.modules[i];
  }
  if (!program.input.empty()) {
    text += std::string(kInput) + program.input;
  }
  if (!program.data.empty()) {
    text += std::string(kData) + program.data;
  }
  return text;
}

const builtins::Catalog& OfflineCatalog() {
  static const std::array<std::string, 2> kNetwork = {"http.send", "net.lookup_ip_addr"};
  static const std::unique_ptr<const builtins::Catalog> catalog = rego::CreateCatalog(kNetwork);
  return *catalog;
}

rego::Checked<std::shared_ptr<const rego::CompiledPolicy>> CompileProgram(const Program& program) {
  std::vector<std::unique_ptr<rego::Module>> modules;
  for (const std::string& text : program.modules) {
    auto module = rego::ParseModule("fuzz-" + std::to_string(modules.size()) + ".rego", text,
                                    program.version);
    if (!module) {
      return std::unexpected(std::move(module).error());
    }
    modules.push_back(std::move(*module));
  }
  const rego::CompileOptions options{
      .catalog = &OfflineCatalog(), .strict = program.strict, .keep_prints = program.keep_prints};
  return rego::Compile(std::move(modules), options);
}

void Require(bool holds, std::string_view promise, std::string_view text) {
  if (!holds) {
    std::fprintf(stderr, "broken promise: %.*s\n%.*s\n", static_cast<int>(promise.size()),
                 promise.data(), static_cast<int>(text.size()), text.data());
    std::abort();
  }
}

}  // namespace portcullis::fuzz
