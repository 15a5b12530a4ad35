// The key of an index entry, whose value is empty:
//
//   index id (4 bytes, big-endian)  escaped value bytes  00 01  object key (store/object_key.h)
//
// In the value bytes each 00 is followed by FF, so that 00 01 ends them, no prefix of one entry is
// another's, and the order of entries is that of (id, value bytes, object key). What comes before
// the object key is the entry prefix: what a look-up seeks and what the filter of the column family
// knows. These bytes are frozen.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::store {

// Appends the first part of every entry of the index: the bounds of index i are those of i and i
// + 1.
void AppendIndexPrefix(std::uint32_t index, std::string* out);
// Appends id, value bytes and their end. The entry key is this followed by the object key.
void AppendEntryPrefix(std::uint32_t index, std::string_view value_bytes, std::string* out);

// Bytes of `entry` before the object key. Nothing: it holds no whole prefix.
[[nodiscard]] std::optional<std::size_t> EntryPrefixSize(std::string_view entry);

struct EntryKeyView {
  std::uint32_t index = 0;
  std::string_view prefix;  // Including the id.
  std::string_view object_key;
};
[[nodiscard]] std::optional<EntryKeyView> DecodeEntryKey(std::string_view entry);
// The value bytes that the entry was made of.
void UnescapeValueBytes(const EntryKeyView& entry, std::string* value_bytes);

}  // namespace portcullis::store
