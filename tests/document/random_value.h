// Values made from a seed, for tests of properties.

#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::document {

class RandomValues {
 public:
  // With `rego`, sets and keys that are not strings are made too.
  RandomValues(std::uint64_t seed, Arena& arena, bool rego)
      : random_(seed), arena_(arena), rego_(rego) {}

  // At most `depth` containers within each other.
  Value Make(int depth) {
    const int kinds = depth > 0 ? (rego_ ? 8 : 7) : 5;
    switch (Below(kinds)) {
      case 0:
        return Value::Null();
      case 1:
        return Value::Boolean(Below(2) == 0);
      case 2:
      case 3:
        return Number();
      case 4:
        return Text();
      case 5: {
        ArrayBuilder items(arena_);
        for (int i = Below(5); i > 0; --i) {
          items.Add(Make(depth - 1));
        }
        return items.Finish();
      }
      case 6: {
        ObjectBuilder members(arena_);
        for (int i = Below(12); i > 0; --i) {
          const Value key = rego_ && Below(3) == 0 ? Make(depth - 1) : Text();
          members.Add(key, Make(depth - 1));
        }
        return members.Finish();
      }
      default: {
        SetBuilder items(arena_);
        for (int i = Below(5); i > 0; --i) {
          items.Add(Make(depth - 1));
        }
        return items.Finish();
      }
    }
  }

  Value Number() {
    // Few magnitudes, so that equal and nearly equal numbers meet often.
    static constexpr std::array<std::string_view, 24> kDecimals = {"1.0",
                                                                   "1e0",
                                                                   "10e-1",
                                                                   "0.1",
                                                                   "1.50",
                                                                   "1e400",
                                                                   "1e401",
                                                                   "-0",
                                                                   "-0.0",
                                                                   "1e-400",
                                                                   "-1e400",
                                                                   "1e6",
                                                                   "1e+06",
                                                                   "9007199254740993.0",
                                                                   "2e18",
                                                                   "1e18",
                                                                   "1e19",
                                                                   "123e-2",
                                                                   "0.5e1",
                                                                   "100.0",
                                                                   "9223372036854775808",
                                                                   "1e18",
                                                                   "5.00",
                                                                   "9007199254740992.0"};
    static constexpr std::array<double, 12> kFloats = {
        0.5, 1e6, -0.0, 1e21, 0.1, 9007199254740992.0, 1e18, 1e300, 1.5, 1e-7, -1e6, 1e16};
    static constexpr std::array<std::int64_t, 10> kInts = {
        INT64_MIN, INT64_MAX,    1000000,          9007199254740993,    9007199254740992,
        1LL << 59, -(1LL << 59), -(1LL << 59) - 1, 1000000000000000000, 2000000000000000000};
    switch (Below(4)) {
      case 0:
        return Value::Int(Below(7) - 3);
      case 1:
        return Value::Decimal(kDecimals[static_cast<std::size_t>(Below(kDecimals.size()))]);
      case 2:
        return Value::Float(kFloats[static_cast<std::size_t>(Below(kFloats.size()))]);
      default:
        return Value::Int(kInts[static_cast<std::size_t>(Below(kInts.size()))]);
    }
  }

  Value Text() {
    static constexpr std::array<std::string_view, 14> kTexts = {
        "",
        "a",
        "b",
        "ab",
        "abc",
        "name",
        "kind",
        "\"\\\n",
        "\xC3\xA9",
        "\xF0\x9F\x98\x80",
        "<&>",
        "host.example.com",
        "a text of more than sixty-four bytes, which is therefore never shared with another",
        std::string_view("\0x", 2)};
    return Value::String(kTexts[static_cast<std::size_t>(Below(kTexts.size()))]);
  }

  int Below(std::uint64_t limit) { return static_cast<int>(random_() % limit); }

 private:
  std::mt19937_64 random_;
  Arena& arena_;
  bool rego_;
};

}  // namespace portcullis::document
