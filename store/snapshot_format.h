// The fixed parts of a snapshot file: store/snapshot_file.h has the layout. Inside store/ only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::store {

inline constexpr std::string_view kSnapshotMagic = "PCLSNAP\n";
inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kBlockHeadBytes = 16;
inline constexpr std::size_t kTrailerBytes = 40;

template <class Number>
void AppendLittle(Number number, std::string* out) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out->push_back(static_cast<char>((number >> (8 * i)) & 0xff));
  }
}

// REQUIRES: at + sizeof(Number) <= bytes.size().
template <class Number>
[[nodiscard]] Number ReadLittle(std::string_view bytes, std::size_t at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= static_cast<Number>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return number;
}

}  // namespace portcullis::store
