#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "rules/builtins/go_format_internal.h"

namespace portcullis::builtins {
namespace {

std::string ToChars(double number, std::chars_format format, int precision) {
  std::string text(precision < 0 ? 32 : static_cast<std::size_t>(precision) + 340, '\0');
  const auto end =
      precision < 0
          ? std::to_chars(text.data(), text.data() + text.size(), number, format)
          : std::to_chars(text.data(), text.data() + text.size(), number, format, precision);
  if (end.ec != std::errc()) {  // The shortest fixed form may need up to 325 characters.
    text.resize(512);
    text.resize(static_cast<std::size_t>(
        std::to_chars(text.data(), text.data() + text.size(), number, format).ptr - text.data()));
    return text;
  }
  text.resize(static_cast<std::size_t>(end.ptr - text.data()));
  return text;
}

void AppendExponent(int exponent, std::string* out) {
  out->push_back(exponent < 0 ? '-' : '+');
  if (std::abs(exponent) < 10) {
    out->push_back('0');
  }
  out->append(std::to_string(std::abs(exponent)));
}

// mantissa * 2^exponent with 53 bits of mantissa.
struct Parts {
  std::uint64_t mantissa = 0;
  int exponent = 0;
};

Parts Split(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  const auto biased = static_cast<int>(bits >> 52 & 0x7FF);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  if (biased == 0) {
    return {fraction, 1 - 1075};
  }
  return {fraction | std::uint64_t{1} << 52, biased - 1075};
}

// 0x1.8p+01: `precision` digits after the point, or as many as there are.
std::string HexText(double number, int precision) {
  Parts parts = Split(number);
  if (parts.mantissa == 0) {
    std::string zero = "0x0";
    if (precision > 0) {
      zero.append(".").append(static_cast<std::size_t>(precision), '0');
    }
    return zero + "p+00";
  }
  // The leading one at bit 60: fifteen hex digits follow it.
  const int shift = std::countl_zero(parts.mantissa) - 3;
  std::uint64_t mantissa = parts.mantissa << shift;
  int exponent = parts.exponent - shift + 60;
  if (precision >= 0 && precision < 15) {
    const int dropped = 4 * (15 - precision);
    const std::uint64_t rest = mantissa & ((std::uint64_t{1} << dropped) - 1);
    const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
    mantissa >>= dropped;
    if (rest > half || (rest == half && (mantissa & 1) != 0)) {
      ++mantissa;
    }
    mantissa <<= dropped;
    if ((mantissa >> 61) != 0) {
      mantissa >>= 1;
      ++exponent;
    }
  }
  std::string text = "0x1";
  std::string digits;
  for (int i = 14; i >= 0; --i) {
    digits.push_back("0123456789abcdef"[mantissa >> (4 * i) & 0xF]);
  }
  if (precision < 0) {
    digits.resize(digits.find_last_not_of('0') + 1);
  } else {
    digits.resize(static_cast<std::size_t>(precision), '0');
  }
  if (!digits.empty()) {
    text.append(".").append(digits);
  }
  text.push_back('p');
  AppendExponent(exponent, &text);
  return text;
}

// The fewest digits: %e below 1e-4 and from 1e6 on, else %f, as Go's 'g' with precision -1.
std::string ShortestGeneral(double number) {
  const std::string scientific = ToChars(number, std::chars_format::scientific, -1);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  return exponent < -4 || exponent >= 6 ? scientific
                                        : ToChars(number, std::chars_format::fixed, -1);
}

}  // namespace

void AppendGoFloat(double number, char verb, int precision, std::string* out) {
  if (std::signbit(number)) {
    out->push_back('-');
  }
  const double magnitude = std::fabs(number);
  std::string text;
  switch (verb) {
    case 'e':
    case 'E':
      text = ToChars(magnitude, std::chars_format::scientific, precision);
      break;
    case 'f':
      text = ToChars(magnitude, std::chars_format::fixed, precision);
      break;
    case 'b': {
      const Parts parts = Split(magnitude);
      text = std::to_string(parts.mantissa) + "p" + (parts.exponent < 0 ? "" : "+") +
             std::to_string(parts.exponent);
      break;
    }
    case 'x':
    case 'X':
      text = HexText(magnitude, precision);
      break;
    default:
      text = precision < 0
                 ? ShortestGeneral(magnitude)
                 : ToChars(magnitude, std::chars_format::general, precision == 0 ? 1 : precision);
  }
  if (verb == 'E' || verb == 'G' || verb == 'X') {
    for (char& c : text) {
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  out->append(text);
}

}  // namespace portcullis::builtins
