// What is known of the keys of one index: how many there are, and which have the most entries. For choosing between ways to one
// answer and for people: never for an answer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::index {

inline constexpr std::size_t kFrequentKeys = 16;

struct KeyCount {
  std::string key;  // Bytes as AppendKeyBytes (index/key_codec.h) makes them.
  std::uint64_t entries = 0;
  friend bool operator==(const KeyCount&, const KeyCount&) = default;
};

// True of the moment at which they were taken, which `changes` tells (index/record.h).
struct KeyStatistics {
  std::uint64_t entries = 0;
  std::uint64_t distinct_keys = 0;
  std::uint64_t changes = 0;
  // At most kFrequentKeys, those with the most entries first; keys with one entry are left out.
  std::vector<KeyCount> frequent;

  // The entries that a key is thought to have: exactly those of a frequent one, and the mean of the others. COST: a
  // comparison with each frequent key.
  [[nodiscard]] std::uint64_t EstimateEntries(std::string_view key) const;
  friend bool operator==(const KeyStatistics&, const KeyStatistics&) = default;
};

}  // namespace portcullis::index
