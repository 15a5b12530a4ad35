// A disk that can be full, and that can lose what was never synced.

#pragma once

#include <memory>

#include <rocksdb/env.h>

namespace portcullis::store {

class FaultyFileSystem;

class FaultyEnv {
 public:
  FaultyEnv();
  ~FaultyEnv();
  FaultyEnv(const FaultyEnv&) = delete;
  FaultyEnv& operator=(const FaultyEnv&) = delete;

  [[nodiscard]] rocksdb::Env* get() const { return env_.get(); }
  // From here on every append fails for want of room, or none does.
  void SetDiskFull(bool full);
  // Cuts every file that was written through this to what was synced of it. REQUIRES: none is open.
  void DropUnsynced();

 private:
  std::shared_ptr<FaultyFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace portcullis::store
