#include <optional>
#include <string>

#include "rules/builtins/go_format.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

int Digit(char c, int base) {
  const int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : 16;
  return digit < base ? digit : -1;
}

struct Unescaped {
  char32_t value = 0;
  bool byte = false;  // A byte of UTF-8, not a rune.
};

// `count` digits from the front of `text`.
std::optional<char32_t> TakeDigits(std::string_view* text, std::size_t count, int base) {
  if (text->size() < count) {
    return std::nullopt;
  }
  char32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = Digit((*text)[i], base);
    if (digit < 0) {
      return std::nullopt;
    }
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  text->remove_prefix(count);
  return value;
}

// What stands behind a backslash.
std::optional<Unescaped> TakeEscape(std::string_view* text, char quote) {
  if (text->empty()) {
    return std::nullopt;
  }
  const char c = text->front();
  text->remove_prefix(1);
  constexpr std::string_view kLetters = "abtnvfr";  // \a is 7, …, \r is 13.
  if (const std::size_t letter = kLetters.find(c); letter != kLetters.npos) {
    return Unescaped{static_cast<char32_t>(7 + letter)};
  }
  if (c == '\\' || c == quote) {
    return Unescaped{static_cast<char32_t>(c)};
  }
  if (c == 'x') {
    const auto value = TakeDigits(text, 2, 16);
    return value ? std::optional(Unescaped{*value, true}) : std::nullopt;
  }
  if (c == 'u' || c == 'U') {
    const auto value = TakeDigits(text, c == 'u' ? 4 : 8, 16);
    const bool valid = value && *value <= 0x10FFFF && !(*value >= 0xD800 && *value <= 0xDFFF);
    return valid ? std::optional(Unescaped{*value}) : std::nullopt;
  }
  if (c >= '0' && c <= '7') {
    const auto rest = TakeDigits(text, 2, 8);
    const char32_t value = static_cast<char32_t>(c - '0') * 64 + rest.value_or(0);
    return rest && value <= 255 ? std::optional(Unescaped{value, true}) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> UnquoteGo(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) {
    return std::nullopt;
  }
  const char quote = literal.front();
  std::string_view text = literal.substr(1, literal.size() - 2);
  std::string plain;
  if (quote == '`') {
    for (const char c : text) {
      if (c != '\r') {
        plain.push_back(c);
      }
    }
    return text.contains('`') ? std::nullopt : std::optional(std::move(plain));
  }
  while (!text.empty()) {
    if (text.front() == quote || text.front() == '\n') {
      return std::nullopt;
    }
    if (text.front() != '\\') {
      plain.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const auto escape = TakeEscape(&text, quote);
    if (!escape) {
      return std::nullopt;
    }
    if (escape->byte) {
      plain.push_back(static_cast<char>(escape->value));
    } else {
      AppendRune(escape->value, &plain);
    }
  }
  return plain;
}

std::optional<char32_t> UnquoteGoRune(std::string_view literal) {
  std::string_view text = literal.substr(1);
  if (text.empty() || text.front() == '\'') {
    return std::nullopt;
  }
  if (text.front() != '\\') {
    const Rune rune = DecodeRune(text);
    return text.substr(rune.width) == "'" ? std::optional(rune.value) : std::nullopt;
  }
  text.remove_prefix(1);
  const auto escape = TakeEscape(&text, '\'');
  return escape && text == "'" ? std::optional(escape->value) : std::nullopt;
}

}  // namespace portcullis::builtins
