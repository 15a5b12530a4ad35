// + - * / % abs round ceil floor, and - on sets. SOURCE: rego.md 7.4; OPA's policy reference, "Numbers".

#include <string>

#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/set_algebra.h"

namespace portcullis::builtins {
namespace {

constexpr const char* kTooBig = "number too big";

enum class Operation : std::uint8_t { kPlus, kMinus, kMultiply, kDivide, kRemainder };

// The result of whole operands that fit an int64, or nothing where it does not or where the floats decide.
std::optional<std::int64_t> SmallResult(Operation operation, std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  switch (operation) {
    case Operation::kPlus:
      if (__builtin_add_overflow(x, y, &result)) {
        return std::nullopt;
      }
      return result;
    case Operation::kMinus:
      if (__builtin_sub_overflow(x, y, &result)) {
        return std::nullopt;
      }
      return result;
    case Operation::kMultiply:
      if (__builtin_mul_overflow(x, y, &result)) {
        return std::nullopt;
      }
      return result;
    case Operation::kDivide:
      // Only within 32 bits: beyond, OPA divides floats.
      if (x != static_cast<std::int32_t>(x) || y != static_cast<std::int32_t>(y)) {
        return std::nullopt;
      }
      if (y == 0 || x == 0 || x % y != 0) {
        return std::nullopt;
      }
      return x / y;
    case Operation::kRemainder:
      if (y == 0) {
        return std::nullopt;
      }
      return y == -1 ? 0 : x % y;
  }
  return std::nullopt;
}

Value ExactResult(CallContext& context, Operation operation, const BigInt& x, const BigInt& y) {
  BigInt result;
  switch (operation) {
    case Operation::kPlus:
      mpz_add(result.get(), x.get(), y.get());
      break;
    case Operation::kMinus:
      mpz_sub(result.get(), x.get(), y.get());
      break;
    case Operation::kMultiply:
      if (x.bits() + y.bits() > static_cast<std::size_t>(kMaxNumberBits)) {
        return context.Fail(kTooBig);
      }
      mpz_mul(result.get(), x.get(), y.get());
      break;
    case Operation::kRemainder:
      if (y.sign() == 0) {
        return context.Fail("modulo by zero");
      }
      mpz_tdiv_r(result.get(), x.get(), y.get());
      break;
    case Operation::kDivide:
      return {};  // Never exact: the caller goes on with floats.
  }
  return ToValue(result, context.arena);
}

Value FloatResult(CallContext& context, Operation operation, const Value& a, const Value& b) {
  const auto x = ToBigFloat(a);
  const auto y = ToBigFloat(b);
  if (!x || !y) {
    return context.Fail(kTooBig);
  }
  BigFloat result;
  switch (operation) {
    case Operation::kPlus:
      mpfr_add(result.get(), x->get(), y->get(), MPFR_RNDN);
      break;
    case Operation::kMinus:
      mpfr_sub(result.get(), x->get(), y->get(), MPFR_RNDN);
      break;
    case Operation::kMultiply:
      mpfr_mul(result.get(), x->get(), y->get(), MPFR_RNDN);
      break;
    case Operation::kDivide:
      if (mpfr_zero_p(y->get()) != 0) {
        return context.Fail("divide by zero");
      }
      mpfr_div(result.get(), x->get(), y->get(), MPFR_RNDN);
      break;
    case Operation::kRemainder:
      return context.Fail("modulo on floating-point number");
  }
  if (mpfr_number_p(result.get()) == 0) {
    return context.Fail(kTooBig);
  }
  if (mpfr_zero_p(result.get()) == 0 && std::abs(mpfr_get_exp(result.get())) > kMaxNumberBits) {
    return context.Fail(kTooBig);
  }
  return ToValue(result, context.arena);
}

Value Compute(CallContext& context, Operation operation, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) [[likely]] {
    if (const auto result = SmallResult(operation, a.integer(), b.integer())) {
      return Value::Int(*result);
    }
  }
  if (operation != Operation::kDivide) {
    const auto x = ToBigInt(a);
    const auto y = x ? ToBigInt(b) : std::nullopt;
    if (x && y) {
      return ExactResult(context, operation, *x, *y);
    }
  } else {
    const auto x = document::ToInt64(a);
    const auto y = document::ToInt64(b);
    if (x && y) {
      if (*y == 0) {
        return context.Fail("divide by zero");
      }
      if (const auto result = SmallResult(operation, *x, *y)) {
        return Value::Int(*result);
      }
    }
  }
  return FloatResult(context, operation, a, b);
}

template <Operation operation>
Value Binary(CallContext& context, Arguments arguments) {
  if (!NumberOperand(context, arguments, 1) || !NumberOperand(context, arguments, 2)) {
    return {};
  }
  return Compute(context, operation, arguments[0], arguments[1]);
}

Value Minus(CallContext& context, Arguments arguments) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.is_number() && b.is_number()) {
    return Compute(context, Operation::kMinus, a, b);
  }
  if (a.is_set() && b.is_set()) {
    return Difference(context, a, b);
  }
  if (!a.is_number() && !a.is_set()) {
    return context.FailOperand(1, "one of {number, set}", a);
  }
  return context.FailOperand(2, b.is_number() ? "set" : "number", b);
}

// `a` rounded to a whole number by `rounding`, and small whole numbers as they are.
template <class Rounding>
Value Unary(CallContext& context, Arguments arguments, Rounding rounding) {
  if (!NumberOperand(context, arguments, 1)) {
    return {};
  }
  const auto number = ToBigFloat(arguments[0]);
  if (!number) {
    return context.Fail(kTooBig);
  }
  return rounding(*number);
}

bool IsSmall(const Value& number) {
  const auto whole = document::ToInt64(number);
  return whole && *whole == static_cast<std::int32_t>(*whole);
}

Value Abs(CallContext& context, Arguments arguments) {
  if (arguments[0].is_number() && IsSmall(arguments[0])) {
    return Value::Int(std::abs(*document::ToInt64(arguments[0])));
  }
  return Unary(context, arguments, [&](const BigFloat& number) {
    BigFloat result;
    mpfr_abs(result.get(), number.get(), MPFR_RNDN);
    return ToValue(result, context.arena);
  });
}

Value Round(CallContext& context, Arguments arguments) {
  if (arguments[0].is_number() && IsSmall(arguments[0])) {
    return Value::Int(*document::ToInt64(arguments[0]));
  }
  return Unary(context, arguments, [&](const BigFloat& number) {
    BigFloat shifted;
    mpfr_set_d(shifted.get(), mpfr_signbit(number.get()) != 0 ? -0.5 : 0.5, MPFR_RNDN);
    mpfr_add(shifted.get(), number.get(), shifted.get(), MPFR_RNDN);
    return ToValue(BigFloat::FromInt(shifted.Truncated()), context.arena);
  });
}

// Toward zero, and one step on where that went the wrong way. The sign is the truncated number's, as in OPA: what
// truncates to zero is never stepped below it.
template <int step>
Value Step(CallContext& context, Arguments arguments) {
  if (arguments[0].is_number() && IsSmall(arguments[0])) {
    return Value::Int(*document::ToInt64(arguments[0]));
  }
  return Unary(context, arguments, [&](const BigFloat& number) {
    const BigInt truncated = number.Truncated();
    const bool negative = truncated.sign() < 0;
    const BigFloat whole = BigFloat::FromInt(truncated);
    const bool done =
        (step > 0 ? negative : !negative) || mpfr_equal_p(number.get(), whole.get()) != 0;
    if (done) {
      return ToValue(whole, context.arena);
    }
    BigFloat result(mpfr_get_prec(whole.get()));
    mpfr_add_si(result.get(), whole.get(), step, MPFR_RNDN);
    return ToValue(result, context.arena);
  });
}

constexpr Builtin kBuiltins[] = {
    {.name = "plus",
     .type = "(number, number) -> number",
     .function = Binary<Operation::kPlus>,
     .infix = "+"},
    {.name = "minus",
     .type = "(number | set[any], number | set[any]) -> number | set[any]",
     .function = Minus,
     .infix = "-"},
    {.name = "mul",
     .type = "(number, number) -> number",
     .function = Binary<Operation::kMultiply>,
     .infix = "*"},
    {.name = "div",
     .type = "(number, number) -> number",
     .function = Binary<Operation::kDivide>,
     .infix = "/"},
    {.name = "rem",
     .type = "(number, number) -> number",
     .function = Binary<Operation::kRemainder>,
     .infix = "%"},
    {.name = "abs", .type = "(number) -> number", .function = Abs},
    {.name = "round", .type = "(number) -> number", .function = Round},
    {.name = "ceil", .type = "(number) -> number", .function = Step<1>},
    {.name = "floor", .type = "(number) -> number", .function = Step<-1>},
};

}  // namespace

std::span<const Builtin> ArithmeticBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
