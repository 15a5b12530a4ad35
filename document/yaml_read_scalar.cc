#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "document/number.h"
#include "document/utf8.h"
#include "document/yaml_reader.h"

namespace portcullis::document {
namespace {

using Kind = YamlScalar::Kind;

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// Go's encoding/json of a float64: the shortest digits, without an exponent from 1e-6 up to 1e21.
std::string GoJsonFloat(double value) {
  const double magnitude = std::abs(value);
  std::array<char, 48> buffer;
  const auto print = [&](std::chars_format format) {
    return std::string(buffer.begin(),
                       std::to_chars(buffer.begin(), buffer.end(), value, format).ptr);
  };
  if (magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e15)) {
    return print(std::chars_format::fixed);
  }
  std::string text = print(std::chars_format::scientific);
  const std::size_t e = text.find('e');
  if (magnitude < 1e-6 || magnitude >= 1e21) {
    // Go leaves out the first zero of an exponent of two digits, but only of a negative one.
    if (text[e + 1] == '-' && text[e + 2] == '0') {
      text.erase(e + 2, 1);
    }
    return text;
  }
  // Whole or nearly so: std::to_chars would print digits that the shortest form has not.
  const auto exponent = static_cast<std::size_t>(std::stoi(text.substr(e + 2)));
  const std::size_t sign = text.front() == '-' ? 1 : 0;
  std::string digits = text.substr(sign, e - sign);
  std::erase(digits, '.');
  if (digits.size() <= exponent + 1) {
    digits.append(exponent + 1 - digits.size(), '0');
  } else {
    digits.insert(exponent + 1, 1, '.');
  }
  return (sign == 1 ? "-" : "") + digits;
}

}  // namespace

Result<Value> YamlReader::ToKey(const Node& key) {
  switch (key.value.type()) {
    case Type::kString:
      return key.value;
    case Type::kBoolean:
      return Value::String(key.value.is_true() ? "true" : "false");
    case Type::kNumber:
      return CopyText(key.alias ? NumberText(key.value) : key_text_);
    default:
      return Refuse(key.mark, "a key must be a string, a number or a boolean",
                    key.value.is_null()
                        ? "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>"
                        : "yaml: invalid map key: " + ToRego(key.value));
  }
}

Result<YamlReader::Node> YamlReader::ReadScalar() {
  const auto& scalar = event_->data.scalar;
  Node node{.mark = event_->start_mark};
  const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
  const std::string_view tag = View(scalar.tag);
  const std::string_view short_tag =
      tag.starts_with(kTagPrefix) ? tag.substr(kTagPrefix.size()) : "";
  if (scalar.plain_implicit != 0 && tag.empty()) {
    const YamlScalar meaning = IsWordOnly(text) ? YamlScalar{} : ResolveYamlScalar(text, schema_);
    node.merge_key = meaning.kind == Kind::kMerge;
    node.value = TRY(ToValue(meaning, text));
  } else if (short_tag == "binary") {
    node.value = TRY(DecodeBinary(text));
  } else if (short_tag == "merge") {
    node.merge_key = text == "<<";
    node.value = CopyText(text);
  } else if (short_tag == "bool" || short_tag == "int" || short_tag == "float" ||
             short_tag == "null" || short_tag == "timestamp") {
    node.value = TRY(ToTagged(short_tag, text));
  } else {
    node.value = CopyText(text);
  }
  node.extent.bytes = text.size() + kYamlNodeBytes;
  if (const std::string_view anchor = View(scalar.anchor); !anchor.empty()) {
    anchors_.insert_or_assign(std::string(anchor), Anchor{node.value, node.extent, false});
  }
  return node;
}

std::string_view YamlReader::TagOf(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "!!null";
    case Kind::kFalse:
    case Kind::kTrue:
      return "!!bool";
    case Kind::kInt:
    case Kind::kUnsigned:
      return "!!int";
    case Kind::kFloat:
    case Kind::kNotFinite:
      return "!!float";
    case Kind::kTimestamp:
      return "!!timestamp";
    case Kind::kMerge:
      return "!!merge";
    case Kind::kString:
      break;
  }
  return "!!str";
}

Result<Value> YamlReader::ToTagged(std::string_view tag, std::string_view text) {
  YamlScalar meaning = ResolveYamlScalar(text, schema_);
  if (tag == "float" && meaning.kind == Kind::kInt) {
    meaning = {.kind = Kind::kFloat, .real = static_cast<double>(meaning.integer)};
  }
  const bool number = meaning.kind == Kind::kInt || meaning.kind == Kind::kUnsigned;
  const bool real = meaning.kind == Kind::kFloat || meaning.kind == Kind::kNotFinite;
  const bool boolean = meaning.kind == Kind::kTrue || meaning.kind == Kind::kFalse;
  const bool fits = (tag == "int" && number) || (tag == "float" && real) ||
                    (tag == "bool" && boolean) || (tag == "null" && meaning.kind == Kind::kNull) ||
                    (tag == "timestamp" && meaning.kind == Kind::kTimestamp);
  if (!fits) {
    return Refuse(event_->start_mark,
                  "'" + std::string(text) + "' is not of the tag !!" + std::string(tag),
                  "yaml: cannot decode " + std::string(TagOf(meaning.kind)) + " `" +
                      std::string(text) + "` as a !!" + std::string(tag));
  }
  return ToValue(meaning, text);
}

Result<Value> YamlReader::ToValue(const YamlScalar& scalar, std::string_view text) {
  switch (scalar.kind) {
    case Kind::kNull:
      return Value::Null();
    case Kind::kFalse:
    case Kind::kTrue:
      return Value::Boolean(scalar.kind == Kind::kTrue);
    case Kind::kInt:
      key_text_ = std::to_string(scalar.integer);
      return ToNumber(key_text_);
    case Kind::kUnsigned:
      key_text_ = std::to_string(scalar.natural);
      return ToNumber(key_text_);
    case Kind::kFloat:
      SpellFloatKey(scalar.real);
      return ToNumber(GoJsonFloat(scalar.real));
    case Kind::kNotFinite:
      return Refuse(event_->start_mark,
                    "'" + std::string(text) +
                        "' is a number that JSON cannot hold; quote it to make it a string",
                    std::string("json: unsupported value: ") +
                        (text.ends_with('n') || text.ends_with('N') ? "NaN"
                         : text.starts_with('-')                    ? "-Inf"
                                                                    : "+Inf"));
    case Kind::kString:
    case Kind::kTimestamp:
    case Kind::kMerge:
      break;
  }
  return CopyText(text);
}

void YamlReader::SpellFloatKey(double value) {
  key_text_.clear();
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) {
    key_text_ = narrow < 0 ? "-.inf" : ".inf";
    return;
  }
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.begin(), buffer.end(), narrow);
  // The shortest digits of the float32, spelt as Go spells those of a float64.
  AppendGoFloat(DecimalToDouble({buffer.begin(), end.ptr}), &key_text_);
}

Value YamlReader::ToNumber(std::string_view spelling) {
  if (options_.numbers == NumberMode::kFloat64) {
    return Value::Float(DecimalToDouble(spelling));
  }
  const auto whole = CanonicalInt64(spelling);
  return whole ? Value::Int(*whole) : Value::Decimal(arena_.CopyString(spelling));
}

Result<Value> YamlReader::DecodeBinary(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      continue;
    }
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t digit = kAlphabet.find(c);
    padding += c == '=' ? 1 : 0;
    if (c != '=' && (digit == std::string_view::npos || padding > 0)) {
      return Refuse(event_->start_mark, "!!binary with what is not base64");
    }
    bits = bits << 6 | static_cast<std::uint32_t>(c == '=' ? 0 : digit);
    if (++count == 4) {
      bytes +=
          {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8), static_cast<char>(bits)};
      bits = 0;
      count = 0;
    }
  }
  if (count != 0 || padding > 2 || padding > bytes.size()) {
    return Refuse(event_->start_mark, "!!binary with what is not base64");
  }
  bytes.resize(bytes.size() - padding);
  return CopyText(ReplaceInvalidUtf8(bytes));
}

}  // namespace portcullis::document
