#include "rules/builtins/go_layout.h"

namespace portcullis::builtins {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

struct Match {
  LayoutElement element = LayoutElement::kNone;
  std::size_t skipped = 0;  // Before the element itself.
  std::size_t length = 0;
};

Match MatchNames(std::string_view rest) {
  const auto lower_follows = [&](std::size_t i) {
    return i < rest.size() && rest[i] >= 'a' && rest[i] <= 'z';
  };
  if (rest.starts_with("January")) {
    return {LayoutElement::kLongMonth, 0, 7};
  }
  if (rest.starts_with("Jan") && !lower_follows(3)) {
    return {LayoutElement::kMonth, 0, 3};
  }
  if (rest.starts_with("Monday")) {
    return {LayoutElement::kLongWeekday, 0, 6};
  }
  if (rest.starts_with("Mon") && !lower_follows(3)) {
    return {LayoutElement::kWeekday, 0, 3};
  }
  if (rest.starts_with("MST")) {
    return {LayoutElement::kZoneName, 0, 3};
  }
  if (rest.starts_with("PM")) {
    return {LayoutElement::kUpperPm, 0, 2};
  }
  if (rest.starts_with("pm")) {
    return {LayoutElement::kLowerPm, 0, 2};
  }
  return {};
}

Match MatchNumbers(std::string_view rest) {
  struct Entry {
    std::string_view text;
    LayoutElement element;
  };
  // Longer ones before those that they begin with.
  constexpr Entry kEntries[] = {
      {"01", LayoutElement::kZeroMonth},
      {"02", LayoutElement::kZeroDay},
      {"03", LayoutElement::kZeroHour12},
      {"04", LayoutElement::kZeroMinute},
      {"05", LayoutElement::kZeroSecond},
      {"06", LayoutElement::kYear},
      {"002", LayoutElement::kZeroYearDay},
      {"15", LayoutElement::kHour},
      {"1", LayoutElement::kNumberMonth},
      {"2006", LayoutElement::kLongYear},
      {"2", LayoutElement::kDay},
      {"3", LayoutElement::kHour12},
      {"4", LayoutElement::kMinute},
      {"5", LayoutElement::kSecond},
      {"__2", LayoutElement::kUnderYearDay},
      {"_2", LayoutElement::kUnderDay},
  };
  if (rest.starts_with("_2006")) {
    return {LayoutElement::kLongYear, 1, 4};
  }
  for (const Entry& entry : kEntries) {
    if (rest.starts_with(entry.text)) {
      return {entry.element, 0, entry.text.size()};
    }
  }
  return {};
}

Match MatchOffset(std::string_view rest) {
  for (const std::string_view offset : {"070000", "07:00:00", "0700", "07:00", "07"}) {
    if (rest.substr(1).starts_with(offset)) {
      return {LayoutElement::kOffset, 0, offset.size() + 1};
    }
  }
  return {};
}

// A point or comma and zeros or nines, with no digit after them.
Match MatchFraction(std::string_view rest) {
  if (rest.size() < 2 || (rest[1] != '0' && rest[1] != '9')) {
    return {};
  }
  std::size_t end = 1;
  while (end < rest.size() && rest[end] == rest[1]) {
    ++end;
  }
  if (end < rest.size() && IsDigit(rest[end])) {
    return {};
  }
  return {rest[1] == '0' ? LayoutElement::kFractionZeros : LayoutElement::kFractionNines, 0, end};
}

Match MatchAt(std::string_view rest) {
  switch (rest.front()) {
    case 'J':
    case 'M':
    case 'P':
    case 'p':
      return MatchNames(rest);
    case '-':
    case 'Z':
      return MatchOffset(rest);
    case '.':
    case ',':
      return MatchFraction(rest);
    default:
      return MatchNumbers(rest);
  }
}

}  // namespace

LayoutPiece NextPiece(std::string_view layout) {
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const Match match = MatchAt(layout.substr(i));
    if (match.element == LayoutElement::kNone) {
      continue;
    }
    const std::size_t begin = i + match.skipped;
    return {layout.substr(0, begin), layout.substr(begin, match.length),
            layout.substr(begin + match.length), match.element};
  }
  return {layout, {}, {}, LayoutElement::kNone};
}

}  // namespace portcullis::builtins
