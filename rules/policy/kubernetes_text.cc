#include "rules/policy/kubernetes_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>

#include "document/json.h"

namespace portcullis::policy {
namespace {

using document::Value;

bool IsLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLowerAlphanumeric(char c) {
  return IsLower(c) || IsDigit(c);
}
bool IsAlphanumeric(char c) {
  return IsLowerAlphanumeric(c) || (c >= 'A' && c <= 'Z');
}

// [a-z0-9]([-a-z0-9]*[a-z0-9])?
bool IsDnsLabel(std::string_view label) {
  return !label.empty() && IsLowerAlphanumeric(label.front()) &&
         IsLowerAlphanumeric(label.back()) &&
         std::ranges::all_of(label, [](char c) { return IsLowerAlphanumeric(c) || c == '-'; });
}

bool IsSubdomain(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    if (!IsDnsLabel(name.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    name.remove_prefix(dot + 1);
  }
}

// ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]
bool IsLabelText(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) &&
         std::ranges::all_of(
             text, [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

// Kubernetes counts bytes in labels, and calls them characters in names.
std::string TooLongText(std::size_t limit, std::string_view unit = "bytes") {
  return "must be no more than " + std::to_string(limit) + " " + std::string(unit);
}

constexpr std::string_view kSubdomainText =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kDns1035Text =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kLabelKeyText =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kLabelValueText =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

void AppendGoText(const Value& value, std::string* out) {
  switch (value.type()) {
    case document::Type::kUndefined:
    case document::Type::kNull:
      *out += "<nil>";
      return;
    case document::Type::kBoolean:
      *out += value.is_true() ? "true" : "false";
      return;
    case document::Type::kNumber:
      *out += document::NumberText(value);
      return;
    case document::Type::kString:
      *out += value.string();
      return;
    case document::Type::kArray:
    case document::Type::kSet:
      *out += '[';
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        if (i > 0) {
          *out += ' ';
        }
        AppendGoText(value.ItemAt(i), out);
      }
      *out += ']';
      return;
    case document::Type::kObject:
      *out += "map[";
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        if (i > 0) {
          *out += ' ';
        }
        AppendGoText(value.KeyAt(i), out);
        *out += ':';
        AppendGoText(value.ValueAt(i), out);
      }
      *out += ']';
      return;
  }
}

// How an error shows a value that it refuses.
std::string BadValue(const Value& value) {
  if (value.is_string()) {
    return Quote(value.string());
  }
  if (value.is_number()) {
    return document::NumberText(value);
  }
  return value.is_undefined() ? "null" : document::ToJson(value, document::JsonStyle::kGo);
}

std::string FieldText(std::string_view path, std::string_view what, std::string_view detail) {
  std::string text(path);
  text += ": ";
  text += what;
  if (!detail.empty()) {
    text += ": ";
    text += detail;
  }
  return text;
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\v':
        out += "\\v";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char buffer[8];
          std::snprintf(buffer, sizeof buffer, "\\x%02x",
                        static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += buffer;
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

std::string GoText(const Value& value) {
  std::string out;
  AppendGoText(value, &out);
  return out;
}

std::string_view GoTypeName(const Value& value) {
  switch (value.type()) {
    case document::Type::kUndefined:
    case document::Type::kNull:
      return "<nil>";
    case document::Type::kBoolean:
      return "bool";
    case document::Type::kNumber:
      return "json.Number";
    case document::Type::kString:
      return "string";
    case document::Type::kArray:
    case document::Type::kSet:
      return "[]interface {}";
    case document::Type::kObject:
      return "map[string]interface {}";
  }
  return "";
}

std::string GoList(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) {
      out += ' ';
    }
    out += item;
  }
  out += ']';
  return out;
}

std::vector<std::string> StringsOf(const document::Value& list) {
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    if (list.ItemAt(i).is_string()) {
      strings.emplace_back(list.ItemAt(i).string());
    }
  }
  return strings;
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

std::string FieldInvalid(std::string_view path, const Value& value, std::string_view detail) {
  return FieldText(path, "Invalid value: " + BadValue(value), detail);
}

std::string FieldRequired(std::string_view path, std::string_view detail) {
  return FieldText(path, "Required value", detail);
}

std::string FieldForbidden(std::string_view path, std::string_view detail) {
  return FieldText(path, "Forbidden", detail);
}

std::string FieldNotSupported(std::string_view path, const Value& value,
                              const std::vector<std::string>& supported) {
  std::string detail;
  for (const std::string& item : supported) {
    detail += detail.empty() ? "supported values: " : ", ";
    detail += Quote(item);
  }
  return FieldText(path, "Unsupported value: " + BadValue(value), detail);
}

std::string FieldTooLong(std::string_view path, std::int64_t limit) {
  return FieldText(
      path, "Too long",
      "may not be more than " + std::to_string(limit) + (limit == 1 ? " byte" : " bytes"));
}

std::string FieldTooMany(std::string_view path, std::int64_t actual, std::int64_t limit) {
  return FieldText(
      path, "Too many: " + std::to_string(actual),
      "must have at most " + std::to_string(limit) + (limit == 1 ? " item" : " items"));
}

std::string Aggregate(const std::vector<std::string>& errors) {
  std::vector<std::string> distinct;
  std::set<std::string_view> seen;
  for (const std::string& error : errors) {
    if (seen.insert(error).second) {
      distinct.push_back(error);
    }
  }
  if (distinct.size() == 1) {
    return distinct.front();
  }
  std::string out = "[";
  for (const std::string& error : distinct) {
    if (out.size() > 1) {
      out += ", ";
    }
    out += error;
  }
  out += ']';
  return out;
}

std::vector<std::string> CheckSubdomainName(std::string_view name) {
  constexpr std::size_t kLimit = 253;
  std::vector<std::string> problems;
  if (name.size() > kLimit) {
    problems.push_back(TooLongText(kLimit, "characters"));
  }
  if (!IsSubdomain(name)) {
    problems.emplace_back(kSubdomainText);
  }
  return problems;
}

std::vector<std::string> CheckLabelName(std::string_view name) {
  constexpr std::size_t kLimit = 63;
  std::vector<std::string> problems;
  if (name.size() > kLimit) {
    problems.push_back(TooLongText(kLimit, "characters"));
  }
  if (!IsDnsLabel(name) || !IsLower(name.front())) {
    problems.emplace_back(kDns1035Text);
  }
  return problems;
}

std::vector<std::string> CheckLabelKey(std::string_view key) {
  constexpr std::size_t kLimit = 63;
  const std::size_t slash = key.find('/');
  std::vector<std::string> problems;
  if (slash != std::string_view::npos) {
    const std::string_view prefix = key.substr(0, slash);
    key.remove_prefix(slash + 1);
    if (key.find('/') != std::string_view::npos) {
      return {"a valid label key " + std::string(kLabelKeyText) +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    if (prefix.empty()) {
      problems.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& problem : CheckSubdomainName(prefix)) {
        problems.push_back("prefix part " + problem);
      }
    }
  }
  if (key.empty()) {
    problems.emplace_back("name part must be non-empty");
  } else if (key.size() > kLimit) {
    problems.push_back("name part " + TooLongText(kLimit));
  }
  if (!IsLabelText(key)) {
    problems.push_back("name part " + std::string(kLabelKeyText));
  }
  return problems;
}

std::vector<std::string> CheckLabelValue(std::string_view value) {
  constexpr std::size_t kLimit = 63;
  std::vector<std::string> problems;
  if (value.size() > kLimit) {
    problems.push_back(TooLongText(kLimit));
  }
  if (!value.empty() && !IsLabelText(value)) {
    problems.emplace_back(kLabelValueText);
  }
  return problems;
}

std::string_view GroupOf(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

}  // namespace portcullis::policy
