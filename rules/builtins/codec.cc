#include "rules/builtins/codec.h"

#include <algorithm>
#include <array>

#include "document/hex.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

constexpr std::string_view kStandardAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> Inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> inverse{};
  inverse.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    inverse[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return inverse;
}
constexpr auto kStandardInverse = Inverse(kStandardAlphabet);
constexpr auto kUrlInverse = Inverse(kUrlAlphabet);

}  // namespace

std::string EncodeBase64(std::string_view bytes, Base64 alphabet, Padding padding) {
  const std::string_view digits = alphabet == Base64::kUrl ? kUrlAlphabet : kStandardAlphabet;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      if (j <= count) {
        text.push_back(digits[bits >> (18 - 6 * j) & 0x3F]);
      } else if (padding == Padding::kRequired) {
        text.push_back('=');
      }
    }
  }
  return text;
}

std::expected<std::string, std::size_t> DecodeBase64(std::string_view text, Base64 alphabet,
                                                     Padding padding) {
  const auto& inverse = alphabet == Base64::kUrl ? kUrlInverse : kStandardInverse;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  const auto skip_line_ends = [&](std::size_t at) {
    while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) {
      ++at;
    }
    return at;
  };
  const auto put = [&](std::uint32_t bits, std::size_t digits) {
    for (std::size_t j = 0; j + 1 < digits; ++j) {
      bytes.push_back(static_cast<char>(bits >> (6 * digits - 8 * (j + 1)) & 0xFF));
    }
  };
  std::uint32_t bits = 0;
  std::size_t digits = 0;  // Of the current group of four.
  for (std::size_t i = skip_line_ends(0); i < text.size(); i = skip_line_ends(i + 1)) {
    const std::int8_t digit = inverse[static_cast<unsigned char>(text[i])];
    if (digit >= 0) {
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
      if (++digits == 4) {
        put(bits, 4);
        bits = 0;
        digits = 0;
      }
      continue;
    }
    if (text[i] != '=' || padding == Padding::kNone || digits < 2) {
      return std::unexpected(i);
    }
    std::size_t end = i + 1;
    if (digits == 2) {
      end = skip_line_ends(end);
      if (end == text.size()) {
        return std::unexpected(end);
      }
      if (text[end] != '=') {
        return std::unexpected(end - 1);
      }
      ++end;
    }
    end = skip_line_ends(end);
    if (end < text.size()) {
      return std::unexpected(end);
    }
    put(bits, digits);
    return bytes;
  }
  if (digits == 1 || (digits > 0 && padding == Padding::kRequired)) {
    return std::unexpected(text.size() - digits);
  }
  put(bits, digits);
  return bytes;
}

std::string EncodeHex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 0xF]);
  }
  return text;
}

std::expected<std::string, std::string> DecodeHex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = document::HexDigit(text[i]);
    if (digit < 0) {
      // Go prints the byte as a rune: "encoding/hex: invalid byte: U+0067 'g'".
      const document::Value byte = document::Value::Int(static_cast<unsigned char>(text[i]));
      std::string message = "encoding/hex: invalid byte: ";
      FormatGo("%#U", document::Value::Array({&byte, 1}), 1 << 10, &message);
      return std::unexpected(message);
    }
    if (i % 2 == 0) {
      bytes.push_back(static_cast<char>(digit << 4));
    } else {
      bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | digit);
    }
  }
  if (text.size() % 2 != 0) {
    return std::unexpected("encoding/hex: odd length hex string");
  }
  return bytes;
}

std::string EscapeQuery(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '_' || c == '.' || c == '~') {
      escaped.push_back(c);
    } else if (c == ' ') {
      escaped.push_back('+');
    } else {
      escaped.push_back('%');
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4]);
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) & 0xF]);
    }
  }
  return escaped;
}

std::expected<std::string, std::string> UnescapeQuery(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      plain.push_back(' ');
    } else if (text[i] != '%') {
      plain.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? document::HexDigit(text[i + 1]) : -1;
      const int low = high >= 0 ? document::HexDigit(text[i + 2]) : -1;
      if (low < 0) {
        std::string message = "invalid URL escape ";
        AppendGoQuoted(text.substr(i, 3), &message);
        return std::unexpected(message);
      }
      plain.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return plain;
}

}  // namespace portcullis::builtins
