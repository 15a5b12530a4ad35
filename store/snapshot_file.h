// The inventory in one file: every object and marker in the order of keys, then how far each kind was replicated.
//
//   header   "PCLSNAP\n"  version (u32)  0 (u32)
//   block    stored size (u32)  plain size (u32)  XXH3-64 of the stored bytes (u64)  stored bytes: zstd of a Cap'n
//            Proto message (store/snapshot.capnp)
//   ...
//   trailer  0 (u32)  0 (u32)  objects (u64)  markers (u64)  kinds (u64)  XXH3-64 of all bytes before this number (u64)
//
// Numbers are little-endian. A plain block is about kBlockBytes, larger only for one large object. Nothing follows the trailer.
// These bytes are frozen; a change raises kSnapshotVersion and keeps reading the old ones.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/object.h"
#include "store/object_key.h"

namespace portcullis::store {

inline constexpr std::uint32_t kSnapshotVersion = 1;
inline constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
// What a reader takes for one block.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{256} << 20;

struct SnapshotCounts {
  std::uint64_t objects = 0;
  std::uint64_t markers = 0;
  std::uint64_t kinds = 0;
  friend bool operator==(const SnapshotCounts&, const SnapshotCounts&) = default;
};

// How far one kind was replicated when the snapshot was taken.
struct SnapshotKind {
  document::GroupVersionKind type;
  std::string resource_version;
  bool complete = false;
  friend bool operator==(const SnapshotKind&, const SnapshotKind&) = default;
};

// Writes beside `path` and gives the file its name at the end. What is not finished leaves nothing.
// ERRORS: kExhausted: the disk is full. kUnavailable: the file cannot be written. kInvalidArgument: out of order.
class SnapshotWriter {
 public:
  static Result<std::unique_ptr<SnapshotWriter>> Create(const std::filesystem::path& path);
  virtual ~SnapshotWriter() = default;
  // Keys ascend. A marker has an empty record.
  virtual Result<void> AddObject(std::string_view key, std::string_view record) = 0;
  // After every object.
  virtual Result<void> AddKind(const SnapshotKind& kind) = 0;
  // On the disk, whatever happens next, when it returns.
  virtual Result<void> Finish() = 0;
  [[nodiscard]] virtual SnapshotCounts counts() const = 0;
};

struct SnapshotEntry {
  ObjectKeyView key;  // With an empty name: a marker.
  std::string_view key_bytes;
  std::string_view record;
};

// Reads a file that anybody may have made: bounded memory, every record checked.
class SnapshotReader {
 public:
  // Reads the whole file once and checks its sums, so that what is cut or altered is refused before anything is used.
  // ERRORS: kNotFound; kUnavailable: cannot be read. kCorruption: cut or altered. kInvalidArgument: not a snapshot, or
  // of a newer version.
  static Result<std::unique_ptr<SnapshotReader>> Open(const std::filesystem::path& path);
  virtual ~SnapshotReader() = default;

  // What the trailer says, and the reader has seen to be true when NextKind has returned nothing.
  [[nodiscard]] virtual SnapshotCounts counts() const = 0;
  // The next object or marker; nothing after the last. Records have passed document::OpenUntrusted and are objects of their
  // key. Slices live until the next call. ERRORS: kCorruption.
  virtual Result<std::optional<SnapshotEntry>> NextObject() = 0;
  // After the last object.
  virtual Result<std::optional<SnapshotKind>> NextKind() = 0;
};

}  // namespace portcullis::store
