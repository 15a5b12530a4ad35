// The RocksDB under the inventory: column families, atomic batches, snapshots, format version, sizes. RocksDB's own
// types stay behind this header.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"

namespace portcullis::store {

struct StoreOptions {
  std::filesystem::path path;
  std::size_t block_cache_bytes = std::size_t{128} << 20;
  std::size_t memtable_bytes = std::size_t{64} << 20;  // All column families together.
  int background_threads = 2;
  bool read_only = false;  // Opens beside a running server; sees what was flushed and logged when it opened.
};

}  // namespace portcullis::store
