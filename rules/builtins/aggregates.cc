// count sum product min max sort all any, and `in`. SOURCE: OPA's policy reference, "Aggregates".

#include <algorithm>
#include <limits>
#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

Value Count(CallContext& context, Arguments arguments) {
  const Value& value = arguments[0];
  if (value.is_string()) {
    return Value::Int(static_cast<std::int64_t>(CountRunes(value.string())));
  }
  if (IsCollection(value) || value.is_object()) {
    return Value::Int(value.size());
  }
  return context.FailOperand(1, "one of {array, object, set, string}", value);
}

bool CheckCollection(CallContext& context, Arguments arguments) {
  if (IsCollection(arguments[0])) {
    return true;
  }
  context.FailOperand(1, "one of {set, array}", arguments[0]);
  return false;
}

// All items added (or multiplied) from `first` on: exactly where all are whole, else as floats with `precision` bits.
template <class Small, class Exact, class Float>
Value Accumulate(CallContext& context, Arguments arguments, std::int64_t first,
                 mpfr_prec_t precision, Small small, Exact exact, Float floating) {
  if (!CheckCollection(context, arguments)) {
    return {};
  }
  const Value& items = arguments[0];
  const std::uint32_t size = items.size();
  std::uint32_t i = 0;
  std::int64_t total = first;
  for (; i < size && items.ItemAt(i).is_int(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    std::int64_t next = 0;
    if (small(total, items.ItemAt(i).integer(), &next)) {
      break;
    }
    total = next;
  }
  if (i == size) {
    return Value::Int(total);
  }

  BigInt whole(total);
  for (std::uint32_t j = i; j < size; ++j) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = items.ItemAt(j);
    if (!item.is_number()) {
      return FailElement(context, 1, items, "number", item);
    }
    const auto number = ToBigInt(item);
    if (!number) {
      whole = BigInt();
      break;
    }
    if (whole.bits() + number->bits() > static_cast<std::size_t>(kMaxNumberBits)) {
      return context.Fail("number too big");
    }
    exact(whole.get(), whole.get(), number->get());
    if (j + 1 == size) {
      return ToValue(whole, context.arena);
    }
  }

  BigFloat sum(precision);
  mpfr_set_si(sum.get(), static_cast<long>(first), MPFR_RNDN);
  for (std::uint32_t j = 0; j < size; ++j) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = items.ItemAt(j);
    if (!item.is_number()) {
      return FailElement(context, 1, items, "number", item);
    }
    const auto number = ToBigFloat(item);
    if (!number) {
      return context.Fail("number too big");
    }
    floating(sum.get(), sum.get(), number->get(), MPFR_RNDN);
  }
  if (mpfr_number_p(sum.get()) == 0 ||
      (mpfr_zero_p(sum.get()) == 0 && std::abs(mpfr_get_exp(sum.get())) > kMaxNumberBits)) {
    return context.Fail("number too big");
  }
  return ToValue(sum, context.arena);
}

Value Sum(CallContext& context, Arguments arguments) {
  return Accumulate(
      context, arguments, 0, BigFloat::kPrecision,
      [](std::int64_t a, std::int64_t b, std::int64_t* out) {
        return __builtin_add_overflow(a, b, out);
      },
      mpz_add, mpfr_add);
}

Value Product(CallContext& context, Arguments arguments) {
  return Accumulate(
      context, arguments, 1, std::numeric_limits<double>::digits,
      [](std::int64_t a, std::int64_t b, std::int64_t* out) {
        return __builtin_mul_overflow(a, b, out);
      },
      mpz_mul, mpfr_mul);
}

// Of equal items an array gives the last, a set has one.
template <int direction>
Value Extreme(CallContext& context, Arguments arguments) {
  if (!CheckCollection(context, arguments)) {
    return {};
  }
  const Value& items = arguments[0];
  if (items.size() == 0) {
    return {};
  }
  if (items.is_set()) {
    return items.ItemAt(direction > 0 ? items.size() - 1 : 0);
  }
  Value best = items.ItemAt(0);
  for (std::uint32_t i = 1; i < items.size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = items.ItemAt(i);
    const auto order = document::Compare(item, best);
    if (direction > 0 ? order >= 0 : order <= 0) {
      best = item;
    }
  }
  return best;
}

Value Sort(CallContext& context, Arguments arguments) {
  if (!CheckCollection(context, arguments)) {
    return {};
  }
  const Value& items = arguments[0];
  const std::span<Value> sorted = context.arena.AllocateArray<Value>(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    sorted[i] = items.ItemAt(i);
  }
  if (items.is_array()) {
    std::ranges::stable_sort(
        sorted, [](const Value& a, const Value& b) { return document::Compare(a, b) < 0; });
  }
  return Value::Array(sorted);
}

bool CheckForBooleans(CallContext& context, Arguments arguments) {
  if (IsCollection(arguments[0])) {
    return true;
  }
  context.FailOperand(1, "one of {array, set}", arguments[0]);
  return false;
}

Value All(CallContext& context, Arguments arguments) {
  if (!CheckForBooleans(context, arguments)) {
    return {};
  }
  for (std::uint32_t i = 0; i < arguments[0].size(); ++i) {
    if (!arguments[0].ItemAt(i).is_true()) {
      return Value::Boolean(false);
    }
  }
  return Value::Boolean(true);
}

Value Any(CallContext& context, Arguments arguments) {
  if (!CheckForBooleans(context, arguments)) {
    return {};
  }
  for (std::uint32_t i = 0; i < arguments[0].size(); ++i) {
    if (arguments[0].ItemAt(i).is_true()) {
      return Value::Boolean(true);
    }
  }
  return Value::Boolean(false);
}

Value Member(CallContext& context, Arguments arguments) {
  const Value& wanted = arguments[0];
  const Value& collection = arguments[1];
  if (collection.is_set()) {
    return Value::Boolean(collection.Find(wanted).is_defined());
  }
  for (std::uint32_t i = 0; i < collection.size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = collection.is_array() ? collection.ItemAt(i) : collection.ValueAt(i);
    if (document::Equal(item, wanted)) {
      return Value::Boolean(true);
    }
  }
  return Value::Boolean(false);
}

Value MemberWithKey(CallContext&, Arguments arguments) {
  const Value found = arguments[2].Find(arguments[0]);
  return Value::Boolean(found.is_defined() && document::Equal(found, arguments[1]));
}

constexpr std::string_view kCollectionToBoolean = "(array[any] | set[any]) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "count",
     .type = "(string | array[any] | object[any: any] | set[any]) -> number",
     .function = Count},
    {.name = "sum", .type = "(array[number] | set[number]) -> number", .function = Sum},
    {.name = "product", .type = "(array[number] | set[number]) -> number", .function = Product},
    {.name = "max", .type = "(array[any] | set[any]) -> any", .function = Extreme<1>},
    {.name = "min", .type = "(array[any] | set[any]) -> any", .function = Extreme<-1>},
    {.name = "sort", .type = "(array[any] | set[any]) -> array[any]", .function = Sort},
    {.name = "all", .type = kCollectionToBoolean, .function = All, .deprecated = true},
    {.name = "any", .type = kCollectionToBoolean, .function = Any, .deprecated = true},
    {.name = "internal.member_2",
     .type = "(any, any) -> boolean",
     .function = Member,
     .infix = "in"},
    {.name = "internal.member_3",
     .type = "(any, any, any) -> boolean",
     .function = MemberWithKey,
     .infix = "in"},
};

}  // namespace

std::span<const Builtin> AggregateBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
