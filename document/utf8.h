// UTF-8, and which characters Go prints as they are.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::document {

struct Rune {
  std::uint32_t code = 0;
  std::uint32_t size = 0;  // Its bytes; 0 where the text holds no valid UTF-8 sequence.
};

// The character that `text` begins with. REQUIRES: not empty.
[[nodiscard]] Rune DecodeRune(std::string_view text);
// REQUIRES: a Unicode scalar value.
void AppendRune(std::uint32_t code, std::string* out);

[[nodiscard]] bool IsValidUtf8(std::string_view text);
// `text` with U+FFFD for each byte that belongs to no valid sequence.
[[nodiscard]] std::string ReplaceInvalidUtf8(std::string_view text);

// As Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols (Unicode 15.0), and the
// ASCII space.
[[nodiscard]] bool IsPrintable(std::uint32_t code);

}  // namespace portcullis::document
