#include "document/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>

#include <xxhash.h>

namespace portcullis::document {
namespace {

// Exponents are cut to this, far from where their sums with lengths could overflow.
constexpr std::int64_t kMostExponent = 100'000'000'000'000'000;
// Whole doubles below this are exact, and so are their shortest spellings.
constexpr double kExactDouble = 9007199254740992.0;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// 0.HEADTAIL * 10^exponent, without leading and trailing zeros; no digits at all for zero.
struct Digits {
  bool negative = false;
  std::string_view head;
  std::string_view tail;
  std::int64_t exponent = 0;

  [[nodiscard]] std::size_t size() const { return head.size() + tail.size(); }
  [[nodiscard]] bool is_zero() const { return head.empty() && tail.empty(); }
  [[nodiscard]] char at(std::size_t i) const {
    return i < head.size() ? head[i] : tail[i - head.size()];
  }
  [[nodiscard]] int sign() const { return is_zero() ? 0 : negative ? -1 : 1; }
};

std::int64_t ParseExponent(std::string_view text) {
  const bool negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') {
    text.remove_prefix(1);
  }
  std::int64_t value = 0;
  for (const char c : text) {
    value = std::min(value * 10 + (c - '0'), kMostExponent);
  }
  return negative ? -value : value;
}

void StripTrailingZeros(std::string_view* text) {
  const std::size_t last = text->find_last_not_of('0');
  *text = text->substr(0, last == std::string_view::npos ? 0 : last + 1);
}

Digits ParseDigits(std::string_view text) {
  Digits digits;
  digits.negative = text.starts_with('-');
  if (digits.negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    digits.exponent = ParseExponent(text.substr(e + 1));
    text = text.substr(0, e);
  }
  const std::size_t point = text.find('.');
  digits.head = text.substr(0, point);
  digits.tail = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  digits.exponent += static_cast<std::int64_t>(digits.head.size());
  for (std::string_view* part : {&digits.head, &digits.tail}) {
    const std::size_t zeros = std::min(part->find_first_not_of('0'), part->size());
    part->remove_prefix(zeros);
    digits.exponent -= static_cast<std::int64_t>(zeros);
    if (!part->empty()) {
      break;
    }
  }
  StripTrailingZeros(&digits.tail);
  if (digits.tail.empty()) {
    StripTrailingZeros(&digits.head);
  }
  return digits;
}

// The spelling of a number, which for a float and an int64 is made in place.
class Spelling {
 public:
  explicit Spelling(const Value& number) {
    if (number.is_decimal()) {
      text_ = number.decimal_text();
      return;
    }
    const std::to_chars_result end =
        number.is_int() ? std::to_chars(buffer_.begin(), buffer_.end(), number.integer())
                        : std::to_chars(buffer_.begin(), buffer_.end(), number.float_number(),
                                        std::chars_format::scientific);
    text_ = {buffer_.begin(), end.ptr};
  }
  Spelling(const Spelling&) = delete;
  Spelling& operator=(const Spelling&) = delete;

  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::array<char, 40> buffer_;
  std::string_view text_;
};

std::strong_ordering CompareDigits(const Digits& a, const Digits& b) {
  if (a.sign() != b.sign() || a.is_zero()) {
    return a.sign() <=> b.sign();
  }
  const auto signed_order = [&](auto left, auto right) {
    return a.negative ? right <=> left : left <=> right;
  };
  if (a.exponent != b.exponent) {
    return signed_order(a.exponent, b.exponent);
  }
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.at(i) != b.at(i)) {
      return signed_order(a.at(i), b.at(i));
    }
  }
  return signed_order(a.size(), b.size());
}

std::optional<std::int64_t> WholeInt64(const Digits& digits) {
  if (digits.is_zero()) {
    return 0;
  }
  if (digits.exponent > 19 || digits.exponent < static_cast<std::int64_t>(digits.size())) {
    return std::nullopt;
  }
  std::uint64_t magnitude = 0;  // Nineteen digits fit.
  for (std::int64_t i = 0; i < digits.exponent; ++i) {
    const auto at = static_cast<std::size_t>(i);
    magnitude =
        magnitude * 10 + (at < digits.size() ? static_cast<std::uint64_t>(digits.at(at) - '0') : 0);
  }
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kMost + (digits.negative ? 1 : 0)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(digits.negative ? 0 - magnitude : magnitude);
}

bool IsExactWhole(double value) {
  return std::abs(value) < kExactDouble && std::trunc(value) == value;
}

// REQUIRES: |b| < kExactDouble, where no whole number lies between a double and its spelling.
std::strong_ordering CompareIntFloat(std::int64_t a, double b) {
  const double whole = std::floor(b);
  const auto floor = static_cast<std::int64_t>(whole);
  if (a != floor) {
    return a <=> floor;
  }
  return whole == b ? std::strong_ordering::equal : std::strong_ordering::less;
}

}  // namespace

bool IsJsonNumber(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && IsDigit(text[at])) {
      ++at;
    }
    return at > from;
  };
  if (text.starts_with('-')) {
    ++at;
  }
  if (at < text.size() && text[at] == '0') {
    ++at;
  } else if (!digits()) {
    return false;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) {
      return false;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
      ++at;
    }
    if (!digits()) {
      return false;
    }
  }
  return at == text.size();
}

std::optional<std::int64_t> CanonicalInt64(std::string_view text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (first == text.size() || (text[first] == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) {
    return std::nullopt;
  }
  return value;
}

double DecimalToDouble(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc::result_out_of_range) {
    const Digits digits = ParseDigits(text);
    const double magnitude = digits.exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return digits.negative ? -magnitude : magnitude;
  }
  return value;
}

void AppendGoFloat(double value, std::string* out) {
  std::array<char, 40> buffer;
  const auto scientific =
      std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  const std::string_view text(buffer.begin(), scientific.ptr);
  const std::int64_t exponent = ParseExponent(text.substr(text.find('e') + 1));
  // Go's rule for shortest digits; both write at least two digits of exponent.
  if (exponent < -4 || exponent >= 6) {
    *out += text;
    return;
  }
  const auto fixed = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::fixed);
  out->append(buffer.begin(), fixed.ptr);
}

std::strong_ordering CompareNumbers(const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) {
    return a.integer() <=> b.integer();
  }
  if (a.is_float() && b.is_float()) {
    // Shortest spellings are in the order of their doubles.
    const double left = a.float_number();
    const double right = b.float_number();
    return left < right   ? std::strong_ordering::less
           : left > right ? std::strong_ordering::greater
                          : std::strong_ordering::equal;
  }
  if (a.is_int() && b.is_float() && std::abs(b.float_number()) < kExactDouble) {
    return CompareIntFloat(a.integer(), b.float_number());
  }
  if (a.is_float() && b.is_int() && std::abs(a.float_number()) < kExactDouble) {
    return 0 <=> CompareIntFloat(b.integer(), a.float_number());
  }
  const Spelling left(a);
  const Spelling right(b);
  return CompareDigits(ParseDigits(left.text()), ParseDigits(right.text()));
}

std::uint64_t HashNumber(const Value& number) {
  const auto hash_int = [](std::int64_t value) { return XXH3_64bits(&value, sizeof(value)); };
  if (number.is_int()) {
    return hash_int(number.integer());
  }
  if (number.is_float() && IsExactWhole(number.float_number())) {
    return hash_int(static_cast<std::int64_t>(number.float_number()));
  }
  const Spelling spelling(number);
  const Digits digits = ParseDigits(spelling.text());
  if (const auto whole = WholeInt64(digits)) {
    return hash_int(*whole);
  }
  const auto seed =
      static_cast<std::uint64_t>(digits.exponent) * 2 + (digits.negative ? std::uint64_t{1} : 0);
  if (digits.tail.empty()) {
    return XXH3_64bits_withSeed(digits.head.data(), digits.head.size(), seed);
  }
  const std::string joined = std::string(digits.head) + std::string(digits.tail);
  return XXH3_64bits_withSeed(joined.data(), joined.size(), seed);
}

void AppendNumber(const Value& number, std::string* out) {
  if (number.is_float()) {
    AppendGoFloat(number.float_number(), out);
    return;
  }
  const Spelling spelling(number);
  *out += spelling.text();
}

void AppendJsonNumber(const Value& number, std::string* out) {
  const std::size_t begin = out->size();
  AppendNumber(number, out);
  if (!number.is_decimal() || IsJsonNumber(std::string_view(*out).substr(begin))) {
    return;
  }
  const std::string spelt = out->substr(begin);
  std::string_view text = spelt;
  out->resize(begin);
  *out += text.starts_with('-') ? "-" : "";
  text.remove_prefix(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  const std::string_view whole = text.substr(0, text.find_first_of(".eE"));
  text.remove_prefix(whole.size());
  const std::size_t zeros = whole.find_first_not_of('0');
  *out += zeros == std::string_view::npos ? "0" : whole.substr(zeros);
  const std::string_view fraction = text.substr(0, text.find_first_of("eE"));
  text.remove_prefix(fraction.size());
  *out += fraction.size() > 1 ? fraction : std::string_view();
  *out += text;
}

std::string NumberText(const Value& number) {
  std::string text;
  AppendNumber(number, &text);
  return text;
}

double ToDouble(const Value& number) {
  if (number.is_int()) {
    return static_cast<double>(number.integer());
  }
  return number.is_float() ? number.float_number() : DecimalToDouble(number.decimal_text());
}

std::optional<std::int64_t> ToInt64(const Value& number) {
  if (number.is_int()) {
    return number.integer();
  }
  const Spelling spelling(number);
  return WholeInt64(ParseDigits(spelling.text()));
}

std::optional<std::int64_t> AsGoInt(const Value& number) {
  if (number.is_int()) {
    return number.integer();
  }
  const Spelling spelling(number);
  const std::string_view text = spelling.text();
  // At most nineteen characters behind the sign, as there.
  if (text.size() > (text.starts_with('-') ? 20 : 19) || text.find_first_of("eE") != text.npos) {
    return std::nullopt;
  }
  return WholeInt64(ParseDigits(text));
}

Value Value::Float(double value) {
  if (std::abs(value) < 1e6 && std::trunc(value) == value && !(value == 0 && std::signbit(value))) {
    return Int(static_cast<std::int64_t>(value));
  }
  Value result(Tag::kFloat, 0);
  result.payload_.real = value;
  return result;
}

Value Value::Decimal(std::string_view text) {
  if (const auto whole = CanonicalInt64(text)) {
    return Int(*whole);
  }
  Value result(Tag::kDecimal, static_cast<std::uint32_t>(text.size()));
  result.payload_.text = text.data();
  return result;
}

}  // namespace portcullis::document
