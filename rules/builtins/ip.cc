#include "rules/builtins/ip.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace portcullis::builtins {
namespace {

constexpr int kV4Prefix = 96;

// Four numbers up to 255 without leading zeros.
std::optional<std::array<std::uint8_t, 4>> ParseV4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.size() > 3 ||
        digits.find_first_not_of("0123456789") != digits.npos) {
      return std::nullopt;
    }
    if (digits.size() > 1 && digits.front() == '0') {
      return std::nullopt;
    }
    const int value = std::stoi(std::string(digits));
    if (value > 255) {
      return std::nullopt;
    }
    bytes[i] = static_cast<std::uint8_t>(value);
    if ((end == text.size()) != (i == 3)) {
      return std::nullopt;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return bytes;
}

IpAddress FromV4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  address.bytes[10] = address.bytes[11] = 0xFF;
  std::ranges::copy(bytes, address.bytes.begin() + 12);
  return address;
}

// Groups of hex digits with at most one "::", the last two groups perhaps as IPv4.
std::optional<IpAddress> ParseV6(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (bytes.size() >= 16) {
      return std::nullopt;
    }
    std::uint32_t group = 0;
    const auto parsed = std::from_chars(
        text.data(), text.data() + std::min<std::size_t>(4, text.size()), group, 16);
    if (parsed.ec != std::errc()) {
      return std::nullopt;
    }
    const auto length = static_cast<std::size_t>(parsed.ptr - text.data());
    if (length < text.size() && text[length] == '.') {
      const auto v4 = ParseV4(text);
      if (!v4 || bytes.size() > 12) {
        return std::nullopt;
      }
      bytes.insert(bytes.end(), v4->begin(), v4->end());
      text = {};
      break;
    }
    bytes.push_back(static_cast<std::uint8_t>(group >> 8));
    bytes.push_back(static_cast<std::uint8_t>(group));
    text.remove_prefix(length);
    if (text.empty()) {
      break;
    }
    if (text.front() != ':' || text.size() == 1) {
      return std::nullopt;
    }
    text.remove_prefix(1);
    if (text.front() == ':') {
      if (gap) {
        return std::nullopt;
      }
      gap = bytes.size();
      text.remove_prefix(1);
    }
  }
  if (bytes.size() > 16 || (bytes.size() == 16) == gap.has_value()) {
    return std::nullopt;
  }
  if (gap) {
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(*gap), 16 - bytes.size(), 0);
  }
  IpAddress address;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
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
  if (IsV6Text(text)) {
    return ParseV6(text);
  }
  const auto v4 = ParseV4(text);
  if (!v4) {
    return std::nullopt;
  }
  return FromV4(*v4);
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
