#include "tools/go_json.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include "document/json.h"

namespace portcullis::tools {
namespace {

constexpr std::size_t kNoStep = static_cast<std::size_t>(-1);

// Go writes a float64 between 1e-6 and 1e21 without an exponent, with the shortest digits that give it back.
std::string FloatText(double value) {
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-6 || size >= 1e21)) {
    std::string text = document::NumberText(document::Value::Float(value));
    const std::size_t zero = text.find("e-0");
    return zero == std::string::npos ? text : text.erase(zero + 2, 1);
  }
  char shortest[40];
  const auto end =
      std::to_chars(std::begin(shortest), std::end(shortest), size, std::chars_format::scientific);
  std::string digits(std::begin(shortest), end.ptr);
  const std::size_t mark = digits.find('e');
  const int exponent = std::stoi(digits.substr(mark + 1));
  digits.erase(mark);
  std::erase(digits, '.');
  std::string text;
  if (exponent < 0) {
    text = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else {
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    digits.append(whole > digits.size() ? whole - digits.size() : 0, '0');
    text = digits.substr(0, whole) + (digits.size() > whole ? "." + digits.substr(whole) : "");
  }
  return (std::signbit(value) ? "-" : "") + text;
}

// Compact JSON, in lines.
void AppendLines(std::string_view json, std::size_t step, std::size_t depth, std::string* out) {
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      *out += c;
      if (c == '\\') {
        *out += json[++i];
      }
      in_string = c != '"';
      continue;
    }
    const bool opens = c == '{' || c == '[';
    const bool closes = c == '}' || c == ']';
    if (opens && (json[i + 1] == '}' || json[i + 1] == ']')) {
      *out += c;
      *out += json[++i];
      continue;
    }
    if (closes) {
      out->append(1, '\n').append(--depth * step, ' ');
    }
    *out += c;
    if (opens || c == ',') {
      depth += opens ? 1 : 0;
      out->append(1, '\n').append(depth * step, ' ');
    } else if (c == ':') {
      *out += ' ';
    }
    in_string = c == '"';
  }
}

}  // namespace

GoJson GoJson::Leaf(std::string text) {
  GoJson json(Kind::kLeaf);
  json.text_ = std::move(text);
  return json;
}

GoJson GoJson::Text(std::string_view text) {
  std::string quoted;
  document::AppendJsonString(text, document::JsonStyle::kGo, &quoted);
  return Leaf(std::move(quoted));
}

GoJson GoJson::Of(const document::Value& value, Floats floats) {
  if (value.is_float() && floats == Floats::kGo) {
    return Leaf(FloatText(value.float_number()));
  }
  if (value.is_object()) {
    GoJson json = Struct();
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const document::Value key = value.KeyAt(i);
      json.Add(key.is_string() ? std::string(key.string())
                               : document::ToJson(key, document::JsonStyle::kGo),
               Of(value.ValueAt(i), floats));
    }
    return json;
  }
  if (value.is_array() || value.is_set()) {
    GoJson json = List();
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      json.Append(Of(value.ItemAt(i), floats));
    }
    return json;
  }
  return Leaf(document::ToJson(value, document::JsonStyle::kGo));
}

GoJson& GoJson::Add(std::string name, GoJson value) {
  items_.emplace_back(std::move(name), std::move(value));
  return *this;
}

GoJson& GoJson::Append(GoJson item) {
  return Add({}, std::move(item));
}

std::string GoJson::Indented(std::size_t step) const {
  std::string out;
  AppendTo(step, 0, &out);
  return out;
}

std::string GoJson::Compact() const {
  std::string out;
  AppendTo(kNoStep, 0, &out);
  return out;
}

void GoJson::AppendTo(std::size_t step, std::size_t depth, std::string* out) const {
  if (kind_ == Kind::kLeaf) {
    if (step == kNoStep || text_.empty() || (text_[0] != '{' && text_[0] != '[')) {
      *out += text_;
    } else {
      AppendLines(text_, step, depth, out);
    }
    return;
  }
  const bool named = kind_ == Kind::kStruct;
  const bool lines = step != kNoStep;
  *out += named ? '{' : '[';
  for (std::size_t i = 0; i < items_.size(); ++i) {
    *out += i > 0 ? "," : "";
    if (lines) {
      out->append(1, '\n').append((depth + 1) * step, ' ');
    }
    if (named) {
      document::AppendJsonString(items_[i].first, document::JsonStyle::kGo, out);
      *out += lines ? ": " : ":";
    }
    items_[i].second.AppendTo(step, depth + 1, out);
  }
  if (!items_.empty() && lines) {
    *out += '\n';
    out->append(depth * step, ' ');
  }
  *out += named ? '}' : ']';
}

}  // namespace portcullis::tools
