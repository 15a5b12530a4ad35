#include <algorithm>
#include <cstdlib>
#include <utility>

#include "rules/builtins/go_layout.h"
#include "rules/builtins/go_time.h"

namespace portcullis::builtins {
namespace {

void AppendNumber(std::int64_t number, std::size_t width, std::string* out) {
  if (number < 0) {
    out->push_back('-');
  }
  const std::string digits = std::to_string(std::abs(number));
  if (digits.size() < width) {
    out->append(width - digits.size(), '0');
  }
  out->append(digits);
}

void AppendUnderscored(int number, std::size_t width, std::string* out) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) {
    out->append(width - digits.size(), ' ');
  }
  out->append(digits);
}

void AppendOffset(int offset, const LayoutPiece& piece, std::string* out) {
  if (piece.zulu() && offset == 0) {
    out->push_back('Z');
    return;
  }
  out->push_back(offset < 0 ? '-' : '+');
  const int seconds = std::abs(offset);
  const int numbers[] = {seconds / 3600, seconds / 60 % 60, seconds % 60};
  for (int i = 0; i < piece.offset_numbers(); ++i) {
    if (i > 0 && piece.colons()) {
      out->push_back(':');
    }
    AppendNumber(numbers[i], 2, out);
  }
}

void AppendFraction(int nanosecond, const LayoutPiece& piece, std::string* out) {
  std::string digits;
  AppendNumber(nanosecond, 9, &digits);
  digits.resize(std::min<std::size_t>(9, piece.text.size() - 1));
  if (piece.element == LayoutElement::kFractionNines) {
    digits.resize(digits.find_last_not_of('0') + 1);
  }
  if (piece.text.size() > 10 && piece.element == LayoutElement::kFractionZeros) {
    digits.append(piece.text.size() - 10, '0');
  }
  if (!digits.empty()) {
    out->append(1, piece.text.front()).append(digits);
  }
}

void AppendZone(const CivilTime& time, std::string* out) {
  if (!time.zone.empty()) {
    out->append(time.zone);
    return;
  }
  const int minutes = std::abs(time.offset_seconds / 60);
  out->push_back(time.offset_seconds < 0 ? '-' : '+');
  AppendNumber(minutes / 60, 2, out);
  AppendNumber(minutes % 60, 2, out);
}

void AppendElement(const CivilTime& time, const LayoutPiece& piece, std::string* out) {
  const int hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12;
  const std::string_view month = kMonthNames[static_cast<std::size_t>(time.month - 1)];
  const std::string_view weekday = kWeekdayNames[static_cast<std::size_t>(time.weekday)];
  switch (piece.element) {
    case LayoutElement::kNone:
      return;
    case LayoutElement::kLongMonth:
      out->append(month);
      return;
    case LayoutElement::kMonth:
      out->append(month.substr(0, 3));
      return;
    case LayoutElement::kNumberMonth:
      return AppendNumber(time.month, 1, out);
    case LayoutElement::kZeroMonth:
      return AppendNumber(time.month, 2, out);
    case LayoutElement::kLongWeekday:
      out->append(weekday);
      return;
    case LayoutElement::kWeekday:
      out->append(weekday.substr(0, 3));
      return;
    case LayoutElement::kDay:
      return AppendNumber(time.day, 1, out);
    case LayoutElement::kUnderDay:
      return AppendUnderscored(time.day, 2, out);
    case LayoutElement::kZeroDay:
      return AppendNumber(time.day, 2, out);
    case LayoutElement::kUnderYearDay:
      return AppendUnderscored(time.year_day, 3, out);
    case LayoutElement::kZeroYearDay:
      return AppendNumber(time.year_day, 3, out);
    case LayoutElement::kHour:
      return AppendNumber(time.hour, 2, out);
    case LayoutElement::kHour12:
      return AppendNumber(hour12, 1, out);
    case LayoutElement::kZeroHour12:
      return AppendNumber(hour12, 2, out);
    case LayoutElement::kMinute:
      return AppendNumber(time.minute, 1, out);
    case LayoutElement::kZeroMinute:
      return AppendNumber(time.minute, 2, out);
    case LayoutElement::kSecond:
      return AppendNumber(time.second, 1, out);
    case LayoutElement::kZeroSecond:
      return AppendNumber(time.second, 2, out);
    case LayoutElement::kLongYear:
      return AppendNumber(time.year, 4, out);
    case LayoutElement::kYear:
      return AppendNumber(std::abs(time.year) % 100, 2, out);
    case LayoutElement::kUpperPm:
      out->append(time.hour >= 12 ? "PM" : "AM");
      return;
    case LayoutElement::kLowerPm:
      out->append(time.hour >= 12 ? "pm" : "am");
      return;
    case LayoutElement::kZoneName:
      return AppendZone(time, out);
    case LayoutElement::kOffset:
      return AppendOffset(time.offset_seconds, piece, out);
    case LayoutElement::kFractionZeros:
    case LayoutElement::kFractionNines:
      return AppendFraction(time.nanosecond, piece, out);
  }
}

}  // namespace

std::int64_t DaysFromCivil(std::int64_t year, std::int64_t month, std::int64_t day) {
  // Years begin in March here, so that the leap day is the last of its year.
  const std::int64_t months = year * 12 + (month - 1) - 2;
  const std::int64_t march_year = months >= 0 ? months / 12 : (months - 11) / 12;
  const std::int64_t march_month = months - march_year * 12;
  const std::int64_t era = march_year >= 0 ? march_year / 400 : (march_year - 399) / 400;
  const std::int64_t year_of_era = march_year - era * 400;
  const std::int64_t day_of_year = (153 * march_month + 2) / 5;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468 + (day - 1);
}

CivilTime ToCivil(std::int64_t unix_seconds, int nanosecond, int offset_seconds, std::string zone) {
  const std::int64_t local = unix_seconds + offset_seconds;
  const std::int64_t days = local >= 0 ? local / 86400 : (local - 86399) / 86400;
  const auto seconds = static_cast<int>(local - days * 86400);
  CivilTime time;
  // A year's length is guessed and then put right.
  time.year = 1970 + (days >= 0 ? days : days - 365) / 366;
  while (DaysFromCivil(time.year + 1, 1, 1) <= days) {
    ++time.year;
  }
  while (DaysFromCivil(time.year, 1, 1) > days) {
    --time.year;
  }
  time.year_day = static_cast<int>(days - DaysFromCivil(time.year, 1, 1)) + 1;
  while (time.month < 12 && DaysFromCivil(time.year, time.month + 1, 1) <= days) {
    ++time.month;
  }
  time.day = static_cast<int>(days - DaysFromCivil(time.year, time.month, 1)) + 1;
  time.hour = seconds / 3600;
  time.minute = seconds / 60 % 60;
  time.second = seconds % 60;
  time.nanosecond = nanosecond;
  time.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  time.offset_seconds = offset_seconds;
  time.zone = std::move(zone);
  return time;
}

std::string FormatTime(const CivilTime& time, std::string_view layout) {
  std::string text;
  while (!layout.empty()) {
    const LayoutPiece piece = NextPiece(layout);
    text.append(piece.before);
    AppendElement(time, piece, &text);
    layout = piece.after;
  }
  return text;
}

}  // namespace portcullis::builtins
