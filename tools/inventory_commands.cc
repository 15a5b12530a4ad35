#include "tools/inventory_commands.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "document/json.h"
#include "document/yaml.h"
#include "tools/command.h"

namespace portcullis::tools {

int WithInventory(const InventoryLocation& location,
                  const std::function<Result<int>(InventoryReader&)>& body) {
  const Result<std::unique_ptr<OpenedInventory>> opened = OpenInventory(location);
  if (!opened) {
    return PrintError(opened.error());
  }
  const Result<int> done = body((*opened)->reader());
  return done ? *done : PrintError(done.error());
}

void AddFormatOption(CLI::App& command, std::string* format, std::vector<std::string> formats) {
  command.add_option("-o,--output", *format, "The form of the output")
      ->check(CLI::IsMember(std::move(formats)))
      ->capture_default_str();
}

void PrintObject(const document::Value& object, std::string_view format, bool first) {
  if (format == "yaml") {
    std::cout << (first ? "" : "---\n") << document::ToYaml(object);
  } else {
    std::cout << document::ToJson(object) << '\n';
  }
}

index::Progress PrintProgress(std::string verb) {
  if (isatty(STDERR_FILENO) == 0) {
    return [](std::uint64_t, std::uint64_t) {};
  }
  auto last = std::make_shared<std::chrono::steady_clock::time_point>();
  return [verb = std::move(verb), last](std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    const bool end = total != 0 && done >= total;
    if (!end && now - *last < std::chrono::milliseconds(200)) {
      return;
    }
    *last = now;
    std::cerr << fmt::format("\r{} {}{} objects{}", verb, done,
                             total == 0 ? "" : fmt::format(" of {}", total), end ? "\n" : "")
              << std::flush;
  };
}

}  // namespace portcullis::tools
