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

// Members with the types that Go's decoder would ask for.
class Fields {
 public:
  // `type` is the Go struct, `path` the JSON path to it, as errors name them.
  Fields(const Value& object, std::string type, std::string path)
      : object_(object), type_(std::move(type)), path_(std::move(path)) {}

  Result<void> Read(std::string_view name, std::string* into) const {
    const Value value = object_.Find(name);
    if (value.is_string()) {
      *into = std::string(value.string());
    } else if (IsPresent(value)) {
      return Refuse(value, name, "string");
    }
    return {};
  }

  Result<void> Read(std::string_view name, bool* into) const {
    const Value value = object_.Find(name);
    if (IsPresent(value) && !value.is_boolean()) {
      return Refuse(value, name, "bool");
    }
    *into = value.is_true();
    return {};
  }

  // The items of a list; none where it is absent.
  [[nodiscard]] Result<Value> List(std::string_view name, std::string_view type) const {
    const Value value = object_.Find(name);
    if (!IsPresent(value)) {
      return Value::Array({});
    }
    return value.is_array() ? Result<Value>(value) : Refuse(value, name, type);
  }

  [[nodiscard]] std::string Below(std::string_view name) const {
    return path_ + (path_.empty() ? "" : ".") + std::string(name);
  }

  [[nodiscard]] std::unexpected<Error> Refuse(const Value& value, std::string_view name,
                                              std::string_view type) const {
    const std::string number =
        value.is_number() && !document::ToInt64(value) ? " " + document::NumberText(value) : "";
    const std::string kind = value.is_string()    ? "string"
                             : value.is_boolean() ? "bool"
                             : value.is_array()   ? "array"
                             : value.is_number()  ? "number" + number
                                                  : "object";
    return Fail(ErrorCode::kInvalidArgument, "invalid yaml: json: cannot unmarshal " + kind +
                                                 " into Go struct field " + type_ + "." +
                                                 Below(name) + " of type " + std::string(type));
  }

 private:
  static bool IsPresent(const Value& value) { return value.is_defined() && !value.is_null(); }

  Value object_;
  std::string type_;
  std::string path_;
};

Result<void> CheckObject(const Value& item, const Fields& in, std::string_view name,
                         std::string_view type) {
  if (item.is_object() || item.is_null()) {
    return {};
  }
  return in.Refuse(item, name, type);
}

Result<SuiteAssertion> ReadAssertion(const Value& value) {
  const Fields fields(value, "Assertion", "tests.cases.assertions");
  SuiteAssertion assertion;
  const Value violations = value.Find("violations");
  if (violations.is_string()) {
    assertion.words = std::string(violations.string());
  } else if (violations.is_number() && document::ToInt64(violations)) {
    assertion.count = document::ToInt64(violations);
  } else if (violations.is_defined() && !violations.is_null()) {
    return fields.Refuse(violations, "violations", "int32");
  }
  std::string message;
  TRY(fields.Read("message", &message));
  if (value.Find("message").is_string()) {
    assertion.message = std::move(message);
  }
  return assertion;
}

Result<SuiteCase> ReadCase(const Value& value) {
  const Fields fields(value, "Case", "tests.cases");
  SuiteCase result;
  TRY(fields.Read("name", &result.name));
  TRY(fields.Read("object", &result.object));
  TRY(fields.Read("skip", &result.skip));
  const Value inventory = TRY(fields.List("inventory", "[]string"));
  for (std::uint32_t i = 0; i < inventory.size(); ++i) {
    if (!inventory.ItemAt(i).is_string()) {
      return fields.Refuse(inventory.ItemAt(i), "inventory", "string");
    }
    result.inventory.emplace_back(inventory.ItemAt(i).string());
  }
  const Value assertions = TRY(fields.List("assertions", "[]verify.Assertion"));
  for (std::uint32_t i = 0; i < assertions.size(); ++i) {
    TRY(CheckObject(assertions.ItemAt(i), fields, "assertions", "verify.Assertion"));
    result.assertions.push_back(TRY(ReadAssertion(assertions.ItemAt(i))));
  }
  return result;
}

Result<SuiteTest> ReadTest(const Value& value) {
  const Fields fields(value, "Test", "tests");
  SuiteTest test;
  TRY(fields.Read("name", &test.name));
  TRY(fields.Read("template", &test.template_file));
  TRY(fields.Read("constraint", &test.constraint_file));
  TRY(fields.Read("expansion", &test.expansion_file));
  TRY(fields.Read("invalid", &test.invalid));
  TRY(fields.Read("skip", &test.skip));
  const Value cases = TRY(fields.List("cases", "[]*verify.Case"));
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    TRY(CheckObject(cases.ItemAt(i), fields, "cases", "verify.Case"));
    test.cases.push_back(TRY(ReadCase(cases.ItemAt(i))));
  }
  return test;
}

// The suite that a file holds; nothing where its first document is something else.
Result<std::optional<Suite>> ReadSuite(const fs::path& file) {
  const std::string name = Quote(ShownPath(file));
  const std::string text = TRY(AddContext(ReadTextFile(file), "reading file " + name));
  document::Arena arena;
  const auto documents =
      document::ParseYaml(text, arena, {.dialect = document::YamlDialect::kVersion3});
  const std::string context = "invalid yaml: parsing yaml file " + name;
  if (!documents) {
    return Fail(documents.error().code, context + ": " + YamlProblem(documents.error()));
  }
  if (documents->empty() || documents->front().value.is_null()) {
    return std::nullopt;
  }
  const Value value = documents->front().value;
  TRY(AddContext(CheckMapping(value, documents->front().line), context));
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(value.GetString({"apiVersion"}), value.GetString({"kind"}));
  if (type.group != kGroup || type.kind != "Suite") {
    return std::nullopt;
  }
  const Fields fields(value, "Suite", "");
  Suite suite;
  suite.file = file;
  TRY(fields.Read("skip", &suite.skip));
  const Value tests = TRY(fields.List("tests", "[]verify.Test"));
  for (std::uint32_t i = 0; i < tests.size(); ++i) {
    TRY(CheckObject(tests.ItemAt(i), fields, "tests", "verify.Test"));
    suite.tests.push_back(TRY(ReadTest(tests.ItemAt(i))));
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
    return Fail(ErrorCode::kNotFound, "stat " + ShownPath(path) + ": no such file or directory");
  }
  if (fs::is_directory(status)) {
    return recursive ? FilesIn<fs::recursive_directory_iterator>(path)
                     : FilesIn<fs::directory_iterator>(path);
  }
  if (recursive) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "can only recursively traverse directories, not a directory: " + Quote(ShownPath(path)));
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
  const std::string folder =
      recursive ? target.substr(0, target.size() - kRecursive.size()) : target;
  const fs::path path = folder.empty() ? "/" : folder;
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
