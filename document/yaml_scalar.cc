#include "document/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "document/number.h"

namespace portcullis::document {
namespace {

using Kind = YamlScalar::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 24> kWords = {{
    {"true", Kind::kTrue},       {"True", Kind::kTrue},       {"TRUE", Kind::kTrue},
    {"false", Kind::kFalse},     {"False", Kind::kFalse},     {"FALSE", Kind::kFalse},
    {"", Kind::kNull},           {"~", Kind::kNull},          {"null", Kind::kNull},
    {"Null", Kind::kNull},       {"NULL", Kind::kNull},       {".nan", Kind::kNotFinite},
    {".NaN", Kind::kNotFinite},  {".NAN", Kind::kNotFinite},  {".inf", Kind::kNotFinite},
    {".Inf", Kind::kNotFinite},  {".INF", Kind::kNotFinite},  {"+.inf", Kind::kNotFinite},
    {"+.Inf", Kind::kNotFinite}, {"+.INF", Kind::kNotFinite}, {"-.inf", Kind::kNotFinite},
    {"-.Inf", Kind::kNotFinite}, {"-.INF", Kind::kNotFinite}, {"<<", Kind::kMerge},
}};

// What YAML 1.1 alone takes for a boolean.
constexpr std::array<std::pair<std::string_view, Kind>, 16> kOldBooleans = {{
    {"y", Kind::kTrue},
    {"Y", Kind::kTrue},
    {"yes", Kind::kTrue},
    {"Yes", Kind::kTrue},
    {"YES", Kind::kTrue},
    {"on", Kind::kTrue},
    {"On", Kind::kTrue},
    {"ON", Kind::kTrue},
    {"n", Kind::kFalse},
    {"N", Kind::kFalse},
    {"no", Kind::kFalse},
    {"No", Kind::kFalse},
    {"NO", Kind::kFalse},
    {"off", Kind::kFalse},
    {"Off", Kind::kFalse},
    {"OFF", Kind::kFalse},
}};

std::optional<Kind> FindWord(const auto& words, std::string_view text) {
  const auto* const word =
      std::ranges::find(words, text, [](const auto& entry) { return entry.first; });
  return word == words.end() ? std::nullopt : std::optional(word->second);
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// How many digits `text` begins with.
std::size_t CountDigits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// The number that `text` begins with, of `least` to `most` digits; nothing otherwise.
std::optional<int> TakeNumber(std::string_view* text, std::size_t least, std::size_t most) {
  const std::size_t digits = std::min(CountDigits(*text), most);
  if (digits < least) {
    return std::nullopt;
  }
  int number = 0;
  for (const char c : text->substr(0, digits)) {
    number = number * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return number;
}

bool Take(std::string_view* text, std::string_view any_of) {
  if (text->empty() || any_of.find(text->front()) == std::string_view::npos) {
    return false;
  }
  text->remove_prefix(1);
  return true;
}

bool IsZone(std::string_view text) {
  if (text == "Z") {
    return true;
  }
  const bool sign = Take(&text, "+-");
  const auto hours = TakeNumber(&text, 2, 2);
  const bool colon = Take(&text, ":");
  const auto minutes = TakeNumber(&text, 2, 2);
  return sign && hours && colon && minutes && text.empty() && *hours <= 24 && *minutes < 60;
}

int DaysIn(int month, int year) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// 2006-1-2, 2006-1-2 15:4:5 and 2006-1-2T15:4:5Z with fractions of a second.
bool IsTimestamp(std::string_view text) {
  if (CountDigits(text) != 4) {
    return false;
  }
  const auto year = TakeNumber(&text, 4, 4);
  const bool dash = Take(&text, "-");
  const auto month = TakeNumber(&text, 1, 2);
  const bool second_dash = Take(&text, "-");
  const auto day = TakeNumber(&text, 1, 2);
  if (!year || !dash || !month || !second_dash || !day || *month < 1 || *month > 12 || *day < 1 ||
      *day > DaysIn(*month, *year)) {
    return false;
  }
  if (text.empty()) {
    return true;
  }
  const bool spaced = text.front() == ' ';
  const bool separator = Take(&text, " Tt");
  const auto hour = TakeNumber(&text, 1, 2);
  const bool colon = Take(&text, ":");
  const auto minute = TakeNumber(&text, 1, 2);
  const bool second_colon = Take(&text, ":");
  const auto second = TakeNumber(&text, 1, 2);
  if (!separator || !hour || !colon || !minute || !second_colon || !second || *hour > 23 ||
      *minute > 59 || *second > 59) {
    return false;
  }
  if (text.size() > 1 && (text.front() == '.' || text.front() == ',') && IsDigit(text[1])) {
    text.remove_prefix(1);
    text.remove_prefix(CountDigits(text));
  }
  return spaced ? text.empty() : IsZone(text);
}

// Go's strconv.ParseInt and ParseUint with base 0.
std::optional<YamlScalar> ParseWhole(std::string_view text) {
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  const bool negative = text.starts_with('-');
  text.remove_prefix(has_sign ? 1 : 0);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    const bool prefix = text.size() > 2 && (letter == 'x' || letter == 'o' || letter == 'b');
    base = !prefix ? 8 : letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    text.remove_prefix(prefix ? 2 : 1);
  }
  std::uint64_t magnitude = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, magnitude, base);
  if (text.empty() || error != std::errc() || at != end) {
    return std::nullopt;
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  if (magnitude < kMost || (negative && magnitude == kMost)) {
    return YamlScalar{.kind = Kind::kInt,
                      .integer = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude)};
  }
  if (has_sign) {
    return std::nullopt;
  }
  return YamlScalar{.kind = Kind::kUnsigned, .natural = magnitude};
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  Take(&text, "+-");
  const std::size_t whole = CountDigits(text);
  text.remove_prefix(whole);
  if (Take(&text, ".")) {
    const std::size_t fraction = CountDigits(text);
    text.remove_prefix(fraction);
    if (whole == 0 && fraction == 0) {
      return false;
    }
  } else if (whole == 0) {
    return false;
  }
  if (Take(&text, "eE")) {
    Take(&text, "+-");
    if (CountDigits(text) == 0) {
      return false;
    }
    text.remove_prefix(CountDigits(text));
  }
  return text.empty();
}

std::optional<YamlScalar> ParseFloat(std::string_view text) {
  if (!LooksLikeFloat(text)) {
    return std::nullopt;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const double value = DecimalToDouble(text);
  if (value > 1.7976931348623157e308 || value < -1.7976931348623157e308) {
    return std::nullopt;  // Go's parser refuses it, and the text stays a string.
  }
  return YamlScalar{.kind = Kind::kFloat, .real = value};
}

}  // namespace

YamlScalar ResolveYamlScalar(std::string_view text, YamlSchema schema) {
  constexpr std::size_t kLongestWord = 5;
  if (text.size() <= kLongestWord) {
    if (const auto kind = FindWord(kWords, text)) {
      return {.kind = *kind};
    }
    if (const auto kind = FindWord(kOldBooleans, text); kind && schema == YamlSchema::kKubectl) {
      return {.kind = *kind};
    }
  }
  const char first = text.empty() ? '\0' : text.front();
  if (first == '.') {
    return ParseFloat(text).value_or(YamlScalar{});
  }
  if (!IsDigit(first) && first != '+' && first != '-') {
    return {};
  }
  if (IsTimestamp(text)) {
    return {.kind = Kind::kTimestamp};
  }
  std::string plain(text);
  std::erase(plain, '_');
  if (const auto whole = ParseWhole(plain)) {
    return *whole;
  }
  return ParseFloat(plain).value_or(YamlScalar{});
}

}  // namespace portcullis::document
