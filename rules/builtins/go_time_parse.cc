#include <algorithm>
#include <optional>

#include "rules/builtins/go_format.h"
#include "rules/builtins/go_layout.h"
#include "rules/builtins/go_time.h"

namespace portcullis::builtins {
namespace {

bool IsDigitAt(std::string_view text, std::size_t i) {
  return i < text.size() && text[i] >= '0' && text[i] <= '9';
}

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix,
                            [](char a, char b) { return LowerAscii(a) == LowerAscii(b); });
}

// The length of "+3" or "-03", or 0.
std::size_t SignedOffsetLength(std::string_view text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) {
    return 0;
  }
  std::size_t end = 1;
  int hours = 0;
  for (; IsDigitAt(text, end); ++end) {
    hours = hours * 10 + (text[end] - '0');
    if (hours > 23) {
      return 0;
    }
  }
  return end == 1 ? 0 : end;
}

// The length of what looks like the abbreviation of a zone, or 0.
std::size_t ZoneNameLength(std::string_view text) {
  if (text.size() < 3) {
    return 0;
  }
  if (text.starts_with("ChST") || text.starts_with("MeST")) {
    return 4;
  }
  if (text.starts_with("GMT")) {
    return 3 + SignedOffsetLength(text.substr(3));
  }
  if (text.front() == '+' || text.front() == '-') {
    return SignedOffsetLength(text);
  }
  std::size_t upper = 0;
  while (upper < 6 && upper < text.size() && text[upper] >= 'A' && text[upper] <= 'Z') {
    ++upper;
  }
  switch (upper) {
    case 3:
      return 3;
    case 4:
      return text[3] == 'T' || text.starts_with("WITA") ? 4 : 0;
    case 5:
      return text[4] == 'T' ? 5 : 0;
    default:
      return 0;
  }
}

class TimeParser {
 public:
  TimeParser(std::string_view layout, std::string_view text)
      : whole_layout_(layout), whole_(text), rest_(text) {}

  std::expected<Instant, std::string> Parse() {
    std::string_view layout = whole_layout_;
    while (true) {
      const LayoutPiece piece = NextPiece(layout);
      if (!Skip(piece.before)) {
        return CannotParse(rest_, piece.before);
      }
      if (piece.element == LayoutElement::kNone) {
        break;
      }
      layout = piece.after;
      after_ = layout;
      const std::string_view held = rest_;
      const bool read = Element(piece);
      if (!out_of_range_.empty()) {
        return Wrong(": " + out_of_range_ + " out of range");
      }
      if (!read) {
        return CannotParse(held, piece.text);
      }
    }
    if (!rest_.empty()) {
      std::string message = ": extra text: ";
      AppendTimeQuoted(rest_, &message);
      return Wrong(message);
    }
    return Finish();
  }

 private:
  [[nodiscard]] std::unexpected<std::string> CannotParse(std::string_view value,
                                                         std::string_view as) const {
    std::string message = "parsing time ";
    AppendTimeQuoted(whole_, &message);
    message.append(" as ");
    AppendTimeQuoted(whole_layout_, &message);
    message.append(": cannot parse ");
    AppendTimeQuoted(value, &message);
    message.append(" as ");
    AppendTimeQuoted(as, &message);
    return std::unexpected(std::move(message));
  }
  [[nodiscard]] std::unexpected<std::string> Wrong(std::string_view what) const {
    std::string message = "parsing time ";
    AppendTimeQuoted(whole_, &message);
    return std::unexpected(message.append(what));
  }

  // Literal text; a run of spaces in the layout matches any run of them.
  bool Skip(std::string_view literal) {
    const auto cut_spaces = [](std::string_view* text) {
      text->remove_prefix(std::min(text->find_first_not_of(' '), text->size()));
    };
    while (!literal.empty()) {
      if (literal.front() == ' ') {
        if (!rest_.empty() && rest_.front() != ' ') {
          return false;
        }
        cut_spaces(&literal);
        cut_spaces(&rest_);
        continue;
      }
      if (rest_.empty() || rest_.front() != literal.front()) {
        return false;
      }
      literal.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    return true;
  }

  enum class Digits : std::uint8_t { kOneOrTwo, kTwo };

  bool Number(Digits digits, int* number) {
    if (!IsDigitAt(rest_, 0)) {
      return false;
    }
    const bool two = IsDigitAt(rest_, 1);
    if (!two && digits == Digits::kTwo) {
      return false;
    }
    *number = rest_[0] - '0';
    if (two) {
      *number = *number * 10 + (rest_[1] - '0');
    }
    rest_.remove_prefix(two ? 2 : 1);
    return true;
  }
  bool Bounded(Digits digits, int low, int high, std::string_view name, int* number) {
    if (!Number(digits, number)) {
      return false;
    }
    if (*number < low || *number > high) {
      out_of_range_ = name;
    }
    return true;
  }

  template <class Names>
  bool Name(const Names& names, std::size_t length, int* index) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = names[i].substr(0, length);
      if (!StartsWithIgnoringCase(rest_, name)) {
        continue;
      }
      rest_.remove_prefix(name.size());
      *index = static_cast<int>(i);
      return true;
    }
    return false;
  }

  // A point or comma and digits, `length` bytes in all; digits beyond nanoseconds are dropped.
  bool Fraction(std::size_t length) {
    if (rest_.size() < length || length < 1 || (rest_.front() != '.' && rest_.front() != ',')) {
      return false;
    }
    std::string digits(rest_.substr(1, std::min<std::size_t>(length, 10) - 1));
    if (digits.find_first_not_of("0123456789") != std::string::npos) {
      return false;
    }
    digits.resize(9, '0');
    nanosecond_ = std::stoi(digits);
    rest_.remove_prefix(length);
    return true;
  }
  bool FractionFollows() const {
    return rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && IsDigitAt(rest_, 1);
  }
  std::size_t FractionLength() const {
    std::size_t end = 1;
    while (IsDigitAt(rest_, end)) {
      ++end;
    }
    return end;
  }

  bool Seconds(Digits digits) {
    if (!Bounded(digits, 0, 59, "second", &second_)) {
      return false;
    }
    // A fraction is read even where the layout has none.
    if (!out_of_range_.empty() || !FractionFollows()) {
      return true;
    }
    const LayoutPiece next = NextPiece(after_);
    if (next.element == LayoutElement::kFractionZeros ||
        next.element == LayoutElement::kFractionNines) {
      return true;
    }
    return Fraction(FractionLength());
  }

  bool YearDay(LayoutElement element) {
    for (int i = 0; i < 2 && element == LayoutElement::kUnderYearDay; ++i) {
      if (rest_.starts_with(' ')) {
        rest_.remove_prefix(1);
      }
    }
    std::size_t length = 0;
    int number = 0;
    for (; length < 3 && IsDigitAt(rest_, length); ++length) {
      number = number * 10 + (rest_[length] - '0');
    }
    if (length == 0 || (element == LayoutElement::kZeroYearDay && length != 3)) {
      return false;
    }
    rest_.remove_prefix(length);
    year_day_ = number;
    return true;
  }

  bool Offset(const LayoutPiece& piece) {
    if (piece.zulu() && piece.offset_numbers() < 3 && rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      offset_ = 0;
      return true;
    }
    if (rest_.size() < piece.text.size()) {
      return false;
    }
    for (int i = 1; i < piece.offset_numbers() && piece.colons(); ++i) {
      if (rest_[static_cast<std::size_t>(3 * i)] != ':') {
        return false;
      }
    }
    const char sign = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view kNames[] = {"time zone offset hour", "time zone offset minute",
                                           "time zone offset second"};
    constexpr int kLimits[] = {24, 60, 60};
    int seconds = 0;
    for (int i = 0; i < 3; ++i) {
      int number = 0;
      if (i < piece.offset_numbers()) {
        if (i > 0 && piece.colons()) {
          rest_.remove_prefix(1);
        }
        if (!Bounded(Digits::kTwo, 0, kLimits[i], kNames[i], &number)) {
          return false;
        }
      }
      seconds = seconds * 60 + number;
    }
    if (sign != '+' && sign != '-') {
      return false;
    }
    offset_ = sign == '-' ? -seconds : seconds;
    return true;
  }

  bool HalfOfDay(std::string_view am, std::string_view pm) {
    if (!rest_.starts_with(am) && !rest_.starts_with(pm)) {
      return false;
    }
    afternoon_ = rest_.starts_with(pm);
    rest_.remove_prefix(2);
    return true;
  }

  bool Zone() {
    const std::size_t length = rest_.starts_with("UTC") ? 3 : ZoneNameLength(rest_);
    rest_.remove_prefix(length);
    return length > 0;
  }

  bool Year(std::size_t digits) {
    for (std::size_t i = 0; i < digits; ++i) {
      if (!IsDigitAt(rest_, i)) {
        return false;
      }
    }
    year_ = std::stoi(std::string(rest_.substr(0, digits)));
    rest_.remove_prefix(digits);
    if (digits == 2) {
      year_ += year_ >= 69 ? 1900 : 2000;
    }
    return true;
  }

  bool Element(const LayoutPiece& piece) {
    int ignored = 0;
    switch (piece.element) {
      case LayoutElement::kNone:
        return true;
      case LayoutElement::kYear:
        return Year(2);
      case LayoutElement::kLongYear:
        return Year(4);
      case LayoutElement::kLongMonth:
      case LayoutElement::kMonth:
        if (!Name(kMonthNames, piece.element == LayoutElement::kMonth ? 3 : 9, &month_)) {
          return false;
        }
        ++month_;
        return true;
      case LayoutElement::kNumberMonth:
        return Bounded(Digits::kOneOrTwo, 1, 12, "month", &month_);
      case LayoutElement::kZeroMonth:
        return Bounded(Digits::kTwo, 1, 12, "month", &month_);
      case LayoutElement::kLongWeekday:
        return Name(kWeekdayNames, 9, &ignored);
      case LayoutElement::kWeekday:
        return Name(kWeekdayNames, 3, &ignored);
      case LayoutElement::kUnderDay:
        if (rest_.starts_with(' ')) {
          rest_.remove_prefix(1);
        }
        return Number(Digits::kOneOrTwo, &day_);
      case LayoutElement::kDay:
        return Number(Digits::kOneOrTwo, &day_);
      case LayoutElement::kZeroDay:
        return Number(Digits::kTwo, &day_);
      case LayoutElement::kUnderYearDay:
      case LayoutElement::kZeroYearDay:
        return YearDay(piece.element);
      case LayoutElement::kHour:
        return Bounded(Digits::kOneOrTwo, 0, 23, "hour", &hour_);
      case LayoutElement::kHour12:
        return Bounded(Digits::kOneOrTwo, 0, 12, "hour", &hour_);
      case LayoutElement::kZeroHour12:
        return Bounded(Digits::kTwo, 0, 12, "hour", &hour_);
      case LayoutElement::kMinute:
        return Bounded(Digits::kOneOrTwo, 0, 59, "minute", &minute_);
      case LayoutElement::kZeroMinute:
        return Bounded(Digits::kTwo, 0, 59, "minute", &minute_);
      case LayoutElement::kSecond:
        return Seconds(Digits::kOneOrTwo);
      case LayoutElement::kZeroSecond:
        return Seconds(Digits::kTwo);
      case LayoutElement::kUpperPm:
        return HalfOfDay("AM", "PM");
      case LayoutElement::kLowerPm:
        return HalfOfDay("am", "pm");
      case LayoutElement::kZoneName:
        return Zone();
      case LayoutElement::kOffset:
        return Offset(piece);
      case LayoutElement::kFractionZeros:
        return Fraction(piece.text.size());
      case LayoutElement::kFractionNines:
        return !FractionFollows() || Fraction(FractionLength());
    }
    return false;
  }

  std::expected<Instant, std::string> Finish() {
    if (afternoon_) {
      if (*afternoon_ && hour_ < 12) {
        hour_ += 12;
      }
      if (!*afternoon_ && hour_ == 12) {
        hour_ = 0;
      }
    }
    if (year_day_) {
      const std::int64_t first = DaysFromCivil(year_, 1, 1);
      if (*year_day_ < 1 || first + *year_day_ > DaysFromCivil(year_ + 1, 1, 1)) {
        return Wrong(": day-of-year out of range");
      }
      const CivilTime date = ToCivil((first + *year_day_ - 1) * 86400, 0, 0, "");
      if (month_ > 0 && month_ != date.month) {
        return Wrong(": day-of-year does not match month");
      }
      if (day_ >= 0 && day_ != date.day) {
        return Wrong(": day-of-year does not match day");
      }
      month_ = date.month;
      day_ = date.day;
    }
    if (month_ < 0) {
      month_ = 1;
    }
    if (day_ < 0) {
      day_ = 1;
    }
    if (day_ < 1 || day_ > DaysFromCivil(year_, month_ + 1, 1) - DaysFromCivil(year_, month_, 1)) {
      return Wrong(": day out of range");
    }
    const std::int64_t days = DaysFromCivil(year_, month_, day_);
    return Instant{days * 86400 + hour_ * 3600 + minute_ * 60 + second_ - offset_, nanosecond_};
  }

  const std::string_view whole_layout_;
  const std::string_view whole_;
  std::string_view rest_;   // Of the text.
  std::string_view after_;  // Of the layout, after the element being read.
  std::string out_of_range_;
  int year_ = 0;
  int month_ = -1;
  int day_ = -1;
  std::optional<int> year_day_;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int nanosecond_ = 0;
  int offset_ = 0;
  std::optional<bool> afternoon_;
};

}  // namespace

std::expected<Instant, std::string> ParseTime(std::string_view layout, std::string_view text) {
  return TimeParser(layout, text).Parse();
}

}  // namespace portcullis::builtins
