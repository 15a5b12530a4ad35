#include "rules/builtins/go_format.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "document/json.h"
#include "rules/builtins/go_format_internal.h"
#include "rules/builtins/number.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

using document::Value;

constexpr int kLargest = 1000000;  // Of a width, a precision or the number of an argument.

struct Flags {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool sharp_v = false;  // %#v
  std::optional<int> width;
  std::optional<int> precision;
};

GoArgument ToArgument(const Value& value) {
  if (value.is_int()) {
    return value.integer();
  }
  if (value.is_string()) {
    return std::string(value.string());
  }
  if (!value.is_number()) {
    return document::ToRego(value);
  }
  std::string text = document::NumberText(value);
  if (text.find_first_of(".eE") != std::string::npos) {
    const double number = document::ToDouble(value);
    if (std::isfinite(number)) {
      return number;
    }
  } else if (const auto small = document::ToInt64(value)) {
    return *small;  // "-0", and what to_number makes of "+1" and "01".
  } else if (auto whole = ParseBigInt(text)) {
    return *std::move(whole);
  }
  return text;
}

class Formatter {
 public:
  Formatter(std::string_view format, const Value& arguments, std::size_t limit_bytes,
            std::string* out)
      : format_(format), values_(&arguments), limit_bytes_(limit_bytes), out_(*out) {}
  Formatter(std::string_view format, std::span<const GoArgument> arguments, std::size_t limit_bytes,
            std::string* out)
      : format_(format), arguments_(arguments), limit_bytes_(limit_bytes), out_(*out) {}

  void Run() {
    while (at_ < format_.size() && out_.size() <= limit_bytes_) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_.append(format_, at_, percent - at_);
      at_ = percent;
      if (at_ < format_.size()) {
        ++at_;
        Directive();
      }
    }
    if (!reordered_ && next_ < count()) {
      Extra();
    }
  }

  void Print(const GoArgument& argument, char32_t verb) {
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

 private:
  [[nodiscard]] std::uint32_t count() const {
    return values_ != nullptr ? values_->size() : static_cast<std::uint32_t>(arguments_.size());
  }
  [[nodiscard]] GoArgument At(std::uint32_t i) const {
    return values_ != nullptr ? ToArgument(values_->ItemAt(i)) : arguments_[i];
  }

  // One "%…" whose percent sign has been read.
  void Directive() {
    // Most are plain.
    if (values_ != nullptr && at_ < format_.size() && next_ < count() &&
        (format_[at_] == 'v' || format_[at_] == 's')) {
      const Value item = values_->ItemAt(next_);
      if (item.is_string()) {
        out_.append(item.string());
        ++next_;
        ++at_;
        return;
      }
    }
    flags_ = {};
    good_index_ = true;
    after_index_ = false;
    ReadFlags();
    ReadIndex();
    ReadWidth();
    ReadPrecision();
    if (!after_index_) {
      ReadIndex();
    }
    if (at_ >= format_.size()) {
      out_.append("%!(NOVERB)");
      return;
    }
    const Rune verb = DecodeRune(format_.substr(at_));
    at_ += verb.width;
    Verb(verb.value);
  }

  void ReadFlags() {
    for (; at_ < format_.size(); ++at_) {
      switch (format_[at_]) {
        case '#':
          flags_.sharp = true;
          break;
        case '0':
          flags_.zero = true;
          break;
        case '+':
          flags_.plus = true;
          break;
        case '-':
          flags_.minus = true;
          break;
        case ' ':
          flags_.space = true;
          break;
        default:
          return;
      }
    }
  }

  // Digits up to `end`, with at_ moved behind them; a number that is too large swallows the rest.
  std::optional<int> ReadNumber(std::size_t end) {
    std::optional<int> number;
    for (; at_ < end && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      if (number.value_or(0) > kLargest) {
        at_ = end;
        return std::nullopt;
      }
      number = number.value_or(0) * 10 + (format_[at_] - '0');
    }
    return number;
  }

  // "[3]": the argument to take next.
  void ReadIndex() {
    after_index_ = false;
    if (at_ >= format_.size() || format_[at_] != '[') {
      return;
    }
    reordered_ = true;
    const std::size_t open = at_;
    const std::size_t close =
        format_.size() - open < 3 ? std::string_view::npos : format_.find(']', open + 1);
    if (close == std::string_view::npos) {
      good_index_ = false;
      at_ = open + 1;
      return;
    }
    ++at_;
    const std::optional<int> number = at_ < close ? ReadNumber(close) : std::nullopt;
    const bool read = number.has_value() && at_ == close;
    at_ = close + 1;
    after_index_ = read;
    if (read && *number >= 1 && static_cast<std::uint32_t>(*number) <= count()) {
      next_ = static_cast<std::uint32_t>(*number) - 1;
    } else {
      good_index_ = false;
    }
  }

  // "*": the next argument as a width or precision.
  std::optional<int> ReadStar() {
    if (next_ >= count()) {
      return std::nullopt;
    }
    const GoArgument item = At(next_++);
    std::int64_t number = kLargest + 1;
    if (const auto* given = std::get_if<std::int64_t>(&item)) {
      number = *given;
    } else if (const auto* whole = std::get_if<GoInt>(&item)) {
      number = whole->value;
    } else if (const auto* byte = std::get_if<std::uint8_t>(&item)) {
      number = *byte;
    }
    return std::abs(number) > kLargest ? std::nullopt : std::optional(static_cast<int>(number));
  }

  void ReadWidth() {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      flags_.width = ReadStar();
      if (!flags_.width) {
        out_.append("%!(BADWIDTH)");
      }
      if (flags_.width.value_or(0) < 0) {
        flags_.width = -*flags_.width;
        flags_.minus = true;
        flags_.zero = false;
      }
      after_index_ = false;
      return;
    }
    flags_.width = ReadNumber(format_.size());
    if (after_index_ && flags_.width) {
      good_index_ = false;
    }
  }

  void ReadPrecision() {
    if (at_ + 1 >= format_.size() || format_[at_] != '.') {
      return;
    }
    ++at_;
    if (after_index_) {
      good_index_ = false;
    }
    ReadIndex();
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      flags_.precision = ReadStar();
      if (flags_.precision.value_or(0) < 0) {
        flags_.precision.reset();
      }
      if (!flags_.precision) {
        out_.append("%!(BADPREC)");
      }
      after_index_ = false;
      return;
    }
    flags_.precision = ReadNumber(format_.size()).value_or(0);
  }

  void Verb(char32_t verb) {
    if (verb == U'%') {
      out_.push_back('%');
    } else if (!good_index_) {
      Complain(verb, "BADINDEX");
    } else if (next_ >= count()) {
      Complain(verb, "MISSING");
    } else {
      if (verb == U'v' || verb == U'w') {
        flags_.sharp_v = std::exchange(flags_.sharp, false);
        flags_.plus = false;
      }
      Print(At(next_++), verb);
    }
  }

  void Complain(char32_t verb, std::string_view what) {
    out_.append("%!");
    AppendRune(verb, &out_);
    out_.append("(").append(what).append(")");
  }

  void Extra() {
    flags_ = {};
    out_.append("%!(EXTRA ");
    for (std::uint32_t i = next_; i < count() && out_.size() <= limit_bytes_; ++i) {
      if (i > next_) {
        out_.append(", ");
      }
      const GoArgument argument = At(i);
      if (std::holds_alternative<GoNil>(argument)) {
        out_.append("<nil>");
        continue;
      }
      out_.append(GoTypeName(argument)).push_back('=');
      Print(argument, U'v');
    }
    out_.push_back(')');
  }

  void BadVerb(const GoArgument& argument, char32_t verb) {
    out_.append("%!");
    AppendRune(verb, &out_);
    out_.append("(").append(GoTypeName(argument)).append("=");
    Print(argument, U'v');
    out_.push_back(')');
  }

  void Boolean(const GoArgument& argument, bool truth, char32_t verb) {
    if (verb == U't' || verb == U'v') {
      Pad(truth ? "true" : "false", true);
    } else {
      BadVerb(argument, verb);
    }
  }

  void Nil(char32_t verb) {
    if (verb == U'v') {
      return Pad("<nil>", true);
    }
    out_.append("%!");
    AppendRune(verb, &out_);
    out_.append("(<nil>)");
  }

  // An item of an array or a value of an object, which are interfaces.
  void Item(const Value& item, char32_t verb) {
    if (item.is_null()) {
      out_.append(flags_.sharp_v ? "interface {}(nil)" : "<nil>");
    } else {
      Print(ToGoArgument(item), verb);
    }
  }

  void Container(const Value& value, char32_t verb) {
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

  void Fill(std::int64_t missing, char fill) {
    if (missing > 0) {
      out_.append(static_cast<std::size_t>(missing), fill);
    }
  }

  // `text` filled up to the width, on the left with zeros where the flags say so.
  void Pad(std::string_view text, bool zeros) {
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

  std::string_view Cut(std::string_view text) const {
    return flags_.precision
               ? text.substr(0, ByteOffset(text, static_cast<std::size_t>(*flags_.precision)))
               : text;
  }

  void Text(std::string_view text) { Pad(Cut(text), true); }

  void Quoted(std::string_view text) {
    text = Cut(text);
    std::string quoted;
    if (flags_.sharp && CanBackquote(text)) {
      quoted.append("`").append(text).append("`");
    } else {
      AppendQuotedText(text, flags_.plus ? GoQuoting::kAscii : GoQuoting::kUnicode, &quoted);
    }
    Pad(quoted, true);
  }

  void HexOfText(std::string_view text, bool upper) {
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

  void String(const GoArgument& argument, std::string_view text, char32_t verb) {
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

  void Float(const GoArgument& argument, double number, char32_t verb) {
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

  void Complex(const GoArgument& argument, std::complex<double> number, char32_t verb) {
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

  void FloatText(double number, char format, int precision, char32_t verb) {
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

  // %#g: the point always stands, and so do the zeros after it.
  static void KeepZeros(char format, int precision, std::string* text) {
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

  // The base of an integer verb, or 0.
  static int BaseOf(char32_t verb) {
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

  static std::string PrefixOf(char32_t verb, bool sharp) {
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

  std::string SignOf(bool negative) const {
    return negative ? "-" : flags_.plus ? "+" : flags_.space ? " " : "";
  }

  static std::string DigitsOf(const BigInt& number, char32_t verb) {
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

  void Integer(const GoArgument& argument, std::int64_t number, char32_t verb) {
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

  void CodePoint(std::int64_t number) {
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

  void Big(const GoArgument&, const BigInt& number, char32_t verb) {
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

  const std::string_view format_;
  // Either of the two.
  const Value* const values_ = nullptr;
  const std::span<const GoArgument> arguments_;
  const std::size_t limit_bytes_;
  std::string& out_;
  std::size_t at_ = 0;      // In format_.
  std::uint32_t next_ = 0;  // The argument that the next verb takes.
  bool reordered_ = false;  // An index was given: left-over arguments are fine.
  bool good_index_ = true;  // Of the current directive.
  bool after_index_ = false;
  Flags flags_;
};

}  // namespace

GoArgument ToGoArgument(const Value& json) {
  if (json.is_null()) {
    return GoNil();
  }
  if (json.is_boolean()) {
    return json.is_true();
  }
  if (json.is_number()) {
    return GoJsonNumber{document::NumberText(json)};
  }
  return json.is_string() ? GoArgument(std::string(json.string())) : GoArgument(json);
}

std::string_view GoTypeName(const GoArgument& argument) {
  if (const auto* container = std::get_if<Value>(&argument)) {
    return container->is_object() ? "map[string]interface {}" : "[]interface {}";
  }
  constexpr std::string_view kNames[] = {"int64", "float64",     "*big.Int", "string",
                                         "<nil>", "json.Number", "bool",     "uint8",
                                         "int",   "complex128"};
  return kNames[argument.index()];
}

void FormatGo(std::string_view format, const Value& arguments, std::size_t limit_bytes,
              std::string* out) {
  Formatter(format, arguments, limit_bytes, out).Run();
}

void FormatGo(std::string_view format, std::span<const GoArgument> arguments,
              std::size_t limit_bytes, std::string* out) {
  Formatter(format, arguments, limit_bytes, out).Run();
}

void AppendGo(const GoArgument& argument, std::size_t limit_bytes, std::string* out) {
  Formatter({}, std::span<const GoArgument>(), limit_bytes, out).Print(argument, U'v');
}

}  // namespace portcullis::builtins
