#include "document/utf8.h"

#include <algorithm>
#include <iterator>

#include <simdjson.h>

namespace portcullis::document {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// General categories L, M, N, P and S of Unicode 15.0 from U+00A0 on.
constexpr Range kPrintable[] = {
#include "document/printable.inc"
};

constexpr std::uint32_t kReplacement = 0xFFFD;

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

Rune DecodeRune(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    return {first, 1};
  }
  const std::uint32_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) {
    return {};
  }
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::uint32_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) {
      return {};
    }
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? Rune{} : Rune{code, size};
}

void AppendRune(std::uint32_t code, std::string* out) {
  const auto add = [out](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
}

bool IsValidUtf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size() + 8);
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (rune.size == 0) {
      AppendRune(kReplacement, &valid);
      text.remove_prefix(1);
    } else {
      valid += text.substr(0, rune.size);
      text.remove_prefix(rune.size);
    }
  }
  return valid;
}

bool IsPrintable(std::uint32_t code) {
  if (code < 0xA0) {
    return code >= 0x20 && code < 0x7F;
  }
  const auto* const after = std::ranges::upper_bound(
      kPrintable, code, {}, [](const Range& range) { return range.first; });
  return after != std::begin(kPrintable) && code <= std::prev(after)->last;
}

}  // namespace portcullis::document
