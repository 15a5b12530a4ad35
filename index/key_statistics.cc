#include "index/key_statistics.h"

namespace portcullis::index {

std::uint64_t KeyStatistics::EstimateEntries(std::string_view key) const {
  std::uint64_t rest = entries;
  for (const KeyCount& each : frequent) {
    if (each.key == key) {
      return each.entries;
    }
    rest -= each.entries;
  }
  const std::uint64_t rest_keys = distinct_keys - frequent.size();
  return rest_keys == 0 ? 0 : (rest + rest_keys - 1) / rest_keys;
}

}  // namespace portcullis::index
