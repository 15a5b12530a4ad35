#include <algorithm>

#include "rules/builtins/go_format_internal.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

void AppendHex(char32_t value, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back("0123456789abcdef"[value >> shift & 0xF]);
  }
}

}  // namespace

void AppendQuotedRune(char32_t rune, char quote, GoQuoting quoting, std::string* out) {
  if (rune == static_cast<char32_t>(quote) || rune == U'\\') {
    out->push_back('\\');
    out->push_back(static_cast<char>(rune));
    return;
  }
  if (rune < 0x80 ? IsPrint(rune) : quoting == GoQuoting::kUnicode && IsPrint(rune)) {
    AppendRune(rune, out);
    return;
  }
  constexpr std::string_view kLetters = "abtnvfr";  // \a is 7, …, \r is 13.
  if (rune >= 7 && rune <= 13) {
    out->push_back('\\');
    out->push_back(kLetters[rune - 7]);
  } else if (rune < U' ' || rune == 0x7F) {
    out->append("\\x");
    AppendHex(rune, 2, out);
  } else if (rune < 0x10000) {
    out->append("\\u");
    AppendHex(rune, 4, out);
  } else {
    out->append("\\U");
    AppendHex(rune, 8, out);
  }
}

void AppendQuotedText(std::string_view text, GoQuoting quoting, std::string* out) {
  out->push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = DecodeRune(text.substr(i));
    if (rune.value == kReplacementRune && rune.width == 1) {
      out->append("\\x");
      AppendHex(static_cast<unsigned char>(text[i]), 2, out);
    } else {
      AppendQuotedRune(rune.value, '"', quoting, out);
    }
    i += rune.width;
  }
  out->push_back('"');
}

void AppendGoQuoted(std::string_view text, std::string* out) {
  AppendQuotedText(text, GoQuoting::kUnicode, out);
}

void AppendTimeQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < U' ' || byte >= 0x80) {
      out->append("\\x");
      AppendHex(byte, 2, out);
      continue;
    }
    if (c == '"' || c == '\\') {
      out->push_back('\\');
    }
    out->push_back(c);
  }
  out->push_back('"');
}

bool CanBackquote(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = DecodeRune(text.substr(i));
    const bool control = (rune.value < U' ' && rune.value != U'\t') || rune.value == 0x7F;
    const bool invalid = rune.value == kReplacementRune && rune.width == 1;
    if (control || invalid || rune.value == U'`' || rune.value == 0xFEFF) {
      return false;
    }
    i += rune.width;
  }
  return true;
}

}  // namespace portcullis::builtins
