// What the inventory writes beside objects and entries. Numbers are LEB128 varints, texts a varint size and their bytes;
// each value starts with its format. These bytes are frozen.
//
//   positions    'p' groupVersion NUL kind                  1 complete(0|1) text:resourceVersion
//                's' 'n'|'c' groupVersion NUL kind          1 objects encoded_bytes
//   definitions  'i' index id (4 bytes, big-endian)         1 state text:definition count users...
//                'b' index id                               2 entries built_objects text:cursor changes
//                    of store format 1                      1 entries built_objects text:cursor
//                'k' index id                               1 entries distinct_keys changes count (text:key entries)...
//                'n'                                        1 next index id
//                'w' groupVersion NUL kind                  1                    a wipe that is under way

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/definition.h"
#include "index/inventory.h"
#include "index/key_statistics.h"
#include "store/object_key.h"

namespace portcullis::index {

// A kind within a scope: what statistics count.
struct KindKey {
  store::Scope scope = store::Scope::kNamespaced;
  std::string group_version;
  std::string kind;
  friend auto operator<=>(const KindKey&, const KindKey&) = default;
};

struct KindCounts {
  std::uint64_t objects = 0;
  std::uint64_t encoded_bytes = 0;
};

// How far an index is built: objects up to `cursor` (an encoded object key) have their entries, later ones have none yet.
// Of a ready index every object has.
struct BuildProgress {
  std::uint64_t entries = 0;
  std::uint64_t built_objects = 0;
  std::string cursor;
  std::uint64_t changes = 0;  // Entries added or removed since there is the index.
};

struct IndexRecord {
  Definition definition;
  IndexState state = IndexState::kBuilding;
  std::vector<std::string> users;
};

inline constexpr std::string_view kPositionPrefix = "p";
inline constexpr std::string_view kCountsPrefix = "s";
inline constexpr std::string_view kIndexPrefix = "i";
inline constexpr std::string_view kProgressPrefix = "b";
inline constexpr std::string_view kStatisticsPrefix = "k";
inline constexpr std::string_view kNextIdKey = "n";
inline constexpr std::string_view kWipePrefix = "w";

[[nodiscard]] std::string PositionKey(const document::GroupVersionKind& type);
[[nodiscard]] std::string CountsKey(const KindKey& kind);
[[nodiscard]] std::string IndexKey(IndexId id);
[[nodiscard]] std::string ProgressKey(IndexId id);
[[nodiscard]] std::string StatisticsKey(IndexId id);
[[nodiscard]] std::string WipeKey(const document::GroupVersionKind& type);

// Nothing: these bytes are no such key.
[[nodiscard]] std::optional<document::GroupVersionKind> DecodeTypeKey(std::string_view prefix,
                                                                      std::string_view key);
[[nodiscard]] std::optional<KindKey> DecodeCountsKey(std::string_view key);
[[nodiscard]] std::optional<IndexId> DecodeIndexKey(std::string_view prefix, std::string_view key);

[[nodiscard]] std::string EncodePosition(const ReplicationPosition& position);
[[nodiscard]] std::string EncodeCounts(const KindCounts& counts);
[[nodiscard]] std::string EncodeIndex(const IndexRecord& record);
[[nodiscard]] std::string EncodeProgress(const BuildProgress& progress);
[[nodiscard]] std::string EncodeStatistics(const KeyStatistics& statistics);
[[nodiscard]] std::string EncodeNumber(std::uint64_t number);
[[nodiscard]] std::string EncodeMark();

// ERRORS: kCorruption: not what the Encode functions make.
[[nodiscard]] Result<ReplicationPosition> DecodePosition(std::string_view bytes);
[[nodiscard]] Result<KindCounts> DecodeCounts(std::string_view bytes);
[[nodiscard]] Result<IndexRecord> DecodeIndex(std::string_view bytes);
[[nodiscard]] Result<BuildProgress> DecodeProgress(std::string_view bytes);
[[nodiscard]] Result<KeyStatistics> DecodeStatistics(std::string_view bytes);
[[nodiscard]] Result<std::uint64_t> DecodeNumber(std::string_view bytes);

}  // namespace portcullis::index
