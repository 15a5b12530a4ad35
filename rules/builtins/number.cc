#include "rules/builtins/number.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace portcullis::builtins {
namespace {

using document::Value;

// The digits of a decimal text without its point, and the power of ten that they are multiplied by.
struct Decimal {
  bool negative = false;
  std::string digits;  // No leading zeros; empty for zero.
  std::int64_t fraction_digits = 0;
  std::int64_t exponent = 0;
};

std::optional<Decimal> SplitDecimal(std::string_view text) {
  Decimal decimal;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
    decimal.negative = text[i++] == '-';
  }
  bool after_point = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (after_point) {
        return std::nullopt;
      }
      after_point = true;
    } else if (c >= '0' && c <= '9') {
      if (after_point) {
        ++decimal.fraction_digits;
      }
      if (c != '0' || !decimal.digits.empty()) {
        decimal.digits.push_back(c);
      }
    } else if (c != '_') {  // to_number hands "1_000" on.
      break;
    }
  }
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') {
      return std::nullopt;
    }
    ++i;
    if (i < text.size() && text[i] == '+') {
      ++i;
    }
    const auto parsed =
        std::from_chars(text.data() + i, text.data() + text.size(), decimal.exponent);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
      return std::nullopt;
    }
  }
  if (std::abs(decimal.exponent) > kMaxNumberBits) {
    return std::nullopt;
  }
  return decimal;
}

// 5^n to `precision` bits by the steps of Go's big.Float: exact up to 5^27, then by repeated squaring with 64 bits more.
// The roundings on the way are visible in the last digit of what is printed.
void PowerOfFive(mpfr_ptr result, mpfr_prec_t precision, std::uint64_t n) {
  constexpr std::uint64_t kExact = 27;
  mpfr_set_prec(result, precision);
  BigInt start;
  mpz_ui_pow_ui(start.get(), 5, std::min(n, kExact));
  mpfr_set_z(result, start.get(), MPFR_RNDN);
  if (n <= kExact) {
    return;
  }
  BigFloat factor(precision + 64);
  mpfr_set_ui(factor.get(), 5, MPFR_RNDN);
  for (n -= kExact; n > 0; n >>= 1) {
    if ((n & 1) != 0) {
      mpfr_mul(result, result, factor.get(), MPFR_RNDN);
    }
    mpfr_mul(factor.get(), factor.get(), factor.get(), MPFR_RNDN);
  }
}

// mantissa * 2^shift in decimal: `digits` (no zeros at the end) with the point after `point` of them.
struct Digits {
  std::string digits;
  std::int64_t point = 0;

  [[nodiscard]] char At(std::size_t i) const { return i < digits.size() ? digits[i] : '0'; }
};

Digits ExactDigits(const BigInt& mantissa, std::int64_t shift) {
  BigInt scaled;
  if (shift >= 0) {
    mpz_mul_2exp(scaled.get(), mantissa.get(), static_cast<mp_bitcnt_t>(shift));
  } else {
    // m / 2^k = m * 5^k / 10^k.
    mpz_ui_pow_ui(scaled.get(), 5, static_cast<unsigned long>(-shift));
    mpz_mul(scaled.get(), scaled.get(), mantissa.get());
  }
  Digits result;
  result.digits = scaled.Text();
  result.point = static_cast<std::int64_t>(result.digits.size()) + std::min<std::int64_t>(shift, 0);
  while (!result.digits.empty() && result.digits.back() == '0') {
    result.digits.pop_back();
  }
  return result;
}

void RoundDown(Digits& digits, std::size_t count) {
  digits.digits.resize(std::min(count, digits.digits.size()));
  while (!digits.digits.empty() && digits.digits.back() == '0') {
    digits.digits.pop_back();
  }
}

void RoundUp(Digits& digits, std::size_t count) {
  if (count >= digits.digits.size()) {
    return;
  }
  digits.digits.resize(count);
  while (!digits.digits.empty() && digits.digits.back() == '9') {
    digits.digits.pop_back();
  }
  if (digits.digits.empty()) {
    digits.digits = "1";
    ++digits.point;
  } else {
    ++digits.digits.back();
  }
}

void RoundNearest(Digits& digits, std::size_t count) {
  if (count >= digits.digits.size()) {
    return;
  }
  const bool half = digits.digits[count] == '5' && count + 1 == digits.digits.size();
  const bool up =
      half ? count > 0 && (digits.digits[count - 1] - '0') % 2 != 0 : digits.digits[count] >= '5';
  if (up) {
    RoundUp(digits, count);
  } else {
    RoundDown(digits, count);
  }
}

// The fewest digits that lie nearer to the number than to its neighbours of the same precision.
Digits ShortestDigits(mpfr_srcptr number) {
  BigInt mantissa;
  std::int64_t exponent = mpfr_get_z_2exp(mantissa.get(), number);
  mpz_abs(mantissa.get(), mantissa.get());
  Digits exact = ExactDigits(mantissa, exponent);
  // The mantissa has all bits of the precision; one more makes its last bit half a unit.
  const bool inclusive = mpz_even_p(mantissa.get()) != 0;
  mpz_mul_2exp(mantissa.get(), mantissa.get(), 1);
  --exponent;
  BigInt bound;
  mpz_sub_ui(bound.get(), mantissa.get(), 1);
  const Digits lower = ExactDigits(bound, exponent);
  mpz_add_ui(bound.get(), mantissa.get(), 1);
  const Digits upper = ExactDigits(bound, exponent);
  for (std::size_t i = 0; i < exact.digits.size(); ++i) {
    const char digit = exact.digits[i];
    const bool down = lower.At(i) != digit || (inclusive && i + 1 == lower.digits.size());
    const bool up = digit != upper.At(i) &&
                    (inclusive || digit + 1 < upper.At(i) || i + 1 < upper.digits.size());
    if (down && up) {
      RoundNearest(exact, i + 1);
      return exact;
    }
    if (down) {
      RoundDown(exact, i + 1);
      return exact;
    }
    if (up) {
      RoundUp(exact, i + 1);
      return exact;
    }
  }
  return exact;
}

std::string PlainText(const Digits& digits) {
  std::string text;
  if (digits.point <= 0) {
    text = "0.";
    text.append(static_cast<std::size_t>(-digits.point), '0');
    return text + digits.digits;
  }
  const auto point = static_cast<std::size_t>(digits.point);
  for (std::size_t i = 0; i < point; ++i) {
    text.push_back(digits.At(i));
  }
  if (digits.digits.size() > point) {
    text.append(".").append(digits.digits, point);
  }
  return text;
}

std::string ExponentText(const Digits& digits) {
  std::string text(1, digits.At(0));
  if (digits.digits.size() > 1) {
    text.append(".").append(digits.digits, 1);
  }
  const std::int64_t exponent = digits.point - 1;
  const std::string magnitude = std::to_string(std::abs(exponent));
  text.append(exponent < 0 ? "e-" : "e+");
  if (magnitude.size() < 2) {
    text.push_back('0');
  }
  return text + magnitude;
}

}  // namespace

std::string BigInt::Text(int base) const {
  std::string text(mpz_sizeinbase(number_, base) + 2, '\0');
  mpz_get_str(text.data(), base, number_);
  text.resize(text.find('\0'));
  return text;
}

BigFloat BigFloat::FromInt(const BigInt& value) {
  BigFloat result(std::max<mpfr_prec_t>(kPrecision, static_cast<mpfr_prec_t>(value.bits())));
  mpfr_set_z(result.get(), value.get(), MPFR_RNDN);
  return result;
}

BigInt BigFloat::Truncated() const {
  BigInt result;
  mpfr_get_z(result.get(), number_, MPFR_RNDZ);
  return result;
}

std::string BigFloat::Text() const {
  const std::string sign = mpfr_signbit(number_) != 0 ? "-" : "";
  if (mpfr_zero_p(number_) != 0) {
    return sign + "0";
  }
  if (mpfr_inf_p(number_) != 0) {
    return sign.empty() ? "+Inf" : "-Inf";
  }
  const Digits digits = ShortestDigits(number_);
  if (mpfr_integer_p(number_) != 0) {
    return sign + PlainText(digits);
  }
  const std::int64_t exponent = digits.point - 1;
  return sign + (exponent < -4 || exponent >= 6 ? ExponentText(digits) : PlainText(digits));
}

std::optional<BigInt> ParseBigInt(std::string_view text) {
  std::string digits(text);
  if (!digits.empty() && digits.front() == '+') {
    digits.erase(0, 1);
  }
  const std::size_t first = !digits.empty() && digits.front() == '-' ? 1 : 0;
  if (digits.size() == first ||
      digits.find_first_not_of("0123456789", first) != std::string::npos) {
    return std::nullopt;
  }
  BigInt result;
  mpz_set_str(result.get(), digits.c_str(), 10);
  return result;
}

std::optional<BigInt> ToBigInt(const Value& number) {
  if (number.is_int()) {
    return BigInt(number.integer());
  }
  auto decimal = SplitDecimal(document::NumberText(number));
  if (!decimal) {
    return std::nullopt;
  }
  BigInt result;
  if (decimal->digits.empty()) {
    return result;
  }
  std::int64_t power = decimal->exponent - decimal->fraction_digits;
  for (; power < 0 && decimal->digits.back() == '0'; ++power) {
    decimal->digits.pop_back();
  }
  if (power < 0) {
    return std::nullopt;
  }
  mpz_set_str(result.get(), decimal->digits.c_str(), 10);
  if (power > 0) {
    BigInt scale;
    mpz_ui_pow_ui(scale.get(), 10, static_cast<unsigned long>(power));
    mpz_mul(result.get(), result.get(), scale.get());
  }
  if (decimal->negative) {
    mpz_neg(result.get(), result.get());
  }
  return result;
}

std::optional<BigFloat> ToBigFloat(const Value& number) {
  BigFloat result;
  if (number.is_int()) {
    mpfr_set_si(result.get(), number.integer(), MPFR_RNDN);
    return result;
  }
  const auto decimal = SplitDecimal(document::NumberText(number));
  if (!decimal) {
    return std::nullopt;
  }
  if (!decimal->digits.empty()) {
    BigInt mantissa;
    mpz_set_str(mantissa.get(), decimal->digits.c_str(), 10);
    const std::int64_t power = decimal->exponent - decimal->fraction_digits;
    if (power == 0) {
      mpfr_set_z(result.get(), mantissa.get(), MPFR_RNDN);
    } else {
      const BigFloat whole = BigFloat::FromInt(mantissa);
      BigFloat scale;
      PowerOfFive(scale.get(), BigFloat::kPrecision + 64,
                  static_cast<std::uint64_t>(std::abs(power)));
      if (power < 0) {
        mpfr_div(result.get(), whole.get(), scale.get(), MPFR_RNDN);
      } else {
        mpfr_mul(result.get(), whole.get(), scale.get(), MPFR_RNDN);
      }
      mpfr_mul_2si(result.get(), result.get(), static_cast<long>(power), MPFR_RNDN);
    }
  }
  if (decimal->negative) {
    mpfr_neg(result.get(), result.get(), MPFR_RNDN);
  }
  return result;
}

bool IsEvaluable(const Value& number) {
  constexpr mpfr_exp_t kLargestExponent = 100000;
  if (!number.is_decimal()) {
    return true;
  }
  const std::string text = document::NumberText(number);
  if (text.find_first_of("eE") == std::string::npos) {
    return true;
  }
  const auto value = ToBigFloat(number);
  return value && (mpfr_zero_p(value->get()) != 0 ||
                   std::abs(mpfr_get_exp(value->get())) <= kLargestExponent);
}

bool IsDecimalText(std::string_view text) {
  const auto digits_from = [&](std::size_t i) {
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
      ++i;
    }
    return i;
  };
  const auto is_sign = [&](std::size_t i) {
    return i < text.size() && (text[i] == '+' || text[i] == '-');
  };
  const std::size_t begin = is_sign(0) ? 1 : 0;
  std::size_t i = digits_from(begin);
  std::size_t digits = i - begin;
  if (i < text.size() && text[i] == '.') {
    const std::size_t end = digits_from(i + 1);
    digits += end - i - 1;
    i = end;
  }
  if (digits == 0) {
    return false;
  }
  if (i == text.size()) {
    return true;
  }
  if (text[i] != 'e' && text[i] != 'E') {
    return false;
  }
  if (is_sign(++i)) {
    ++i;
  }
  return i < text.size() && digits_from(i) == text.size();
}

std::string ToJsonNumber(std::string_view text) {
  std::string number = text.starts_with('-') ? "-" : "";
  if (text.starts_with('-') || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const std::size_t whole_end = std::min(text.find_first_of(".eE"), text.size());
  const std::string_view whole = text.substr(0, whole_end);
  const std::size_t first = std::min(whole.find_first_not_of('0'), whole.size());
  number.append(first == whole.size() ? "0" : whole.substr(first));
  text.remove_prefix(whole_end);
  const std::size_t fraction_end = std::min(text.find_first_of("eE"), text.size());
  if (fraction_end > 1) {
    number.append(text.substr(0, fraction_end));
  }
  return number.append(text.substr(fraction_end));
}

Value ToValue(const BigInt& number, document::Arena& arena) {
  if (mpz_fits_slong_p(number.get()) != 0) {
    return Value::Int(mpz_get_si(number.get()));
  }
  return Value::Decimal(arena.CopyString(number.Text()));
}

Value ToValue(const BigFloat& number, document::Arena& arena) {
  return Value::Decimal(arena.CopyString(number.Text()));
}

}  // namespace portcullis::builtins
