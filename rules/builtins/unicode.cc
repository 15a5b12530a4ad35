#include "rules/builtins/unicode.h"

#include <algorithm>

#include <unicode/uchar.h>

namespace portcullis::builtins {
namespace {

bool IsScalar(char32_t rune) {
  return rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
}

}  // namespace

Rune DecodeRuneSlow(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::uint32_t width = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < width) {
    return {kReplacementRune, 1};
  }
  char32_t rune = first & (0x7Fu >> width);
  for (std::uint32_t i = 1; i < width; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return {kReplacementRune, 1};
    }
    rune = rune << 6 | (byte(i) & 0x3Fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (rune < kSmallest[width] || !IsScalar(rune)) {
    return {kReplacementRune, 1};
  }
  return {rune, width};
}

Rune DecodeLastRune(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  for (std::size_t width = 1; width <= std::min<std::size_t>(4, text.size()); ++width) {
    const std::string_view tail = text.substr(text.size() - width);
    if ((static_cast<unsigned char>(tail.front()) & 0xC0) == 0x80) {
      continue;
    }
    const Rune rune = DecodeRune(tail);
    if (rune.width == width) {
      return rune;
    }
    break;
  }
  return {kReplacementRune, 1};
}

void AppendRune(char32_t rune, std::string* out) {
  if (!IsScalar(rune)) {
    rune = kReplacementRune;
  }
  const auto put = [out](char32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | rune >> 6);
    put(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    put(0xE0 | rune >> 12);
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  } else {
    put(0xF0 | rune >> 18);
    put(0x80 | (rune >> 12 & 0x3F));
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  }
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsValidUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = DecodeRune(text.substr(i));
    if (rune.value == kReplacementRune && rune.width == 1) {
      return false;
    }
    i += rune.width;
  }
  return true;
}

std::size_t CountRunes(std::string_view text) {
  if (IsAscii(text)) {
    return text.size();
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    i += DecodeRune(text.substr(i)).width;
  }
  return count;
}

std::size_t ByteOffset(std::string_view text, std::size_t runes) {
  std::size_t i = 0;
  for (; runes > 0 && i < text.size(); --runes) {
    i += DecodeRune(text.substr(i)).width;
  }
  return i;
}

char32_t ToLower(char32_t rune) {
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(rune)));
}
char32_t ToUpper(char32_t rune) {
  return static_cast<char32_t>(u_toupper(static_cast<UChar32>(rune)));
}
char32_t ToTitle(char32_t rune) {
  return static_cast<char32_t>(u_totitle(static_cast<UChar32>(rune)));
}

bool IsSpace(char32_t rune) {
  if (rune < 0x100) {
    return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 || rune == 0xA0;
  }
  return u_isUWhiteSpace(static_cast<UChar32>(rune)) != 0;
}

bool IsLetterOrDigit(char32_t rune) {
  return (U_GET_GC_MASK(static_cast<UChar32>(rune)) & (U_GC_L_MASK | U_GC_ND_MASK)) != 0;
}

bool IsPrint(char32_t rune) {
  if (rune < 0x80) {
    return rune >= 0x20 && rune < 0x7F;
  }
  constexpr std::uint32_t kPrinting = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK | U_GC_P_MASK |
                                      U_GC_S_MASK;  // Spaces other than ' ' do not print.
  return (U_GET_GC_MASK(static_cast<UChar32>(rune)) & kPrinting) != 0;
}

}  // namespace portcullis::builtins
