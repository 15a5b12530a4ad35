// How RocksDB is set up for the inventory. Inside store/ only.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "store/store.h"

namespace portcullis::store {

struct RocksOptions {
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::DBOptions db;
  // The default family, which RocksDB insists on and nothing uses, then those of Family in order.
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
};

[[nodiscard]] std::string_view FamilyName(Family family);
[[nodiscard]] RocksOptions MakeRocksOptions(const StoreOptions& options, rocksdb::Env* env);

}  // namespace portcullis::store
