// IP addresses and networks as Go's package net holds them: 16 bytes, IPv4 as ::ffff:a.b.c.d.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::builtins {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_v4() const;  // Also ::ffff:a.b.c.d.
  // Dotted where is_v4, else as RFC 5952.
  [[nodiscard]] std::string Text() const;
  // The next address up or down; false where there is none.
  bool Increment();
  bool Decrement();
  auto operator<=>(const IpAddress&) const = default;
};

// What Go's netip.ParseAddr reads, without a zone.
[[nodiscard]] std::optional<IpAddress> ParseIp(std::string_view text);
// What it says where it does not, a zone being allowed: "ParseAddr("x"): unable to parse IP".
[[nodiscard]] std::optional<std::string> IpFault(std::string_view text);

struct IpNetwork {
  IpAddress first;  // The bits after the prefix are zero.
  int prefix = 0;   // In 128 bits: an IPv4 network of /24 has 120.
  bool written_as_v6 = false;

  [[nodiscard]] IpAddress last() const;
  [[nodiscard]] bool Contains(const IpAddress& address) const;
  [[nodiscard]] std::string Text() const;
  bool operator==(const IpNetwork&) const = default;
};

// "10.0.0.0/8". Bits after the prefix may be set and are dropped.
[[nodiscard]] std::optional<IpNetwork> ParseNetwork(std::string_view text);

[[nodiscard]] IpAddress WithPrefix(IpAddress address, int prefix);

}  // namespace portcullis::builtins
