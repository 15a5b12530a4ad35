// semver.compare and semver.is_valid: Semantic Versioning 2.0.0, with an optional leading "v".

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

struct Version {
  std::array<std::int64_t, 3> numbers{};  // Major, minor, patch.
  std::string_view prerelease;
};

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Takes what stands before the first dot off `text`.
std::string_view TakeIdentifier(std::string_view* text) {
  const std::size_t dot = text->find('.');
  const std::string_view identifier = text->substr(0, dot);
  text->remove_prefix(dot == text->npos ? text->size() : dot + 1);
  return identifier;
}

enum class LeadingZeros : std::uint8_t { kFine, kRefused };

bool AreIdentifiers(std::string_view text, LeadingZeros zeros) {
  if (text.empty() || text.ends_with('.')) {
    return false;
  }
  while (!text.empty()) {
    const std::string_view identifier = TakeIdentifier(&text);
    const bool characters = std::ranges::all_of(identifier, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (identifier.empty() || !characters) {
      return false;
    }
    const bool padded = identifier.size() > 1 && identifier.front() == '0' && IsDigits(identifier);
    if (zeros == LeadingZeros::kRefused && padded) {
      return false;
    }
  }
  return true;
}

std::optional<Version> Parse(std::string_view text) {
  Version version;
  if (text.starts_with('v')) {
    text.remove_prefix(1);
  }
  if (const std::size_t plus = text.find('+'); plus != text.npos) {
    if (!AreIdentifiers(text.substr(plus + 1), LeadingZeros::kFine)) {
      return std::nullopt;
    }
    text = text.substr(0, plus);
  }
  if (const std::size_t dash = text.find('-'); dash != text.npos) {
    version.prerelease = text.substr(dash + 1);
    if (!AreIdentifiers(version.prerelease, LeadingZeros::kRefused)) {
      return std::nullopt;
    }
    text = text.substr(0, dash);
  }
  if (std::ranges::count(text, '.') != 2) {
    return std::nullopt;
  }
  for (std::int64_t& number : version.numbers) {
    const std::string_view digits = TakeIdentifier(&text);
    if (!IsDigits(digits) || (digits.size() > 1 && digits.front() == '0')) {
      return std::nullopt;
    }
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) {
      return std::nullopt;
    }
  }
  return version;
}

std::weak_ordering CompareNumbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) {
    return a.size() <=> b.size();
  }
  return a <=> b;
}

// Numbers come before words; of two that begin alike the longer one is later, and none at all comes last.
std::weak_ordering ComparePrereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) {
    return a.empty() <=> b.empty();
  }
  while (!a.empty() && !b.empty()) {
    const std::string_view x = TakeIdentifier(&a);
    const std::string_view y = TakeIdentifier(&b);
    if (IsDigits(x) != IsDigits(y)) {
      return IsDigits(y) <=> IsDigits(x);
    }
    const std::weak_ordering order =
        IsDigits(x) ? CompareNumbers(x, y) : std::weak_ordering(x <=> y);
    if (order != 0) {
      return order;
    }
  }
  return !a.empty() <=> !b.empty();
}

Value FailVersion(CallContext& context, int operand, std::string_view text) {
  std::string message = "operand " + std::to_string(operand) + ": string ";
  AppendGoQuoted(text, &message);
  return context.Fail(message + " is not a valid SemVer");
}

Value Compare(CallContext& context, Arguments arguments) {
  const auto a = StringOperand(context, arguments, 1);
  const auto b = a ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!b) {
    return {};
  }
  const auto x = Parse(*a);
  if (!x) {
    return FailVersion(context, 1, *a);
  }
  const auto y = Parse(*b);
  if (!y) {
    return FailVersion(context, 2, *b);
  }
  std::weak_ordering order = x->numbers <=> y->numbers;
  if (order == 0) {
    order = ComparePrereleases(x->prerelease, y->prerelease);
  }
  return Value::Int(order < 0 ? -1 : order > 0 ? 1 : 0);
}

Value IsValid(CallContext&, Arguments arguments) {
  return Value::Boolean(arguments[0].is_string() && Parse(arguments[0].string()).has_value());
}

constexpr Builtin kBuiltins[] = {
    {.name = "semver.compare", .type = "(string, string) -> number", .function = Compare},
    {.name = "semver.is_valid", .type = "(any) -> boolean", .function = IsValid},
};

}  // namespace

std::span<const Builtin> SemverBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
