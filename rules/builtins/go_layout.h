// Go's layouts, cut into their elements.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace portcullis::builtins {

enum class LayoutElement : std::uint8_t {
  kNone,
  kLongMonth,      // January
  kMonth,          // Jan
  kNumberMonth,    // 1
  kZeroMonth,      // 01
  kLongWeekday,    // Monday
  kWeekday,        // Mon
  kDay,            // 2
  kUnderDay,       // _2
  kZeroDay,        // 02
  kUnderYearDay,   // __2
  kZeroYearDay,    // 002
  kHour,           // 15
  kHour12,         // 3
  kZeroHour12,     // 03
  kMinute,         // 4
  kZeroMinute,     // 04
  kSecond,         // 5
  kZeroSecond,     // 05
  kLongYear,       // 2006
  kYear,           // 06
  kUpperPm,        // PM
  kLowerPm,        // pm
  kZoneName,       // MST
  kOffset,         // -0700 and its kin: see LayoutPiece::offset
  kFractionZeros,  // .000
  kFractionNines,  // .999
};

struct LayoutPiece {
  std::string_view before;  // What stands before the element as it is.
  std::string_view text;    // The element itself; empty for kNone.
  std::string_view after;
  LayoutElement element = LayoutElement::kNone;

  // Of kOffset: "Z" for zero, ":" between, and how many numbers: hours; minutes; seconds.
  [[nodiscard]] bool zulu() const { return text.front() == 'Z'; }
  [[nodiscard]] bool colons() const { return text.find(':') != text.npos; }
  [[nodiscard]] int offset_numbers() const {
    return text.size() == 3 ? 1 : text.size() <= 6 ? 2 : 3;
  }
};

// The first element of `layout`.
[[nodiscard]] LayoutPiece NextPiece(std::string_view layout);

inline constexpr std::array<std::string_view, 12> kMonthNames = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<std::string_view, 7> kWeekdayNames = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

}  // namespace portcullis::builtins
