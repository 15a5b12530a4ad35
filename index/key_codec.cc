#include "index/key_codec.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include <xxhash.h>

#include "document/json.h"

namespace portcullis::index {
namespace {

using document::Type;
using document::Value;

constexpr char kEnd = '\x00';
constexpr char kNull = '\x02';
constexpr char kFalse = '\x03';
constexpr char kTrue = '\x04';
constexpr char kNumber = '\x05';
constexpr char kString = '\x06';
constexpr char kArray = '\x07';
constexpr char kObject = '\x08';
constexpr char kSet = '\x09';
constexpr char kCut = '\x7f';

void AppendNumber(const Value& number, std::string* out) {
  double real = document::ToDouble(number);
  if (real == 0) {
    real = 0;  // -0 equals 0.
  }
  auto bits = std::bit_cast<std::uint64_t>(real);
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  bits = (bits & kSign) != 0 ? ~bits : bits | kSign;
  out->push_back(kNumber);
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((bits >> shift) & 0xff));
  }
}

void AppendInnerString(std::string_view text, std::string* out) {
  for (const char c : text) {
    out->push_back(c);
    if (c == '\0') {
      out->push_back('\xff');
    }
  }
  out->push_back('\0');
  out->push_back('\x01');
}

void AppendInner(const Value& value, std::string* out) {
  switch (value.type()) {
    case Type::kUndefined:
      return;
    case Type::kNull:
      out->push_back(kNull);
      return;
    case Type::kBoolean:
      out->push_back(value.is_true() ? kTrue : kFalse);
      return;
    case Type::kNumber:
      AppendNumber(value, out);
      return;
    case Type::kString:
      out->push_back(kString);
      AppendInnerString(value.string(), out);
      return;
    case Type::kArray:
    case Type::kSet:
      out->push_back(value.is_array() ? kArray : kSet);
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        AppendInner(value.ItemAt(i), out);
      }
      out->push_back(kEnd);
      return;
    case Type::kObject:
      out->push_back(kObject);
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        AppendInner(value.KeyAt(i), out);
        AppendInner(value.ValueAt(i), out);
      }
      out->push_back(kEnd);
      return;
  }
}

// Prints the value at the front of `rest` and takes it off. False: that is none.
bool ShowInner(std::string_view* rest, std::string* out);

bool ShowNumber(std::string_view* rest, std::string* out) {
  constexpr std::size_t kSize = 8;
  if (rest->size() < kSize) {
    return false;
  }
  std::uint64_t bits = 0;
  for (const char c : rest->substr(0, kSize)) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
  }
  rest->remove_prefix(kSize);
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  bits = (bits & kSign) != 0 ? bits & ~kSign : ~bits;
  document::AppendJson(Value::Float(std::bit_cast<double>(bits)), document::JsonStyle::kCompact,
                       out);
  return true;
}

bool ShowInnerString(std::string_view* rest, std::string* out) {
  std::string text;
  for (std::size_t i = 0; i + 1 < rest->size(); ++i) {
    const char c = (*rest)[i];
    if (c == '\0' && (*rest)[i + 1] == '\x01') {
      rest->remove_prefix(i + 2);
      document::AppendJsonString(text, document::JsonStyle::kCompact, out);
      return true;
    }
    text.push_back(c);
    i += c == '\0' ? 1 : 0;
  }
  return false;
}

bool ShowItems(std::string_view* rest, bool pairs, std::string_view close, std::string* out) {
  for (bool first = true; !rest->empty(); first = false) {
    if (rest->front() == kEnd) {
      rest->remove_prefix(1);
      out->append(close);
      return true;
    }
    out->append(first ? "" : ", ");
    if (!ShowInner(rest, out)) {
      return false;
    }
    if (pairs) {
      out->append(": ");
      if (!ShowInner(rest, out)) {
        return false;
      }
    }
  }
  return false;
}

bool ShowInner(std::string_view* rest, std::string* out) {
  if (rest->empty()) {
    return false;
  }
  const char kind = rest->front();
  rest->remove_prefix(1);
  switch (kind) {
    case kNull:
      out->append("null");
      return true;
    case kFalse:
    case kTrue:
      out->append(kind == kTrue ? "true" : "false");
      return true;
    case kNumber:
      return ShowNumber(rest, out);
    case kString:
      return ShowInnerString(rest, out);
    case kArray:
      out->push_back('[');
      return ShowItems(rest, false, "]", out);
    case kObject:
      out->push_back('{');
      return ShowItems(rest, true, "}", out);
    case kSet:
      out->append("set{");
      return ShowItems(rest, false, "}", out);
    default:
      return false;
  }
}

}  // namespace

std::string ShowKeyBytes(std::string_view bytes) {
  if (bytes == kUnknownKeyBytes) {
    return "(unknown)";
  }
  std::string text;
  if (bytes.starts_with(kString)) {
    document::AppendJsonString(bytes.substr(1), document::JsonStyle::kCompact, &text);
    return text;
  }
  return ShowInner(&bytes, &text) && bytes.empty() ? text : "(hash)";
}

void AppendKeyBytes(const Value& value, std::string* out) {
  const std::size_t start = out->size();
  if (value.is_string()) {
    out->push_back(kString);
    out->append(value.string());
  } else {
    AppendInner(value, out);
  }
  if (out->size() - start <= kMaxKeyBytes) {
    return;
  }
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(out->data() + start, out->size() - start));
  out->resize(start);
  out->push_back(kCut);
  out->append(reinterpret_cast<const char*>(hash.digest), sizeof(hash.digest));
}

}  // namespace portcullis::index
