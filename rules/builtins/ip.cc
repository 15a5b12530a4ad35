#include "rules/builtins/ip.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <utility>
#include <vector>

#include "base/error.h"
#include "rules/builtins/go_format.h"

namespace portcullis::builtins {
namespace {

constexpr int kV4Prefix = 96;

using Fault = std::unexpected<std::string>;

// What is wrong with `text`, and from where on, as Go's netip says it.
Fault Wrong(std::string_view text, std::string_view what, std::string_view at = {}) {
  std::string message = "ParseAddr(";
  AppendGoQuoted(text, &message);
  message.append("): ").append(what);
  if (!at.empty()) {
    message += " (at ";
    AppendGoQuoted(at, &message);
    message += ")";
  }
  return Fault(std::move(message));
}

// Four numbers up to 255 without leading zeros: `part`, the end of `text`.
std::expected<std::array<std::uint8_t, 4>, std::string> ParseV4(std::string_view text,
                                                                std::string_view part) {
  std::array<std::uint8_t, 4> bytes{};
  std::size_t field = 0;
  int value = 0;
  int digits = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    if (c >= '0' && c <= '9') {
      if (digits == 1 && value == 0) {
        return Wrong(text, "IPv4 field has octet with leading zero");
      }
      value = value * 10 + (c - '0');
      ++digits;
      if (value > 255) {
        return Wrong(text, "IPv4 field has value >255");
      }
    } else if (c == '.') {
      if (i == 0 || i + 1 == part.size() || part[i - 1] == '.') {
        return Wrong(text, "IPv4 field must have at least one digit", part.substr(i));
      }
      if (field == 3) {
        return Wrong(text, "IPv4 address too long");
      }
      bytes[field++] = static_cast<std::uint8_t>(value);
      value = digits = 0;
    } else {
      return Wrong(text, "unexpected character", part.substr(i));
    }
  }
  if (field < 3) {
    return Wrong(text, "IPv4 address too short");
  }
  bytes[3] = static_cast<std::uint8_t>(value);
  return bytes;
}

IpAddress FromV4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  address.bytes[10] = address.bytes[11] = 0xFF;
  std::ranges::copy(bytes, address.bytes.begin() + 12);
  return address;
}

// A group of at most four hex digits at the start of `rest`, taken off it.
std::expected<std::uint32_t, std::string> TakeGroup(std::string_view text, std::string_view* rest) {
  const std::size_t length =
      std::min(rest->find_first_not_of("0123456789abcdefABCDEF"), rest->size());
  if (length > 4) {
    return Wrong(text, "each group must have 4 or less digits", *rest);
  }
  if (length == 0) {
    return Wrong(text, "each colon-separated field must have at least one digit", *rest);
  }
  std::uint32_t group = 0;
  std::from_chars(rest->data(), rest->data() + length, group, 16);
  rest->remove_prefix(length);
  return group;
}

// Groups of hex digits with at most one "::", the last two groups perhaps as IPv4.
std::expected<IpAddress, std::string> ParseV6(std::string_view text) {
  std::string_view rest = text.substr(0, text.find('%'));
  if (rest.size() + 1 == text.size()) {
    return Wrong(text, "zone must be a non-empty string");
  }
  std::vector<std::uint8_t> bytes;
  std::optional<std::size_t> gap;
  if (rest.starts_with("::")) {
    gap = 0;
    rest.remove_prefix(2);
  }
  while (!rest.empty() && bytes.size() < 16) {
    const std::string_view here = rest;
    const std::uint32_t group = TRY(TakeGroup(text, &rest));
    if (rest.starts_with('.')) {
      if (!gap && bytes.size() != 12) {
        return Wrong(text, "embedded IPv4 address must replace the final 2 fields of the address",
                     here);
      }
      if (bytes.size() > 12) {
        return Wrong(text, "too many hex fields to fit an embedded IPv4 at the end of the address",
                     here);
      }
      const auto v4 = TRY(ParseV4(text, here));
      bytes.insert(bytes.end(), v4.begin(), v4.end());
      rest = {};
      break;
    }
    bytes.push_back(static_cast<std::uint8_t>(group >> 8));
    bytes.push_back(static_cast<std::uint8_t>(group));
    if (rest.empty()) {
      break;
    }
    if (rest.front() != ':') {
      return Wrong(text, "unexpected character, want colon", rest);
    }
    if (rest.size() == 1) {
      return Wrong(text, "colon must be followed by more characters", rest);
    }
    rest.remove_prefix(1);
    if (rest.front() == ':') {
      if (gap) {
        return Wrong(text, "multiple :: in address", rest);
      }
      gap = bytes.size();
      rest.remove_prefix(1);
    }
  }
  if (!rest.empty()) {
    return Wrong(text, "trailing garbage after address", rest);
  }
  if (bytes.size() < 16 && !gap) {
    return Wrong(text, "address string too short");
  }
  if (bytes.size() == 16 && gap) {
    return Wrong(text, "the :: must expand to at least one field of zeros");
  }
  if (gap) {
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(*gap), 16 - bytes.size(), 0);
  }
  IpAddress address;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

// With a zone, too.
std::expected<IpAddress, std::string> Parse(std::string_view text) {
  const std::size_t mark = text.find_first_of(".:%");
  if (mark == text.npos) {
    return Wrong(text, "unable to parse IP");
  }
  if (text[mark] == '%') {
    return Wrong(text, "missing IPv6 address");
  }
  if (text[mark] == ':') {
    return ParseV6(text);
  }
  return FromV4(TRY(ParseV4(text, text)));
}

bool IsV6Text(std::string_view text) {
  return text.contains(':');
}

// The longest run of at least two groups that are zero: [begin, end), or an empty one.
std::pair<int, int> ZeroRun(const std::array<std::uint16_t, 8>& groups) {
  std::pair<int, int> best{-1, -1};
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[static_cast<std::size_t>(end)] == 0) {
      ++end;
    }
    if (end - i >= 2 && end - i > best.second - best.first) {
      best = {i, end};
    }
    i = std::max(end, i + 1);
  }
  return best;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xFF && bytes[11] == 0xFF;
}

std::string IpAddress::Text() const {
  std::string text;
  if (is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) {
      text.append(i > 12 ? "." : "").append(std::to_string(bytes[i]));
    }
    return text;
  }
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const auto [begin, end] = ZeroRun(groups);
  for (int i = 0; i < 8; ++i) {
    if (i == begin) {
      text.append("::");
      i = end;
      if (i >= 8) {
        break;
      }
    } else if (i > 0) {
      text.push_back(':');
    }
    char digits[4];
    const auto written = std::to_chars(digits, digits + 4, groups[static_cast<std::size_t>(i)], 16);
    text.append(digits, written.ptr);
  }
  return text;
}

bool IpAddress::Increment() {
  for (std::size_t i = 16; i-- > 0;) {
    if (++bytes[i] != 0) {
      return true;
    }
  }
  return false;
}

bool IpAddress::Decrement() {
  for (std::size_t i = 16; i-- > 0;) {
    if (bytes[i]-- != 0) {
      return true;
    }
  }
  return false;
}

std::optional<IpAddress> ParseIp(std::string_view text) {
  const auto address = Parse(text);
  if (!address || text.contains('%')) {
    return std::nullopt;
  }
  return *address;
}

std::optional<std::string> IpFault(std::string_view text) {
  const auto address = Parse(text);
  return address ? std::nullopt : std::optional(address.error());
}

IpAddress WithPrefix(IpAddress address, int prefix) {
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(prefix - 8 * i, 0, 8);
    address.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xFF00 >> kept & 0xFF);
  }
  return address;
}

IpAddress IpNetwork::last() const {
  IpAddress address = first;
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(prefix - 8 * i, 0, 8);
    address.bytes[static_cast<std::size_t>(i)] |= static_cast<std::uint8_t>(0xFF >> kept);
  }
  return address;
}

bool IpNetwork::Contains(const IpAddress& address) const {
  if (first.is_v4() != address.is_v4()) {
    return false;
  }
  return WithPrefix(address, first.is_v4() ? std::max(prefix, kV4Prefix) : prefix) == first;
}

std::string IpNetwork::Text() const {
  return first.Text() + "/" +
         std::to_string(first.is_v4() ? std::max(prefix - kV4Prefix, 0) : prefix);
}

std::optional<IpNetwork> ParseNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) {
    return std::nullopt;
  }
  const auto address = ParseIp(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  if (!address || digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != digits.npos) {
    return std::nullopt;
  }
  const int prefix = std::stoi(std::string(digits));
  const bool v6 = IsV6Text(text);
  if (prefix > (v6 ? 128 : 32)) {
    return std::nullopt;
  }
  IpNetwork network;
  network.prefix = v6 ? prefix : prefix + kV4Prefix;
  network.first = WithPrefix(*address, network.prefix);
  network.written_as_v6 = v6;
  return network;
}

}  // namespace portcullis::builtins
