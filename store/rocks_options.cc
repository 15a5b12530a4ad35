#include "store/rocks_options.h"

#include <algorithm>
#include <cstdarg>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_buffer_manager.h>

#include "store/entry_key.h"

namespace portcullis::store {
namespace {

constexpr double kFilterBitsPerKey = 10;
// Enough for 64 GiB of tables to stay open; beyond that the least used are closed.
constexpr int kMaxOpenFiles = 1000;
constexpr std::size_t kMinMemtableBytes = std::size_t{256} << 10;

// Its name is stored in every table of the index family and is as frozen as the bytes that it
// reads.
class EntryPrefixTransform final : public rocksdb::SliceTransform {
 public:
  [[nodiscard]] const char* Name() const override { return "portcullis.EntryPrefix.1"; }
  [[nodiscard]] rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    const std::size_t size = EntryPrefixSize({key.data(), key.size()}).value_or(key.size());
    return {key.data(), size};
  }
  [[nodiscard]] bool InDomain(const rocksdb::Slice& key) const override {
    return EntryPrefixSize({key.data(), key.size()}).has_value();
  }
};

// After an error it is the next write that tries again, at once: not RocksDB when it next looks at the disk.
class RecoverWhenAsked final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

// RocksDB's own log file is of no use to an operator, and on a full disk its writer ends the process.
class NoLog final : public rocksdb::Logger {
 public:
  NoLog() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Shards of at least 16 MiB: one shard must have room for the large blocks of several tables.
int ShardBits(std::size_t cache_bytes) {
  constexpr std::size_t kMinShardBytes = std::size_t{16} << 20;
  constexpr int kMaxBits = 6;
  int bits = 0;
  while (bits < kMaxBits && (cache_bytes >> (bits + 1)) >= kMinShardBytes) {
    ++bits;
  }
  return bits;
}

rocksdb::BlockBasedTableOptions TableOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  // Index and filter blocks count against the cache, so that memory does not grow with the cluster;
  // they go last.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  // A hundredth of the data. Held by their tables: a look-up does not search the cache for each of them.
  table.metadata_cache_options = {.top_level_index_pinning = rocksdb::PinningTier::kAll,
                                  .partition_pinning = rocksdb::PinningTier::kAll,
                                  .unpartitioned_pinning = rocksdb::PinningTier::kAll};
  // In pieces, so that a search touches little memory.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = std::size_t{8} << 10;
  table.whole_key_filtering = true;
  return table;
}

rocksdb::ColumnFamilyOptions CommonOptions(std::size_t memtable_bytes) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = std::max(memtable_bytes, kMinMemtableBytes);
  family.max_write_buffer_number = 2;
  family.level_compaction_dynamic_level_bytes = true;
  // Each run that is not merged yet costs every look-up a probe.
  family.level0_file_num_compaction_trigger = 2;
  family.compression = rocksdb::kLZ4Compression;
  return family;
}

// Blocks of several similar objects compress well, and yet one object is not read with many others; a hash in each block
// keeps gets fast.
rocksdb::ColumnFamilyOptions ObjectFamily(const StoreOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = CommonOptions(options.memtable_bytes * 5 / 16);
  rocksdb::BlockBasedTableOptions table = TableOptions(cache);
  table.block_size = std::size_t{2} << 10;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

rocksdb::ColumnFamilyOptions IndexFamily(const StoreOptions& options,
                                         const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = CommonOptions(options.memtable_bytes * 5 / 32);
  family.prefix_extractor = std::make_shared<EntryPrefixTransform>();
  family.memtable_prefix_bloom_size_ratio = 0.05;
  rocksdb::BlockBasedTableOptions table = TableOptions(cache);
  table.whole_key_filtering = false;
  table.block_size = std::size_t{2} << 10;
  // Every look-up asks the filter of each run: one block a table, at most a few MiB.
  table.index_type = rocksdb::BlockBasedTableOptions::kBinarySearch;
  table.partition_filters = false;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Values that come and go leave tombstones under one prefix; compact where they gather.
  family.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(1024, 768));
  return family;
}

rocksdb::ColumnFamilyOptions SmallFamily(const StoreOptions& options,
                                         const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = CommonOptions(options.memtable_bytes / 64);
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache)));
  return family;
}

// Keys that are written at one end and deleted at the other.
rocksdb::ColumnFamilyOptions QueueFamily(const StoreOptions& options,
                                         const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = SmallFamily(options, cache);
  family.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(1024, 768));
  return family;
}

rocksdb::ColumnFamilyOptions VerdictFamily(const StoreOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = CommonOptions(options.memtable_bytes / 16);
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache)));
  return family;
}

}  // namespace

std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kObjects:
      return "objects";
    case Family::kIndex:
      return "index";
    case Family::kPositions:
      return "positions";
    case Family::kDefinitions:
      return "definitions";
    case Family::kChanges:
      return "changes";
    case Family::kVerdicts:
      return "verdicts";
  }
  return "";
}

RocksOptions MakeRocksOptions(const StoreOptions& options, rocksdb::Env* env) {
  RocksOptions result;
  result.cache =
      rocksdb::NewLRUCache(options.block_cache_bytes, ShardBits(options.block_cache_bytes),
                           /*strict_capacity_limit=*/false, /*high_pri_pool_ratio=*/0.5);
  rocksdb::DBOptions& db = result.db;
  db.env = env;
  db.create_if_missing = !options.read_only;
  db.create_missing_column_families = !options.read_only;
  db.paranoid_checks = true;
  db.max_background_jobs = std::max(2, options.background_threads);
  db.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(options.memtable_bytes);
  db.max_total_wal_size = options.memtable_bytes * 4;
  // A reader beside a running server must hold every table open: the server deletes what it has
  // compacted.
  db.max_open_files = options.read_only ? -1 : kMaxOpenFiles;
  db.listeners.push_back(std::make_shared<RecoverWhenAsked>());
  db.info_log = std::make_shared<NoLog>();
  db.bytes_per_sync = std::size_t{1} << 20;
  // Batches come from one writer at a time, under a lock.
  db.allow_concurrent_memtable_write = false;
  db.enable_pipelined_write = false;
  db.avoid_flush_during_shutdown = true;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  result.families.emplace_back(rocksdb::kDefaultColumnFamilyName,
                               SmallFamily(options, result.cache));
  const auto add = [&](Family family, rocksdb::ColumnFamilyOptions family_options) {
    result.families.emplace_back(std::string(FamilyName(family)), std::move(family_options));
  };
  add(Family::kObjects, ObjectFamily(options, result.cache));
  add(Family::kIndex, IndexFamily(options, result.cache));
  add(Family::kPositions, SmallFamily(options, result.cache));
  add(Family::kDefinitions, SmallFamily(options, result.cache));
  add(Family::kChanges, QueueFamily(options, result.cache));
  add(Family::kVerdicts, VerdictFamily(options, result.cache));
  return result;
}

}  // namespace portcullis::store
