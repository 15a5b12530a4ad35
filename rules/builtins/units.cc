// units.parse and units.parse_bytes. SOURCE: OPA's policy reference, "Units".

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

constexpr std::size_t kMaxExponentDigits = 6;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

struct Quantity {
  std::string number;
  std::string unit;
};

// Cuts where the number ends: an "e" belongs to it only before an exponent. Nothing where the exponent is too long.
std::optional<Quantity> Cut(const std::string& text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsDigit(c) || c == '.' || c == '+' || c == '-') {
      continue;
    }
    const char next = at(i + 1);
    const bool sign = next == '+' || next == '-';
    if ((c != 'e' && c != 'E') || (!IsDigit(next) && !sign)) {
      return Quantity{text.substr(0, i), text.substr(i)};
    }
    if (sign) {
      ++i;
    }
    std::size_t end = i + 1;
    while (IsDigit(at(end))) {
      ++end;
    }
    if (end - i - 1 > kMaxExponentDigits) {
      return std::nullopt;
    }
  }
  return Quantity{text, ""};
}

// What is wrong with `text` before its unit is looked at, or the quantity in it.
std::optional<Quantity> Read(CallContext& context, std::string text, const std::string& builtin,
                             const std::string& what) {
  std::erase(text, '"');
  if (text.contains(' ')) {
    context.Fail(builtin + ": spaces not allowed in resource strings");
    return std::nullopt;
  }
  auto quantity = Cut(text);
  if (!quantity) {
    context.Fail(builtin + ": exponent too large");
  } else if (quantity->number.empty()) {
    context.Fail(builtin + ": no " + what + " provided");
    quantity.reset();
  }
  return quantity;
}

std::string Lower(std::string_view text) {
  std::string lower;
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = DecodeRune(text.substr(i));
    AppendRune(ToLower(rune.value), &lower);
    i += rune.width;
  }
  return lower;
}

// The power of 1000 that k, m, g, t, p and e stand for; 0 for anything else.
int PowerOf(char letter) {
  const std::size_t power = std::string_view("kmgtpe").find(letter);
  return power == std::string_view::npos ? 0 : static_cast<int>(power) + 1;
}

BigInt Multiplier(int power, bool binary) {
  BigInt result;
  mpz_ui_pow_ui(result.get(), binary ? 1024 : 1000, static_cast<unsigned long>(power));
  return result;
}

Value ParseBytes(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto quantity = Read(context, Lower(*text), "units.parse_bytes", "byte amount");
  if (!quantity) {
    return {};
  }
  std::string_view unit = quantity->unit;
  BigInt multiplier(1);
  if (!unit.empty()) {
    const int power = PowerOf(unit.front());
    unit.remove_prefix(1);
    const bool binary = unit.starts_with('i');
    if (binary) {
      unit.remove_prefix(1);
    }
    if (power == 0 || (!unit.empty() && unit != "b")) {
      return context.Fail("units.parse_bytes: byte unit " + quantity->unit + " not recognized");
    }
    multiplier = Multiplier(power, binary);
  }
  if (!IsDecimalText(quantity->number)) {
    return context.Fail("units.parse_bytes: could not parse byte amount to a number");
  }
  auto amount = ToBigFloat(Value::Decimal(ToJsonNumber(quantity->number)));
  if (!amount) {
    return context.Fail("units.parse_bytes: exponent too large");
  }
  mpfr_mul_z(amount->get(), amount->get(), multiplier.get(), MPFR_RNDN);
  return ToValue(amount->Truncated(), context.arena);
}

class Rational {
 public:
  Rational() { mpq_init(value_); }
  Rational(const Rational&) = delete;
  Rational& operator=(const Rational&) = delete;
  ~Rational() { mpq_clear(value_); }
  mpq_ptr get() { return value_; }

  // REQUIRES: IsDecimalText, with an exponent of few digits.
  void SetDecimal(std::string_view text) {
    const std::size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
    std::string digits(text.substr(0, exponent_at));
    long exponent =
        exponent_at < text.size() ? std::stol(std::string(text.substr(exponent_at + 1))) : 0;
    if (const std::size_t point = digits.find('.'); point != std::string::npos) {
      exponent -= static_cast<long>(digits.size() - point - 1);
      digits.erase(point, 1);
    }
    if (digits.starts_with('+')) {
      digits.erase(0, 1);
    }
    mpz_set_str(mpq_numref(value_), digits.c_str(), 10);
    BigInt power;
    mpz_ui_pow_ui(power.get(), 10, static_cast<unsigned long>(std::labs(exponent)));
    if (exponent >= 0) {
      mpz_mul(mpq_numref(value_), mpq_numref(value_), power.get());
    } else {
      mpz_set(mpq_denref(value_), power.get());
    }
    mpq_canonicalize(value_);
  }

  // With ten decimals, halves away from zero.
  std::string FixedText() {
    const bool negative = mpq_sgn(value_) < 0;
    BigInt scaled;
    mpz_abs(scaled.get(), mpq_numref(value_));
    mpz_mul_ui(scaled.get(), scaled.get(), 20000000000UL);
    mpz_add(scaled.get(), scaled.get(), mpq_denref(value_));
    BigInt divisor;
    mpz_mul_ui(divisor.get(), mpq_denref(value_), 2);
    mpz_tdiv_q(scaled.get(), scaled.get(), divisor.get());
    std::string text = scaled.Text();
    if (text.size() < 11) {
      text.insert(0, 11 - text.size(), '0');
    }
    text.insert(text.size() - 10, ".");
    return (negative ? "-" : "") + text;
  }

 private:
  mpq_t value_;
};

Value Parse(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto quantity = Read(context, std::string(*text), "units.parse", "amount");
  if (!quantity) {
    return {};
  }
  // Only the case of the first letter counts, and only of "m": milli, and "M": mega.
  std::string unit = quantity->unit;
  if (unit.size() > 1) {
    unit = unit.substr(0, 1) + Lower(std::string_view(unit).substr(1));
  }
  Rational multiplier;
  mpq_set_ui(multiplier.get(), 1, 1);
  if (unit == "m") {
    mpq_set_d(multiplier.get(),
              0.001);  // Not quite a thousandth, as in OPA: 1000m is 1.0000000000.
  } else if (!unit.empty()) {
    const bool binary = unit.substr(1) == "i";
    const int power = PowerOf(Lower(unit.substr(0, 1)).front());
    if (power == 0 || (unit.size() > 1 && !binary)) {
      return context.Fail("units.parse: unit " + unit + " not recognized");
    }
    mpq_set_z(multiplier.get(), Multiplier(power, binary).get());
  }
  if (!IsDecimalText(quantity->number)) {
    return context.Fail("units.parse: could not parse amount to a number");
  }
  Rational amount;
  amount.SetDecimal(quantity->number);
  mpq_mul(amount.get(), amount.get(), multiplier.get());
  if (mpz_cmp_ui(mpq_denref(amount.get()), 1) != 0) {
    return Value::Decimal(context.arena.CopyString(amount.FixedText()));
  }
  BigInt whole;
  mpz_set(whole.get(), mpq_numref(amount.get()));
  return ToValue(whole, context.arena);
}

constexpr Builtin kBuiltins[] = {
    {.name = "units.parse", .type = "(string) -> number", .function = Parse},
    {.name = "units.parse_bytes", .type = "(string) -> number", .function = ParseBytes},
};

}  // namespace

std::span<const Builtin> UnitsBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
