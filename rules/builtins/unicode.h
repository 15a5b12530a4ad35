// UTF-8 as Go reads it: a byte that begins no valid sequence is U+FFFD of width one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::builtins {

inline constexpr char32_t kReplacementRune = 0xFFFD;

struct Rune {
  char32_t value = 0;
  std::uint32_t width = 0;  // Bytes; 0 at the end of the text.
};

[[nodiscard]] Rune DecodeRuneSlow(std::string_view text);
// The first rune of `text`.
[[nodiscard]] inline Rune DecodeRune(std::string_view text) {
  if (!text.empty() && static_cast<unsigned char>(text.front()) < 0x80) {
    return {static_cast<unsigned char>(text.front()), 1};
  }
  return DecodeRuneSlow(text);
}
// The last rune of `text`.
[[nodiscard]] Rune DecodeLastRune(std::string_view text);
// What is no Unicode scalar value is written as U+FFFD.
void AppendRune(char32_t rune, std::string* out);
[[nodiscard]] bool IsAscii(std::string_view text);
[[nodiscard]] bool IsValidUtf8(std::string_view text);
[[nodiscard]] std::size_t CountRunes(std::string_view text);
// The byte at which rune number `runes` begins, or the text's size if it has fewer.
[[nodiscard]] std::size_t ByteOffset(std::string_view text, std::size_t runes);

// Of one rune each, as Go's package unicode.
[[nodiscard]] char32_t ToLower(char32_t rune);
[[nodiscard]] char32_t ToUpper(char32_t rune);
[[nodiscard]] char32_t ToTitle(char32_t rune);
[[nodiscard]] bool IsSpace(char32_t rune);
[[nodiscard]] bool IsLetterOrDigit(char32_t rune);
[[nodiscard]] bool IsPrint(char32_t rune);

}  // namespace portcullis::builtins
