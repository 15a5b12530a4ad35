#include "rules/rego/base_child.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace portcullis::rego {
namespace {

using document::Value;

// Digits behind a sign, 19 characters at most; zeros may follow a point.
std::optional<std::uint64_t> PlaceOf(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (text.empty() || text.size() > 19 ||
      (point != text.npos && text.find_first_not_of('0', point + 1) != text.npos)) {
    return std::nullopt;
  }
  std::uint64_t place = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), place);
  const bool is_number =
      whole.empty() || (error == std::errc() && end == whole.data() + whole.size());
  return is_number && (!negative || place == 0) ? std::optional(place) : std::nullopt;
}

}  // namespace

Value BaseChild(const Value& value, const Value& key) {
  if (value.is_array() && key.is_string()) {
    const auto place = PlaceOf(key.string());
    return place && *place < value.size() ? value.ItemAt(static_cast<std::uint32_t>(*place))
                                          : Value();
  }
  const Value child = value.Find(key);
  return child.is_undefined() && key.is_number() && value.is_object()
             ? value.Find(document::NumberText(key))
             : child;
}

}  // namespace portcullis::rego
