// Opens the store on a RocksDB environment of the caller's choice: what tests of faults need.
// Inside store/ and its tests.

#pragma once

#include <memory>

#include <rocksdb/env.h>

#include "base/error.h"
#include "store/store.h"

namespace portcullis::store {

// As Store::Open. `env` outlives the store.
Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options, rocksdb::Env* env);

}  // namespace portcullis::store
