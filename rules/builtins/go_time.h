// Dates and Go's layouts ("2006-01-02T15:04:05Z07:00"). SOURCE: the documentation of Go's package time.

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace portcullis::builtins {

// Days since 1 January 1970 of a day of the proleptic Gregorian calendar. Months and days out of range carry over.
[[nodiscard]] std::int64_t DaysFromCivil(std::int64_t year, std::int64_t month, std::int64_t day);

// A moment as a calendar and a clock somewhere show it.
struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanosecond = 0;
  int weekday = 0;         // 0 is Sunday.
  int year_day = 1;        // From 1.
  int offset_seconds = 0;  // East of UTC.
  std::string zone = "UTC";
};

// REQUIRES: 0 <= nanosecond < 1e9.
[[nodiscard]] CivilTime ToCivil(std::int64_t unix_seconds, int nanosecond, int offset_seconds,
                                std::string zone);

[[nodiscard]] std::string FormatTime(const CivilTime& time, std::string_view layout);

struct Instant {
  std::int64_t unix_seconds = 0;
  int nanosecond = 0;
};

// Where the text names no zone it is UTC. ERRORS: Go's text.
[[nodiscard]] std::expected<Instant, std::string> ParseTime(std::string_view layout,
                                                            std::string_view text);

// Go's time.ParseDuration, in nanoseconds. ERRORS: Go's text.
[[nodiscard]] std::expected<std::int64_t, std::string> ParseGoDuration(std::string_view text);
// "1h30m", also with d, w and y (24 h, 7 days, 365 days), in nanoseconds. ERRORS: Go's text.
[[nodiscard]] std::expected<std::int64_t, std::string> ParseDuration(std::string_view text);

}  // namespace portcullis::builtins
