#include "rules/rego/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "document/hex.h"

namespace portcullis::rego {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

void AppendHex(std::string& out, char32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[(value >> shift) & 0xF];
  }
}

// What Go calls not printable, as far as it occurs in texts: controls, separators other than the
// space, formats, surrogates and private use.
bool IsPrintable(char32_t rune) {
  if (rune < 0x20 || (rune >= 0x7F && rune < 0xA1) || rune == 0xAD) {
    return false;
  }
  if (rune >= 0x2000 && rune <= 0x200F) {
    return false;
  }
  if (rune >= 0x2028 && rune <= 0x202F) {
    return false;
  }
  if (rune >= 0x205F && rune <= 0x206F) {
    return false;
  }
  if (rune == 0x1680 || rune == 0x3000 || rune == 0xFEFF || rune == 0x61C || rune == 0x180E) {
    return false;
  }
  if (rune >= 0xD800 && rune <= 0xF8FF) {
    return false;
  }
  if ((rune & 0xFFFE) == 0xFFFE || (rune >= 0xFDD0 && rune <= 0xFDEF)) {
    return false;
  }
  return rune < 0xE0000;
}

// Four hexadecimal digits at `text[at]`; -1 where there are none.
int ReadHex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    int digit = document::HexDigit(text[i]);
    if (digit < 0) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace

bool IsIdentifier(std::string_view text) {
  if (text.empty() || !IsLetter(text[0])) {
    return false;
  }
  return std::ranges::all_of(text, [](char c) { return IsLetter(c) || IsDigit(c); });
}

bool IsKeyword(std::string_view text, Version version) {
  static constexpr std::array<std::string_view, 15> kKeywords = {
      "not",  "package", "import", "as", "default",  "else", "with", "null",
      "true", "false",   "some",   "if", "contains", "in",   "every"};
  std::size_t count = version == Version::kV0 ? 11 : kKeywords.size();
  return std::find(kKeywords.begin(), kKeywords.begin() + count, text) != kKeywords.begin() + count;
}

std::string_view InfixOf(std::string_view builtin) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kInfix = {{
      {"assign", ":="},
      {"eq", "="},
      {"equal", "=="},
      {"neq", "!="},
      {"lt", "<"},
      {"lte", "<="},
      {"gt", ">"},
      {"gte", ">="},
      {"plus", "+"},
      {"minus", "-"},
      {"mul", "*"},
      {"div", "/"},
      {"rem", "%"},
      {"and", "&"},
      {"or", "|"},
      {"internal.member_2", "in"},
      {"internal.member_3", "in"},
  }};
  for (const auto& [name, infix] : kInfix) {
    if (name == builtin) {
      return infix;
    }
  }
  return {};
}

char32_t DecodeRune(std::string_view text, int& width) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  unsigned char first = byte(0);
  width = 1;
  if (first < 0x80) {
    return first;
  }
  if (first >= 0xC2 && first <= 0xDF && continues(1)) {
    width = 2;
    return (char32_t{first} & 0x1F) << 6 | (byte(1) & 0x3F);
  }
  if (first >= 0xE0 && first <= 0xEF && continues(1) && continues(2)) {
    char32_t rune =
        (char32_t{first} & 0x0F) << 12 | (char32_t{byte(1)} & 0x3F) << 6 | (byte(2) & 0x3F);
    if (rune < 0x800 || (rune >= 0xD800 && rune <= 0xDFFF)) {
      return kReplacement;
    }
    width = 3;
    return rune;
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(1) && continues(2) && continues(3)) {
    char32_t rune = (char32_t{first} & 0x07) << 18 | (char32_t{byte(1)} & 0x3F) << 12 |
                    (char32_t{byte(2)} & 0x3F) << 6 | (byte(3) & 0x3F);
    if (rune < 0x10000 || rune > 0x10FFFF) {
      return kReplacement;
    }
    width = 4;
    return rune;
  }
  return kReplacement;
}

void AppendRune(std::string& out, char32_t rune) {
  auto push = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) {
    push(rune);
  } else if (rune < 0x800) {
    push(0xC0 | rune >> 6);
    push(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    push(0xE0 | rune >> 12);
    push(0x80 | (rune >> 6 & 0x3F));
    push(0x80 | (rune & 0x3F));
  } else {
    push(0xF0 | rune >> 18);
    push(0x80 | (rune >> 12 & 0x3F));
    push(0x80 | (rune >> 6 & 0x3F));
    push(0x80 | (rune & 0x3F));
  }
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    int width = 0;
    char32_t rune = DecodeRune(text, width);
    auto byte = static_cast<unsigned char>(text[0]);
    text.remove_prefix(static_cast<std::size_t>(width));
    if (rune == kReplacement && width == 1) {
      out += "\\x";
      AppendHex(out, byte, 2);
      continue;
    }
    switch (rune) {
      case '"':
        out += "\\\"";
        continue;
      case '\\':
        out += "\\\\";
        continue;
      case '\a':
        out += "\\a";
        continue;
      case '\b':
        out += "\\b";
        continue;
      case '\f':
        out += "\\f";
        continue;
      case '\n':
        out += "\\n";
        continue;
      case '\r':
        out += "\\r";
        continue;
      case '\t':
        out += "\\t";
        continue;
      case '\v':
        out += "\\v";
        continue;
      default:
        break;
    }
    if (IsPrintable(rune)) {
      AppendRune(out, rune);
    } else if (rune < ' ' || rune == 0x7F) {
      out += "\\x";
      AppendHex(out, rune, 2);
    } else if (rune < 0x10000) {
      out += "\\u";
      AppendHex(out, rune, 4);
    } else {
      out += "\\U";
      AppendHex(out, rune, 8);
    }
  }
  return out + '"';
}

bool Unquote(std::string_view literal, std::string& out) {
  if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') {
    return false;
  }
  std::string_view text = literal.substr(1, literal.size() - 2);
  out.clear();
  for (std::size_t i = 0; i < text.size();) {
    char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || c == '"') {
      return false;
    }
    if (c != '\\') {
      int width = 0;
      AppendRune(out, DecodeRune(text.substr(i), width));
      i += static_cast<std::size_t>(width);
      continue;
    }
    if (i + 1 >= text.size()) {
      return false;
    }
    char escape = text[i + 1];
    i += 2;
    switch (escape) {
      case '"':
      case '\\':
      case '/':
        out += escape;
        continue;
      case 'b':
        out += '\b';
        continue;
      case 'f':
        out += '\f';
        continue;
      case 'n':
        out += '\n';
        continue;
      case 'r':
        out += '\r';
        continue;
      case 't':
        out += '\t';
        continue;
      case 'u':
        break;
      default:
        return false;
    }
    int unit = ReadHex4(text, i);
    if (unit < 0) {
      return false;
    }
    i += 4;
    auto rune = static_cast<char32_t>(unit);
    if (rune >= 0xD800 && rune <= 0xDFFF) {
      // A pair of surrogates is one code point; a lone one is replaced.
      int low = rune < 0xDC00 && text.substr(i, 2) == "\\u" ? ReadHex4(text, i + 2) : -1;
      if (low >= 0xDC00 && low <= 0xDFFF) {
        rune = 0x10000 + ((rune - 0xD800) << 10) + (static_cast<char32_t>(low) - 0xDC00);
        i += 6;
      } else {
        rune = kReplacement;
      }
    }
    AppendRune(out, rune);
  }
  return true;
}

}  // namespace portcullis::rego
