// base64, hex and URL escapes, as Go's packages read and write them.

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace portcullis::builtins {

enum class Base64 : std::uint8_t { kStandard, kUrl };
enum class Padding : std::uint8_t { kNone, kRequired };

[[nodiscard]] std::string EncodeBase64(std::string_view bytes, Base64 alphabet, Padding padding);
// Line ends are skipped. ERRORS: the byte at which the text is wrong.
[[nodiscard]] std::expected<std::string, std::size_t> DecodeBase64(std::string_view text,
                                                                   Base64 alphabet,
                                                                   Padding padding);

[[nodiscard]] std::string EncodeHex(std::string_view bytes);
// ERRORS: Go's text.
[[nodiscard]] std::expected<std::string, std::string> DecodeHex(std::string_view text);

// Of a query: a space is "+".
[[nodiscard]] std::string EscapeQuery(std::string_view text);
// ERRORS: Go's text.
[[nodiscard]] std::expected<std::string, std::string> UnescapeQuery(std::string_view text);

}  // namespace portcullis::builtins
