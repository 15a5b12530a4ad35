// The RocksDB under the inventory: column families, atomic batches, snapshots, format version,
// sizes. RocksDB's own types stay behind this header.
//
// What a column family holds is its user's matter (store/object_key.h, store/entry_key.h,
// index/record.h); the store knows only how each is read: objects by whole keys and by ranges,
// index entries by the prefix that one value of one index has.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::store {

struct StoreOptions {
  std::filesystem::path path;
  std::size_t block_cache_bytes = std::size_t{128} << 20;
  std::size_t memtable_bytes = std::size_t{64} << 20;  // All column families together.
  int background_threads = 2;
  bool read_only =
      false;  // Opens beside a running server; sees what was flushed and logged when it opened.
};

// Version of everything that is written under the path. A change raises it; see README.md.
inline constexpr std::uint32_t kFormatVersion = 3;
// The one key that is the store's own: in kDefinitions, the version as decimal text.
inline constexpr std::string_view kFormatKey = "format";

enum class Family : std::uint8_t {
  kObjects,
  kIndex,
  kPositions,
  kDefinitions,
  kChanges,
  kVerdicts
};
inline constexpr std::size_t kFamilies = 6;

// Changes that become visible together, and of which a crash leaves all or nothing. A later change
// of a key wins.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual void Put(Family family, std::string_view key, std::string_view value) = 0;
  virtual void Delete(Family family, std::string_view key) = 0;
  // Every key in [begin, end).
  virtual void DeleteRange(Family family, std::string_view begin, std::string_view end) = 0;
  virtual void Clear() = 0;
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
  [[nodiscard]] virtual bool empty() const = 0;
};

// One moment of the store. LIFETIME: not beyond the store.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
};

// The value of one key, held in the store's own memory where it can be. Reuse it: a second get into
// it allocates nothing.
class PinnedValue {
 public:
  PinnedValue();
  ~PinnedValue();
  PinnedValue(const PinnedValue&) = delete;
  PinnedValue& operator=(const PinnedValue&) = delete;
  // LIFETIME: until the next get into this, or Reset.
  [[nodiscard]] std::string_view bytes() const;
  void Reset();

 private:
  friend class RocksStore;
  struct State;
  std::unique_ptr<State> state_;
};

// A place among the keys of one family, ascending by bytes. THREADS: one. LIFETIME: not beyond the
// store or its snapshot.
class Iterator {
 public:
  virtual ~Iterator() = default;
  // To the first key >= `key`.
  virtual void Seek(std::string_view key) = 0;
  virtual void Next() = 0;  // REQUIRES: Valid().
  // Whether it stands on a key. False at the end and after an error: ask Check.
  [[nodiscard]] virtual bool Valid() const = 0;
  // Slices live until the iterator moves. REQUIRES: Valid().
  [[nodiscard]] virtual std::string_view key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  // ERRORS: kCorruption, kUnavailable: what made it stop early.
  [[nodiscard]] virtual Result<void> Check() const = 0;
};

enum class Reading : std::uint8_t {
  kOrdered,  // Ranges: every key is met.
  kPrefix,   // kIndex only: Seek to an entry prefix meets the keys under that prefix and then ends.
             // A filter answers most prefixes that have none.
  kScanOnce,  // kOrdered, leaving the block cache to others: for passes over everything.
};

struct StoreSizes {
  std::uint64_t disk_bytes = 0;  // Live table files.
  std::uint64_t log_bytes = 0;   // The write-ahead log that a crash would replay.
  std::uint64_t memtable_bytes = 0;
  std::uint64_t block_cache_bytes = 0;  // In use now.
  std::uint64_t table_bytes = 0;        // Memory that open tables hold outside the cache.
};

// THREADS: every method may be called from any thread; writes are put in one order.
class Store {
 public:
  // Opens or creates the store under options.path, taking back what a crash left half-done.
  // ERRORS: kConflict: another process holds it. kCorruption: its files are not what was written.
  // kInvalidArgument: written by a newer format, or not a store at all, or read-only where there is
  // none. kExhausted: the disk is full. kUnavailable: the folder cannot be read or written. Each
  // message says what to do.
  static Result<std::unique_ptr<Store>> Open(const StoreOptions& options);
  virtual ~Store() = default;

  // An empty batch for Write. LIFETIME: not beyond the store.
  [[nodiscard]] virtual std::unique_ptr<Batch> NewBatch() = 0;
  // In the log of the operating system when it returns: a killed process loses nothing. A machine
  // that loses power may lose the last writes, whole batches from the end. ERRORS: kExhausted: no
  // room on the disk; nothing of the batch was kept, and a later write succeeds once there is room.
  // kInvalidArgument: read-only. kCorruption, kUnavailable.
  [[nodiscard]] virtual Result<void> Write(Batch& batch) = 0;

  [[nodiscard]] virtual std::unique_ptr<Snapshot> TakeSnapshot() = 0;
  // Whether `key` is there, and then its value. `snapshot` may be null: now. COST: one look-up, no
  // copy.
  [[nodiscard]] virtual Result<bool> Get(Family family, std::string_view key,
                                         const Snapshot* snapshot, PinnedValue* value) = 0;
  // COST: microseconds; keep and reuse iterators. Sees one moment: the snapshot's, or that of this
  // call.
  [[nodiscard]] virtual std::unique_ptr<Iterator> NewIterator(Family family, Reading reading,
                                                              const Snapshot* snapshot) = 0;

  // Moves what memory holds into table files. ERRORS: as Write's.
  virtual Result<void> Flush() = 0;
  // Rewrites the tables of the family without what was deleted. COST: reads and writes the whole
  // family.
  virtual Result<void> Compact(Family family) = 0;
  [[nodiscard]] virtual StoreSizes Sizes() = 0;
  // Bytes on disk of [begin, end), roughly.
  [[nodiscard]] virtual std::uint64_t ApproximateBytes(Family family, std::string_view begin,
                                                       std::string_view end) = 0;
  [[nodiscard]] virtual const StoreOptions& options() const = 0;
};

}  // namespace portcullis::store
