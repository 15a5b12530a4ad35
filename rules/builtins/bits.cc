// bits.* and numbers.range: whole numbers of any size. SOURCE: OPA's policy reference, "Numbers", "Bits".

#include <string>

#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

std::optional<BigInt> BigIntOperand(CallContext& context, Arguments arguments, int operand) {
  const Value& value = arguments[static_cast<std::size_t>(operand - 1)];
  if (!value.is_number()) {
    context.FailOperand(operand, "integer", value);
    return std::nullopt;
  }
  auto number = ToBigInt(value);
  if (!number) {
    context.FailType("operand " + std::to_string(operand) +
                     " must be integer number but got floating-point number");
  }
  return number;
}

template <void (*operation)(mpz_ptr, mpz_srcptr, mpz_srcptr)>
Value Combine(CallContext& context, Arguments arguments) {
  const auto a = BigIntOperand(context, arguments, 1);
  const auto b = a ? BigIntOperand(context, arguments, 2) : std::nullopt;
  if (!b) {
    return {};
  }
  BigInt result;
  operation(result.get(), a->get(), b->get());
  return ToValue(result, context.arena);
}

Value Negate(CallContext& context, Arguments arguments) {
  const auto a = BigIntOperand(context, arguments, 1);
  if (!a) {
    return {};
  }
  BigInt result;
  mpz_com(result.get(), a->get());
  return ToValue(result, context.arena);
}

enum class Direction : std::uint8_t { kLeft, kRight };

template <Direction direction>
Value Shift(CallContext& context, Arguments arguments) {
  const auto a = BigIntOperand(context, arguments, 1);
  const auto b = a ? BigIntOperand(context, arguments, 2) : std::nullopt;
  if (!b) {
    return {};
  }
  if (b->sign() < 0) {
    return context.FailType(
        "operand 2 must be an unsigned integer number but got a negative integer");
  }
  BigInt result;
  const unsigned long shift = mpz_get_ui(b->get());  // The low 64 bits, as OPA takes them.
  if constexpr (direction == Direction::kRight) {
    mpz_fdiv_q_2exp(result.get(), a->get(), shift);
  } else if (a->sign() != 0) {
    if (shift > static_cast<unsigned long>(kMaxNumberBits)) {
      return context.Fail("number too big");
    }
    mpz_mul_2exp(result.get(), a->get(), shift);
  }
  return ToValue(result, context.arena);
}

Value MakeRange(CallContext& context, const BigInt& from, const BigInt& to, const BigInt& step) {
  document::ArrayBuilder numbers(context.arena);
  const bool up = mpz_cmp(from.get(), to.get()) <= 0;
  for (BigInt i = from; up ? mpz_cmp(i.get(), to.get()) <= 0 : mpz_cmp(i.get(), to.get()) >= 0;
       (up ? mpz_add : mpz_sub)(i.get(), i.get(), step.get())) {
    if (context.ShouldHalt() || context.HaltsBeyond(numbers.size() * sizeof(Value))) {
      return {};
    }
    numbers.Add(ToValue(i, context.arena));
  }
  return numbers.Finish();
}

Value Range(CallContext& context, Arguments arguments) {
  const auto from = BigIntOperand(context, arguments, 1);
  const auto to = from ? BigIntOperand(context, arguments, 2) : std::nullopt;
  if (!to) {
    return {};
  }
  return MakeRange(context, *from, *to, BigInt(1));
}

Value RangeStep(CallContext& context, Arguments arguments) {
  const auto from = BigIntOperand(context, arguments, 1);
  const auto to = from ? BigIntOperand(context, arguments, 2) : std::nullopt;
  const auto step = to ? BigIntOperand(context, arguments, 3) : std::nullopt;
  if (!step) {
    return {};
  }
  if (step->sign() <= 0) {
    return context.Fail("numbers.range_step: step must be a positive integer");
  }
  return MakeRange(context, *from, *to, *step);
}

constexpr std::string_view kType = "(number, number) -> number";
constexpr Builtin kBuiltins[] = {
    {.name = "bits.and", .type = kType, .function = Combine<mpz_and>},
    {.name = "bits.or", .type = kType, .function = Combine<mpz_ior>},
    {.name = "bits.xor", .type = kType, .function = Combine<mpz_xor>},
    {.name = "bits.negate", .type = "(number) -> number", .function = Negate},
    {.name = "bits.lsh", .type = kType, .function = Shift<Direction::kLeft>},
    {.name = "bits.rsh", .type = kType, .function = Shift<Direction::kRight>},
    {.name = "numbers.range", .type = "(number, number) -> array[number]", .function = Range},
    {.name = "numbers.range_step",
     .type = "(number, number, number) -> array[number]",
     .function = RangeStep},
};

}  // namespace

std::span<const Builtin> NumberBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
