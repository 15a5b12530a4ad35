// Numbers beyond int64, as OPA computes with them: whole numbers exactly (GMP), all others as Go's big.Float with a
// mantissa of 64 bits, rounded to even (MPFR). Both print to the byte as Go prints them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gmp.h>
#include <mpfr.h>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::builtins {

class BigInt {
 public:
  BigInt() { mpz_init(number_); }
  explicit BigInt(std::int64_t value) { mpz_init_set_si(number_, value); }
  BigInt(const BigInt& other) { mpz_init_set(number_, other.number_); }
  BigInt& operator=(const BigInt& other) {
    mpz_set(number_, other.number_);
    return *this;
  }
  ~BigInt() { mpz_clear(number_); }

  [[nodiscard]] mpz_ptr get() { return number_; }
  [[nodiscard]] mpz_srcptr get() const { return number_; }
  [[nodiscard]] int sign() const { return mpz_sgn(number_); }
  [[nodiscard]] std::size_t bits() const { return sign() == 0 ? 0 : mpz_sizeinbase(number_, 2); }
  [[nodiscard]] std::string Text(int base = 10) const;

 private:
  mpz_t number_;
};

class BigFloat {
 public:
  static constexpr mpfr_prec_t kPrecision = 64;

  explicit BigFloat(mpfr_prec_t precision = kPrecision) {
    mpfr_init2(number_, precision);
    mpfr_set_zero(number_, 1);
  }
  BigFloat(const BigFloat& other) {
    mpfr_init2(number_, mpfr_get_prec(other.number_));
    mpfr_set(number_, other.number_, MPFR_RNDN);
  }
  BigFloat& operator=(const BigFloat&) = delete;
  ~BigFloat() { mpfr_clear(number_); }
  // Exactly `value`, with as many bits as that takes but at least kPrecision.
  static BigFloat FromInt(const BigInt& value);

  [[nodiscard]] mpfr_ptr get() { return number_; }
  [[nodiscard]] mpfr_srcptr get() const { return number_; }
  // Toward zero. REQUIRES: finite.
  [[nodiscard]] BigInt Truncated() const;
  // The shortest decimal that reads back as this number; whole numbers in full, others as %g.
  [[nodiscard]] std::string Text() const;

 private:
  mpfr_t number_;
};

// Bits and decimal exponents beyond this are refused: no policy means them, and their digits would fill the memory.
inline constexpr std::int64_t kMaxNumberBits = 1 << 20;

// `number` exactly, if it is whole ("1e3", "2.0") and within kMaxNumberBits. REQUIRES: a number.
[[nodiscard]] std::optional<BigInt> ToBigInt(const document::Value& number);
// REQUIRES: a number. Nothing where its exponent is absurd.
[[nodiscard]] std::optional<BigFloat> ToBigFloat(const document::Value& number);
// Whether the number lies within 2^±100000, as OPA demands of numbers with an exponent. REQUIRES: a number.
[[nodiscard]] bool IsEvaluable(const document::Value& number);
// Digits in base 10 with an optional sign and nothing else, as Go's big.Int.SetString reads them.
[[nodiscard]] std::optional<BigInt> ParseBigInt(std::string_view text);

// Whether `text` is digits with an optional sign, point and exponent: "+1", ".5" and "5." are.
[[nodiscard]] bool IsDecimalText(std::string_view text);
// "+1", ".5" and "5." as JSON spells them. REQUIRES: IsDecimalText.
[[nodiscard]] std::string ToJsonNumber(std::string_view text);

[[nodiscard]] document::Value ToValue(const BigInt& number, document::Arena& arena);
[[nodiscard]] document::Value ToValue(const BigFloat& number, document::Arena& arena);

}  // namespace portcullis::builtins
