// Numbers as exact decimals: how the three ways in which a Value holds a number compare, hash and
// print alike. Private to document/.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "document/value.h"

namespace portcullis::document {

// Whether `text` is a JSON number, all of it.
[[nodiscard]] bool IsJsonNumber(std::string_view text);
// The int64 that `text` spells canonically: no "-0", no leading zero, no point or exponent.
[[nodiscard]] std::optional<std::int64_t> CanonicalInt64(std::string_view text);
// The nearest double; an infinity on overflow, zero on underflow. REQUIRES: a JSON number.
[[nodiscard]] double DecimalToDouble(std::string_view text);
// As Go's strconv.FormatFloat(value, 'g', -1, 64). REQUIRES: finite.
void AppendGoFloat(double value, std::string* out);

// Both REQUIRE numbers.
[[nodiscard]] std::strong_ordering CompareNumbers(const Value& a, const Value& b);
[[nodiscard]] std::uint64_t HashNumber(const Value& number);
// Appends what NumberText returns.
void AppendNumber(const Value& number, std::string* out);
// The same where that is a JSON number; "+1", "01", ".5" and "5." as JSON spells them.
void AppendJsonNumber(const Value& number, std::string* out);

}  // namespace portcullis::document
