// rego_conformance DIR…: runs the cases of OPA's suites below the folders and compares. Prints each failure, and
// last "N passed, M failed, K skipped". Exits 0 when none failed.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "rules/rego/catalog.h"
#include "tests/conformance/rego_case.h"

namespace portcullis::conformance {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> folders;
  fs::path skip_file = PORTCULLIS_SKIPS;
  std::string only;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
};

// Lines "FILE NOTE # reason"; empty ones and those that begin with # are comments. FILE is the end of a path.
Result<std::map<std::string, std::string>> ReadSkips(const fs::path& path) {
  std::map<std::string, std::string> skips;
  std::ifstream file(path);
  if (!file) {
    return Fail(ErrorCode::kNotFound, "cannot read " + path.string());
  }
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const std::size_t reason = line.find(" # ");
    if (reason == std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument,
                  path.string() + ": a line without a reason: " + line);
    }
    skips.emplace(line.substr(0, reason), line.substr(reason + 3));
  }
  return skips;
}

std::vector<fs::path> FilesBelow(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

bool IsSkipped(const std::map<std::string, std::string>& skips, const RegoCase& test) {
  const std::string name = "/" + test.path + " " + test.note;
  return std::ranges::any_of(skips,
                             [&](const auto& skip) { return name.ends_with("/" + skip.first); });
}

struct Outcome {
  bool skipped = false;
  std::string failure;
};

Result<int> Run(const Options& options) {
  const auto skips = TRY(ReadSkips(options.skip_file));
  document::Arena arena;
  std::vector<RegoCase> cases;
  for (const fs::path& folder : options.folders) {
    for (const fs::path& file : FilesBelow(folder)) {
      auto read = TRY(ReadCases(file, fs::relative(file, folder).string(), arena));
      for (RegoCase& test : read) {
        const std::string name = test.file + " " + test.note;
        if (name.find(options.only) != std::string::npos) {
          cases.push_back(std::move(test));
        }
      }
    }
  }
  const auto catalog = rego::CreateCatalog({}, SuiteBuiltins());
  std::vector<Outcome> outcomes(cases.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < cases.size(); i = next++) {
      outcomes[i].skipped = IsSkipped(skips, cases[i]);
      outcomes[i].failure = RunCase(cases[i], *catalog);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < options.jobs; ++i) {
      threads.emplace_back(work);
    }
  }
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    if (outcome.skipped && !outcome.failure.empty()) {
      ++skipped;
      continue;
    }
    if (!outcome.skipped && outcome.failure.empty()) {
      ++passed;
      continue;
    }
    ++failed;
    std::printf("FAIL %s: %s\n     %s\n", cases[i].file.c_str(), cases[i].note.c_str(),
                outcome.skipped ? "is on the skip list but passes" : outcome.failure.c_str());
  }
  std::printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace portcullis::conformance

int main(int argc, char** argv) {
  portcullis::conformance::Options options;
  CLI::App app("Runs OPA's compliance cases against this engine.");
  app.add_option("DIR", options.folders, "Folders of cases; modules below a folder v0 are Rego v0")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option(
      "--skip", options.skip_file,
      "File of cases to skip instead of skip.txt's: \"FILE NOTE # reason\" on each line");
  app.add_option("--only", options.only, "Run only cases whose file and note contain this text");
  app.add_option("--jobs", options.jobs, "Threads");
  CLI11_PARSE(app, argc, argv);
  const auto code = portcullis::conformance::Run(options);
  if (!code) {
    std::fprintf(stderr, "%s\n", code.error().ToString().c_str());
    return 2;
  }
  return *code;
}
