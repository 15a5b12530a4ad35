#include "index/key_codec.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include <xxhash.h>

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

}  // namespace

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
