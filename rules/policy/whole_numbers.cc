#include "rules/policy/whole_numbers.h"

#include <cmath>
#include <cstdint>
#include <optional>

namespace portcullis::policy {

using document::Value;

Value WithWholeNumbers(const Value& value, document::Arena& arena) {
  if (value.is_float() || value.is_decimal()) {
    const std::optional<std::int64_t> whole = document::ToInt64(value);
    const double number = document::ToDouble(value);
    if (whole) {
      return Value::Int(*whole);
    }
    return std::isfinite(number) ? Value::Float(number) : value;
  }
  if (value.is_array()) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      items.Add(WithWholeNumbers(value.ItemAt(i), arena));
    }
    return items.Finish();
  }
  if (value.is_object()) {
    document::ObjectBuilder members(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      members.Add(value.KeyAt(i), WithWholeNumbers(value.ValueAt(i), arena));
    }
    return members.Finish();
  }
  return value;
}

}  // namespace portcullis::policy
