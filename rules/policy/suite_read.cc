// Suites from files, and the filter that selects from them.

#include <algorithm>
#include <utility>

#include <re2/re2.h>

#include "document/object.h"
#include "document/yaml.h"
#include "rules/builtins/regex.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/manifest_file.h"
#include "rules/policy/suite.h"

namespace portcullis::policy {
namespace {

using document::Value;
namespace fs = std::filesystem;

constexpr std::string_view kGroup = "test.gatekeeper.sh";
constexpr std::string_view kRecursive = "/...";

bool IsYaml(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

// Values as YAML gave them: `violations: yes` may be a boolean by then.
SuiteAssertion ReadAssertion(const Value& value) {
  SuiteAssertion assertion;
  const Value violations = value.Find("violations");
  if (violations.is_boolean()) {
    assertion.words = violations.is_true() ? "yes" : "no";
  }
  if (violations.is_string()) {
    assertion.words = std::string(violations.string());
  }
  if (violations.is_number()) {
    assertion.count = document::ToInt64(violations).value_or(-1);
  }
  if (const Value message = value.Find("message"); message.is_string()) {
    assertion.message = std::string(message.string());
  }
  return assertion;
}

SuiteCase ReadCase(const Value& value) {
  SuiteCase result;
  result.name = std::string(value.GetString({"name"}));
  result.object = std::string(value.GetString({"object"}));
  result.skip = value.Find("skip").is_true();
  const Value inventory = value.Find("inventory");
  for (std::uint32_t i = 0; i < inventory.size() && inventory.is_array(); ++i) {
    if (inventory.ItemAt(i).is_string()) {
      result.inventory.emplace_back(inventory.ItemAt(i).string());
    }
  }
  const Value assertions = value.Find("assertions");
  for (std::uint32_t i = 0; i < assertions.size() && assertions.is_array(); ++i) {
    result.assertions.push_back(ReadAssertion(assertions.ItemAt(i)));
  }
  return result;
}

SuiteTest ReadTest(const Value& value) {
  SuiteTest test;
  test.name = std::string(value.GetString({"name"}));
  test.template_file = std::string(value.GetString({"template"}));
  test.constraint_file = std::string(value.GetString({"constraint"}));
  test.expansion_file = std::string(value.GetString({"expansion"}));
  test.invalid = value.Find("invalid").is_true();
  test.skip = value.Find("skip").is_true();
  const Value cases = value.Find("cases");
  for (std::uint32_t i = 0; i < cases.size() && cases.is_array(); ++i) {
    test.cases.push_back(ReadCase(cases.ItemAt(i)));
  }
  return test;
}

// The suite that a file holds; nothing where its first document is something else.
Result<std::optional<Suite>> ReadSuite(const fs::path& file) {
  const std::string text = TRY(ReadTextFile(file));
  document::Arena arena;
  const auto documents = document::ParseYaml(text, arena);
  if (!documents) {
    return Fail(documents.error().code, "invalid yaml: parsing yaml file " + Quote(file.string()) +
                                            ": " + documents.error().ToString());
  }
  if (documents->empty()) {
    return std::nullopt;
  }
  const Value value = documents->front().value;
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(value.GetString({"apiVersion"}), value.GetString({"kind"}));
  if (type.group != kGroup || type.kind != "Suite") {
    return std::nullopt;
  }
  Suite suite;
  suite.file = file;
  suite.skip = value.Find("skip").is_true();
  const Value tests = value.Find("tests");
  for (std::uint32_t i = 0; i < tests.size() && tests.is_array(); ++i) {
    suite.tests.push_back(ReadTest(tests.ItemAt(i)));
  }
  return suite;
}

template <class Iterator>
Result<std::vector<fs::path>> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code code;
  for (Iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->is_regular_file(code) && IsYaml(it->path())) {
      files.push_back(it->path());
    }
  }
  if (code) {
    return Fail(ErrorCode::kUnavailable,
                "read " + folder.string() + ": " + LowerCase(code.message()));
  }
  std::ranges::sort(files);
  return files;
}

Result<std::vector<fs::path>> ListFiles(const fs::path& path, bool recursive) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) {
    return Fail(ErrorCode::kNotFound, "stat " + path.string() + ": no such file or directory");
  }
  if (fs::is_directory(status)) {
    return recursive ? FilesIn<fs::recursive_directory_iterator>(path)
                     : FilesIn<fs::directory_iterator>(path);
  }
  if (recursive) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "can only recursively traverse directories, not a directory: " + Quote(path.string()));
  }
  if (!IsYaml(path)) {
    return Fail(ErrorCode::kInvalidArgument,
                "unsupported extension: " + Quote(path.extension().string()));
  }
  return std::vector{path};
}

Result<std::shared_ptr<const re2::RE2>> CompileFilter(std::string_view text) {
  auto regex = builtins::CompileRegex(text);
  if (!regex) {
    return Fail(ErrorCode::kInvalidArgument, "invalid test filter: " + regex.error());
  }
  return *std::move(regex);
}

}  // namespace

Result<std::vector<Suite>> ReadSuites(const std::string& target) {
  if (target.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "target not specified");
  }
  const bool recursive = target.ends_with(kRecursive);
  const fs::path path =
      recursive ? target.substr(0, target.size() - kRecursive.size() + 1) : target;
  std::vector<Suite> suites;
  for (const fs::path& file : TRY(ListFiles(path, recursive))) {
    std::optional<Suite> suite = TRY(ReadSuite(file));
    if (!suite) {
      continue;
    }
    suite->shown_path = file.string();
    suites.push_back(*std::move(suite));
  }
  return suites;
}

struct SuiteFilter::State {
  std::shared_ptr<const re2::RE2> test;
  std::shared_ptr<const re2::RE2> of_case;  // Null: `test` may match either.
};

SuiteFilter::SuiteFilter() = default;
SuiteFilter::~SuiteFilter() = default;
SuiteFilter::SuiteFilter(SuiteFilter&&) noexcept = default;
SuiteFilter& SuiteFilter::operator=(SuiteFilter&&) noexcept = default;

Result<SuiteFilter> SuiteFilter::Parse(std::string_view text) {
  SuiteFilter filter;
  if (text.empty()) {
    return filter;
  }
  auto state = std::make_unique<State>();
  const std::size_t slashes = text.find("//");
  if (slashes != std::string_view::npos) {
    const std::string_view of_case = text.substr(slashes + 2);
    if (of_case.find("//") != std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument,
                  "invalid test filter: a filter may include at most one \"//\"");
    }
    state->of_case = TRY(CompileFilter(of_case));
  }
  state->test = TRY(CompileFilter(text.substr(0, slashes)));
  filter.state_ = std::move(state);
  return filter;
}

bool SuiteFilter::MatchesTest(const SuiteTest& test) const {
  if (state_ == nullptr || re2::RE2::PartialMatch(test.name, *state_->test)) {
    return true;
  }
  return state_->of_case == nullptr && std::ranges::any_of(test.cases, [&](const SuiteCase& of) {
           return MatchesCase(test, of);
         });
}

bool SuiteFilter::MatchesCase(const SuiteTest& test, const SuiteCase& of) const {
  if (state_ == nullptr) {
    return true;
  }
  const bool test_matches = re2::RE2::PartialMatch(test.name, *state_->test);
  if (state_->of_case != nullptr) {
    return test_matches && re2::RE2::PartialMatch(of.name, *state_->of_case);
  }
  return test_matches || re2::RE2::PartialMatch(of.name, *state_->test);
}

}  // namespace portcullis::policy
