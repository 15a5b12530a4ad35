#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "document/json.h"
#include "rules/builtins/go_format_internal.h"
#include "rules/builtins/go_formatter.h"
#include "rules/builtins/number.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {

using document::Value;

void GoFormatter::Print(const GoArgument& argument, char32_t verb) {
  if (verb == U'T') {
    Text(GoTypeName(argument));
  } else if (const auto* number = std::get_if<std::int64_t>(&argument)) {
    Integer(argument, *number, verb);
  } else if (const auto* whole = std::get_if<GoInt>(&argument)) {
    Integer(argument, whole->value, verb);
  } else if (const auto* byte = std::get_if<std::uint8_t>(&argument)) {
    flags_.sharp = flags_.sharp || flags_.sharp_v;  // %#v shows a byte in hex.
    Integer(argument, *byte, flags_.sharp_v ? U'x' : verb);
  } else if (const auto* real = std::get_if<double>(&argument)) {
    Float(argument, *real, verb);
  } else if (const auto* big = std::get_if<BigInt>(&argument)) {
    Big(argument, *big, verb);
  } else if (const auto* json = std::get_if<GoJsonNumber>(&argument)) {
    String(argument, json->text, verb);
  } else if (const auto* truth = std::get_if<bool>(&argument)) {
    Boolean(argument, *truth, verb);
  } else if (std::holds_alternative<GoNil>(argument)) {
    Nil(verb);
  } else if (const auto* complex = std::get_if<std::complex<double>>(&argument)) {
    Complex(argument, *complex, verb);
  } else if (const auto* container = std::get_if<Value>(&argument)) {
    Container(*container, verb);
  } else {
    String(argument, std::get<std::string>(argument), verb);
  }
}

void GoFormatter::BadVerb(const GoArgument& argument, char32_t verb) {
  out_.append("%!");
  AppendRune(verb, &out_);
  out_.append("(").append(GoTypeName(argument)).append("=");
  Print(argument, U'v');
  out_.push_back(')');
}

void GoFormatter::Boolean(const GoArgument& argument, bool truth, char32_t verb) {
  if (verb == U't' || verb == U'v') {
    Pad(truth ? "true" : "false", true);
  } else {
    BadVerb(argument, verb);
  }
}

void GoFormatter::Nil(char32_t verb) {
  if (verb == U'v') {
    return Pad("<nil>", true);
  }
  out_.append("%!");
  AppendRune(verb, &out_);
  out_.append("(<nil>)");
}

void GoFormatter::Item(const Value& item, char32_t verb) {
  if (item.is_null()) {
    out_.append(flags_.sharp_v ? "interface {}(nil)" : "<nil>");
  } else {
    Print(ToGoArgument(item), verb);
  }
}

void GoFormatter::Container(const Value& value, char32_t verb) {
  const std::string_view type = GoTypeName(value);
  const std::string_view separator = flags_.sharp_v ? ", " : " ";
  out_.append(flags_.sharp_v ? type : value.is_object() ? "map" : "");
  out_.push_back(flags_.sharp_v ? '{' : '[');
  for (std::uint32_t i = 0; i < value.size() && out_.size() <= limit_bytes_; ++i) {
    out_.append(i == 0 ? "" : separator);
    if (value.is_object()) {
      Print(ToGoArgument(value.KeyAt(i)), verb);
      out_.push_back(':');
    }
    Item(value.is_object() ? value.ValueAt(i) : value.ItemAt(i), verb);
  }
  out_.push_back(flags_.sharp_v ? '}' : ']');
}

void GoFormatter::Fill(std::int64_t missing, char fill) {
  if (missing > 0) {
    out_.append(static_cast<std::size_t>(missing), fill);
  }
}

void GoFormatter::Pad(std::string_view text, bool zeros) {
  const std::int64_t missing =
      flags_.width.value_or(0) - static_cast<std::int64_t>(CountRunes(text));
  if (!flags_.minus) {
    Fill(missing, zeros && flags_.zero ? '0' : ' ');
  }
  out_.append(text);
  if (flags_.minus) {
    Fill(missing, ' ');
  }
}

std::string_view GoFormatter::Cut(std::string_view text) const {
  return flags_.precision
             ? text.substr(0, ByteOffset(text, static_cast<std::size_t>(*flags_.precision)))
             : text;
}

void GoFormatter::Quoted(std::string_view text) {
  text = Cut(text);
  std::string quoted;
  if (flags_.sharp && CanBackquote(text)) {
    quoted.append("`").append(text).append("`");
  } else {
    AppendQuotedText(text, flags_.plus ? GoQuoting::kAscii : GoQuoting::kUnicode, &quoted);
  }
  Pad(quoted, true);
}

void GoFormatter::HexOfText(std::string_view text, bool upper) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  const std::string_view prefix = upper ? "0X" : "0x";
  if (flags_.precision) {
    text = text.substr(0, static_cast<std::size_t>(*flags_.precision));
  }
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && flags_.space) {
      hex.push_back(' ');
    }
    if (flags_.sharp && (i == 0 || flags_.space)) {
      hex.append(prefix);
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 0xF]);
  }
  Pad(hex, true);
}

void GoFormatter::String(const GoArgument& argument, std::string_view text, char32_t verb) {
  switch (verb) {
    case U'v':
      return flags_.sharp_v ? Quoted(text) : Text(text);
    case U's':
      return Text(text);
    case U'x':
    case U'X':
      return HexOfText(text, verb == U'X');
    case U'q':
      return Quoted(text);
    default:
      return BadVerb(argument, verb);
  }
}

void GoFormatter::Float(const GoArgument& argument, double number, char32_t verb) {
  switch (verb) {
    case U'v':
      return FloatText(number, 'g', -1, verb);
    case U'b':
    case U'g':
    case U'G':
    case U'x':
    case U'X':
      return FloatText(number, static_cast<char>(verb), -1, verb);
    case U'f':
    case U'e':
    case U'E':
      return FloatText(number, static_cast<char>(verb), 6, verb);
    case U'F':
      return FloatText(number, 'f', 6, verb);
    default:
      return BadVerb(argument, verb);
  }
}

void GoFormatter::Complex(const GoArgument& argument, std::complex<double> number, char32_t verb) {
  if (!std::u32string_view(U"vbgGxXfFeE").contains(verb)) {
    return BadVerb(argument, verb);
  }
  const bool plus = flags_.plus;
  out_.push_back('(');
  Float(number.real(), number.real(), verb);
  flags_.plus = true;
  Float(number.imag(), number.imag(), verb);
  out_.append("i)");
  flags_.plus = plus;
}

void GoFormatter::FloatText(double number, char format, int precision, char32_t verb) {
  precision = flags_.precision.value_or(precision);
  std::string text;
  AppendGoFloat(number, format, precision, &text);
  if (text.front() != '-') {
    text.insert(0, 1, flags_.space && !flags_.plus ? ' ' : '+');
  }
  if (flags_.sharp && format != 'b') {
    KeepZeros(format, precision, &text);
  }
  if (!flags_.plus && text.front() == '+') {
    return Pad(std::string_view(text).substr(1), true);
  }
  const auto size = static_cast<std::int64_t>(text.size());
  if (verb != 0 && flags_.zero && !flags_.minus && flags_.width.value_or(0) > size) {
    out_.push_back(text.front());
    Fill(*flags_.width - size, '0');
    out_.append(text, 1);
    return;
  }
  Pad(text, true);
}

void GoFormatter::KeepZeros(char format, int precision, std::string* text) {
  const bool hex = format == 'x' || format == 'X';
  int digits = 0;
  if (format == 'g' || format == 'G' || format == 'x') {
    digits = precision == -1 ? 6 : precision;
  }
  const std::size_t tail_at = std::min(text->find_first_of(hex ? "pP" : "eE", 1), text->size());
  const std::string tail = text->substr(tail_at);
  text->resize(tail_at);
  bool nonzero = false;
  bool point = false;
  for (const char c : std::string_view(*text).substr(1)) {
    if (c == '.') {
      point = true;
      continue;
    }
    nonzero = nonzero || c != '0';
    if (nonzero) {
      --digits;
    }
  }
  if (!point) {
    if (text->size() == 2 && (*text)[1] == '0') {
      --digits;
    }
    text->push_back('.');
  }
  if (digits > 0) {
    text->append(static_cast<std::size_t>(digits), '0');
  }
  text->append(tail);
}

int GoFormatter::BaseOf(char32_t verb) {
  switch (verb) {
    case U'v':
    case U'd':
      return 10;
    case U'b':
      return 2;
    case U'o':
    case U'O':
      return 8;
    case U'x':
    case U'X':
      return 16;
    default:
      return 0;
  }
}

std::string GoFormatter::PrefixOf(char32_t verb, bool sharp) {
  if (verb == U'O') {
    return "0o";
  }
  if (!sharp) {
    return {};
  }
  switch (verb) {
    case U'b':
      return "0b";
    case U'o':
      return "0";
    case U'x':
      return "0x";
    case U'X':
      return "0X";
    default:
      return {};
  }
}

std::string GoFormatter::SignOf(bool negative) const {
  return negative ? "-" : flags_.plus ? "+" : flags_.space ? " " : "";
}

std::string GoFormatter::DigitsOf(const BigInt& number, char32_t verb) {
  std::string digits = number.Text(BaseOf(verb));
  if (digits.front() == '-') {
    digits.erase(0, 1);
  }
  if (verb == U'X') {
    for (char& c : digits) {
      c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return digits;
}

void GoFormatter::Integer(const GoArgument& argument, std::int64_t number, char32_t verb) {
  const auto rune =
      number >= 0 && number <= 0x10FFFF ? static_cast<char32_t>(number) : kReplacementRune;
  switch (verb) {
    case U'c': {
      std::string text;
      AppendRune(rune, &text);
      return Pad(text, true);
    }
    case U'q': {
      std::string text = "'";
      const bool surrogate = rune >= 0xD800 && rune <= 0xDFFF;
      AppendQuotedRune(surrogate ? kReplacementRune : rune, '\'',
                       flags_.plus ? GoQuoting::kAscii : GoQuoting::kUnicode, &text);
      text.push_back('\'');
      return Pad(text, true);
    }
    case U'U':
      return CodePoint(number);
    default:
      break;
  }
  if (BaseOf(verb) == 0) {
    return BadVerb(argument, verb);
  }
  if (flags_.precision == 0 && number == 0) {
    return Fill(flags_.width.value_or(0), ' ');
  }
  std::string digits = DigitsOf(BigInt(number), verb);
  const std::string sign = SignOf(number < 0);
  std::int64_t least = 0;
  if (flags_.precision) {
    least = *flags_.precision;
  } else if (flags_.zero && !flags_.minus && flags_.width) {
    least = *flags_.width - static_cast<std::int64_t>(sign.size());
  }
  const auto size = static_cast<std::int64_t>(digits.size());
  if (least > size) {
    digits.insert(0, static_cast<std::size_t>(least - size), '0');
  }
  std::string prefix = PrefixOf(verb, flags_.sharp);
  if (verb == U'o' && digits.front() == '0') {
    prefix.clear();
  }
  if (verb == U'O' && flags_.sharp && digits.front() != '0') {
    prefix.push_back('0');
  }
  Pad(sign + prefix + digits, false);
}

void GoFormatter::CodePoint(std::int64_t number) {
  std::string digits = BigInt(number).Text(16);
  if (number < 0) {
    BigInt wrapped(number);
    BigInt two64(1);
    mpz_mul_2exp(two64.get(), two64.get(), 64);
    mpz_add(wrapped.get(), wrapped.get(), two64.get());
    digits = wrapped.Text(16);
  }
  for (char& c : digits) {
    c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const auto least = static_cast<std::size_t>(std::max(4, flags_.precision.value_or(4)));
  if (digits.size() < least) {
    digits.insert(0, least - digits.size(), '0');
  }
  std::string text = "U+" + digits;
  const bool is_rune = number >= 0 && number <= 0x10FFFF;
  if (flags_.sharp && is_rune && IsPrint(static_cast<char32_t>(number))) {
    text.append(" '");
    AppendRune(static_cast<char32_t>(number), &text);
    text.push_back('\'');
  }
  Pad(text, false);
}

void GoFormatter::Big(const GoArgument&, const BigInt& number, char32_t verb) {
  if (verb == U's') {
    verb = U'v';
  }
  if (BaseOf(verb) == 0) {
    out_.append("%!");
    AppendRune(verb, &out_);
    out_.append("(big.Int=").append(number.Text()).append(")");
    return;
  }
  std::string digits = DigitsOf(number, verb);
  const std::string sign = SignOf(number.sign() < 0);
  const std::string prefix = PrefixOf(verb, flags_.sharp);
  if (flags_.precision) {
    const auto least = static_cast<std::size_t>(*flags_.precision);
    if (digits.size() < least) {
      digits.insert(0, least - digits.size(), '0');
    }
  }
  const auto size = static_cast<std::int64_t>(sign.size() + prefix.size() + digits.size());
  const std::int64_t missing = flags_.width.value_or(0) - size;
  if (missing > 0 && flags_.zero && !flags_.minus && !flags_.precision) {
    digits.insert(0, static_cast<std::size_t>(missing), '0');
  }
  Pad(sign + prefix + digits, false);
}

}  // namespace portcullis::builtins
