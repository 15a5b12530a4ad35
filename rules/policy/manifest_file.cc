#include "rules/policy/manifest_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "document/yaml.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::Value;

// Blank lines and comments are taken out before the text is read, inside literal blocks too.
std::string WithoutComments(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t first = line.find_first_not_of(" \t\r\f\v");
    if (first != std::string_view::npos && line[first] != '#') {
      lines.append(line).push_back('\n');
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> SplitDocuments(std::string_view text) {
  constexpr std::string_view kSeparator = "\n---";
  std::vector<std::string> documents;
  while (true) {
    const std::size_t at = text.find(kSeparator);
    std::string document = WithoutComments(text.substr(0, at));
    if (!document.empty()) {
      documents.push_back(std::move(document));
    }
    if (at == std::string_view::npos) {
      return documents;
    }
    text.remove_prefix(at + kSeparator.size());
  }
}

}  // namespace

std::string ShownPath(const std::filesystem::path& path) {
  std::string shown = std::filesystem::absolute(path).lexically_normal().string();
  if (shown.size() > 1 && shown.ends_with('/')) {
    shown.pop_back();
  }
  return shown.substr(1);
}

Result<std::string> ReadTextFile(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const int code = errno;
  if (!file) {
    return Fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "open " + ShownPath(path) + ": " + LowerCase(std::strerror(code)));
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return Fail(ErrorCode::kUnavailable, "read " + ShownPath(path) + ": is a directory");
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string YamlProblem(const Error& error) {
  return error.message.starts_with("yaml: ") ? error.message : error.ToString();
}

Result<void> CheckMapping(const Value& value, std::uint32_t line) {
  if (value.is_object()) {
    return {};
  }
  const std::string text = value.is_string() ? "str `" + std::string(value.string()) + "`"
                           : value.is_boolean()
                               ? std::string("bool `") + (value.is_true() ? "true" : "false") + "`"
                           : value.is_number() ? "int `" + document::NumberText(value) + "`"
                                               : "seq";
  return Fail(ErrorCode::kInvalidArgument, "yaml: unmarshal errors:\n  line " +
                                               std::to_string(line) + ": cannot unmarshal !!" +
                                               text + " into map[string]interface {}");
}

Result<Value> ParseObject(const std::string& text, document::Arena& arena,
                          document::NumberMode numbers) {
  const auto documents = document::ParseYaml(
      text, arena, {.numbers = numbers, .dialect = document::YamlDialect::kVersion3});
  if (!documents) {
    return Fail(documents.error().code, YamlProblem(documents.error()));
  }
  const Value value = documents->empty() ? Value::Object({}) : documents->front().value;
  if (!value.is_null() && !documents->empty()) {
    TRY(CheckMapping(value, documents->front().line));
  }
  if (value.GetString({"kind"}).empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "Object 'Kind' is missing in '" +
                    (value.is_null() ? "{}" : document::ToJson(value, document::JsonStyle::kGo)) +
                    "'");
  }
  return value;
}

Result<std::vector<Value>> ReadObjects(const std::filesystem::path& path, document::Arena& arena,
                                       document::NumberMode numbers) {
  const std::string text = TRY(ReadTextFile(path));
  std::vector<Value> objects;
  for (const std::string& document : SplitDocuments(text)) {
    objects.push_back(TRY(AddContext(ParseObject(document, arena, numbers),
                                     "reading " + Quote(ShownPath(path)) + ": invalid yaml")));
  }
  if (objects.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "missing objects: path " + Quote(ShownPath(path)) + " defines no YAML objects");
  }
  return objects;
}

}  // namespace portcullis::policy
