// What was written to the inventory and is still to be acted upon: a queue in the store (family `changes`), filled by the batches
// that change objects, so that no kill loses one.
//
//   key    sequence (8 bytes, big-endian)
//   value  1 (format) time (8 bytes, big-endian, milliseconds since 1970) touched (4 bytes, big-endian)
//          touched * read token (16 bytes) key bytes (store/object_key.h; a parent marker where the kind came or went)
//
// These bytes are frozen.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "index/reads.h"
#include "store/store.h"

namespace portcullis::index {

// One object was written or deleted, or a kind came to a namespace or was wiped.
struct RecordedChange {
  std::uint64_t sequence = 0;
  std::int64_t time_ms = 0;        // Since 1970.
  std::string key_bytes;           // Of an object or of a parent marker.
  std::vector<ReadToken> touched;  // The reads that may answer otherwise now.
  [[nodiscard]] bool of_object() const;
};

[[nodiscard]] std::string EncodeChangeKey(std::uint64_t sequence);
[[nodiscard]] std::string EncodeChange(const RecordedChange& change);
// ERRORS: kCorruption.
[[nodiscard]] Result<RecordedChange> DecodeChange(std::string_view key, std::string_view value);

}  // namespace portcullis::index
