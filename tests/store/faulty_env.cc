#include "tests/store/faulty_env.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <rocksdb/file_system.h>

namespace portcullis::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

}  // namespace

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  [[nodiscard]] const char* Name() const override { return "Faulty"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) {
      const std::scoped_lock lock(mutex_);
      if (const auto found = synced_.find(from); found != synced_.end()) {
        synced_[to] = found->second;
        synced_.erase(from);
      }
    }
    return status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::DeleteFile(name, options, debug);
    const std::scoped_lock lock(mutex_);
    synced_.erase(name);
    return status;
  }

  void SetSynced(const std::string& name, std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    synced_[name] = bytes;
  }
  void DropUnsynced() {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, bytes] : synced_) {
      std::error_code gone;
      if (std::filesystem::file_size(name, gone) > bytes && !gone) {
        std::filesystem::resize_file(name, bytes);
      }
    }
    synced_.clear();
  }
  std::atomic<bool> full = false;

 private:
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> synced_;
};

namespace {

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(FaultyFileSystem& files, std::string name,
             std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), files_(files), name_(std::move(name)) {
    files_.SetSynced(name_, 0);
  }

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (files_.full) {
      return IOStatus::NoSpace("a test's disk is full");
    }
    written_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = FSWritableFileOwnerWrapper::Sync(options, debug);
    if (status.ok()) {
      files_.SetSynced(name_, written_);
    }
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  FaultyFileSystem& files_;
  const std::string name_;
  std::uint64_t written_ = 0;
};

}  // namespace

IOStatus FaultyFileSystem::NewWritableFile(const std::string& name, const FileOptions& options,
                                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                                           IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) {
    *result = std::make_unique<FaultyFile>(*this, name, std::move(file));
  }
  return status;
}

FaultyEnv::FaultyEnv()
    : files_(std::make_shared<FaultyFileSystem>()), env_(rocksdb::NewCompositeEnv(files_)) {}
FaultyEnv::~FaultyEnv() = default;
void FaultyEnv::SetDiskFull(bool full) {
  files_->full = full;
}
void FaultyEnv::DropUnsynced() {
  files_->DropUnsynced();
}

}  // namespace portcullis::store
