#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "rules/builtins/go_format.h"
#include "rules/builtins/go_time.h"

namespace portcullis::builtins {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::uint64_t> UnitNanoseconds(std::string_view unit) {
  if (unit == "ns") {
    return 1;
  }
  if (unit == "us" || unit == "µs" || unit == "μs") {
    return 1000;
  }
  if (unit == "ms") {
    return 1000000;
  }
  if (unit == "s") {
    return 1000000000;
  }
  if (unit == "m") {
    return 60000000000;
  }
  if (unit == "h") {
    return 3600000000000;
  }
  return std::nullopt;
}

// How the errors quote the text: package time has a way of its own, which OPA does not use.
using Quote = void (*)(std::string_view text, std::string* out);

std::unexpected<std::string> Error(std::string_view what, std::string_view text, Quote quote) {
  std::string message = "time: ";
  message.append(what).append(" ");
  quote(text, &message);
  return std::unexpected(message);
}

// "12.5" at the start of `rest`, taken off it: the whole part, and the fraction over a power of ten.
struct Amount {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  double scale = 1;
};

std::optional<Amount> TakeAmount(std::string_view* rest) {
  Amount amount;
  std::size_t i = 0;
  for (; i < rest->size() && IsDigit((*rest)[i]); ++i) {
    if (amount.whole > kLimit / 10) {
      return std::nullopt;
    }
    amount.whole = amount.whole * 10 + static_cast<std::uint64_t>((*rest)[i] - '0');
    if (amount.whole > kLimit) {
      return std::nullopt;
    }
  }
  bool digits = i > 0;
  if (i < rest->size() && (*rest)[i] == '.') {
    bool full = false;  // Further digits change nothing.
    for (++i; i < rest->size() && IsDigit((*rest)[i]); ++i) {
      digits = true;
      const std::uint64_t next =
          amount.fraction * 10 + static_cast<std::uint64_t>((*rest)[i] - '0');
      full = full || amount.fraction > (kLimit - 1) / 10 || next > kLimit;
      if (full) {
        continue;
      }
      amount.fraction = next;
      amount.scale *= 10;
    }
  }
  if (!digits) {
    return std::nullopt;
  }
  rest->remove_prefix(i);
  return amount;
}

// What Go's time.ParseDuration reads; `original` stands in the errors.
std::expected<std::int64_t, std::string> ParseGoDuration(std::string_view text,
                                                         std::string_view original, Quote quote) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return 0;
  }
  if (rest.empty()) {
    return Error("invalid duration", original, quote);
  }
  std::uint64_t total = 0;
  while (!rest.empty()) {
    const auto amount = TakeAmount(&rest);
    if (!amount) {
      return Error("invalid duration", original, quote);
    }
    const std::size_t end = std::min(rest.find_first_of(".0123456789"), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (name.empty()) {
      return Error("missing unit in duration", original, quote);
    }
    const auto unit = UnitNanoseconds(name);
    if (!unit) {
      std::string what = "unknown unit ";
      AppendTimeQuoted(name, &what);
      return Error(what + " in duration", original, quote);
    }
    if (amount->whole > kLimit / *unit) {
      return Error("invalid duration", original, quote);
    }
    std::uint64_t value = amount->whole * *unit;
    if (amount->fraction > 0) {
      value += static_cast<std::uint64_t>(static_cast<double>(amount->fraction) *
                                          (static_cast<double>(*unit) / amount->scale));
    }
    if (value > kLimit || total + value > kLimit) {
      return Error("invalid duration", original, quote);
    }
    total += value;
  }
  if (negative) {
    return static_cast<std::int64_t>(0 - total);
  }
  if (total > kLimit - 1) {
    return Error("invalid duration", original, quote);
  }
  return static_cast<std::int64_t>(total);
}

// Days, weeks and years as hours; nothing where the text is no row of numbers and units.
std::optional<std::string> InHours(std::string_view text) {
  std::string rewritten;
  if (text.starts_with('-') || text.starts_with('+')) {
    rewritten.push_back(text.front());
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const std::size_t digits_end = std::min(text.find_first_not_of(".0123456789"), text.size());
    const std::string digits(text.substr(0, digits_end));
    text.remove_prefix(digits_end);
    if (digits.empty() || text.empty()) {
      return std::nullopt;
    }
    std::size_t length = 1;
    for (const std::string_view unit : {"ms", "us", "µs", "ns"}) {
      if (text.starts_with(unit)) {
        length = unit.size();
      }
    }
    const std::string_view unit = text.substr(0, length);
    if (length == 1 && (unit.front() < 'a' || unit.front() > 'z')) {
      return std::nullopt;
    }
    text.remove_prefix(length);
    const int hours = unit == "d" ? 24 : unit == "w" ? 7 * 24 : unit == "y" ? 365 * 24 : 0;
    if (hours == 0) {
      rewritten.append(digits).append(unit);
      continue;
    }
    if (digits.find('.') != digits.rfind('.') || digits == ".") {
      return std::nullopt;
    }
    const double value = std::strtod(digits.c_str(), nullptr) * hours;
    if (!std::isfinite(value)) {
      return std::nullopt;
    }
    AppendGoFloat(value, 'f', -1, &rewritten);
    rewritten.push_back('h');
  }
  return rewritten;
}

}  // namespace

std::expected<std::int64_t, std::string> ParseGoDuration(std::string_view text) {
  return ParseGoDuration(text, text, AppendTimeQuoted);
}

std::expected<std::int64_t, std::string> ParseDuration(std::string_view text) {
  if (text.find_first_of("dwy") == text.npos) {
    return ParseGoDuration(text, text, text.empty() ? AppendGoQuoted : AppendTimeQuoted);
  }
  const auto rewritten = InHours(text);
  if (!rewritten) {
    return Error("invalid duration", text, AppendGoQuoted);
  }
  return ParseGoDuration(*rewritten, text, AppendGoQuoted);
}

}  // namespace portcullis::builtins
