#include "store/store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "store/rocks_options.h"
#include "store/rocks_store.h"

namespace portcullis::store {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

std::unexpected<Error> StoreError(const rocksdb::Status& status) {
  if (status.IsNoSpace()) {
    return Fail(ErrorCode::kExhausted,
                "no room on the store's disk: free some, then the next write goes on (" +
                    status.ToString() + ")");
  }
  if (status.IsCorruption()) {
    return Fail(ErrorCode::kCorruption, "the store's files are damaged: " + status.ToString());
  }
  if (status.IsInvalidArgument() || status.IsNotSupported()) {
    return Fail(ErrorCode::kInvalidArgument, "the store refused: " + status.ToString());
  }
  return Fail(ErrorCode::kUnavailable, "the store cannot be read or written: " + status.ToString());
}

std::unexpected<Error> OpenError(const StoreOptions& options, const rocksdb::Status& status) {
  const std::string path = options.path.string();
  const std::string text = status.ToString();
  if (text.find("LOCK") != std::string::npos || text.find("lock hold by") != std::string::npos) {
    return Fail(ErrorCode::kConflict,
                "another process has the store " + path +
                    " open: stop it, or ask it over its socket, or open read-only (" + text + ")");
  }
  if (status.IsCorruption()) {
    return Fail(ErrorCode::kCorruption, "the store " + path +
                                            " is damaged: move the folder away and let it be "
                                            "replicated again, or restore a snapshot (" +
                                            text + ")");
  }
  if (status.IsInvalidArgument() && text.find("olumn famil") != std::string::npos) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "the store " + path +
            " was written by a newer portcullis: run that version, or name another folder (" +
            text + ")");
  }
  if (status.IsInvalidArgument() && text.find("does not exist") != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument, "there is no store in " + path + " (" + text + ")");
  }
  if (status.IsNoSpace()) {
    return Fail(ErrorCode::kExhausted,
                "no room on the disk of the store " + path + " (" + text + ")");
  }
  return Fail(ErrorCode::kUnavailable, "cannot open the store " + path + ": " + text);
}

// What RocksDB itself would answer by quietly beginning anew: tables without the file that says
// which of them count.
Result<void> CheckFolder(const StoreOptions& options) {
  std::error_code error;
  bool current = false;
  bool tables = false;
  for (std::filesystem::directory_iterator it(options.path, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    current = current || name == "CURRENT";
    tables = tables || it->path().extension() == ".sst" || name.starts_with("MANIFEST-");
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kUnavailable,
                "cannot read the store's folder " + options.path.string() + ": " + error.message());
  }
  // While a store is created its MANIFEST exists before CURRENT does; RocksDB then has logged
  // nothing yet.
  std::error_code ignored;
  if (tables && !current && !std::filesystem::exists(options.path / "MANIFEST-000001", ignored)) {
    return Fail(ErrorCode::kCorruption, "the store " + options.path.string() +
                                            " lost its CURRENT file: move the folder away and let "
                                            "it be replicated again, or restore a snapshot");
  }
  if (options.read_only && !current) {
    return Fail(ErrorCode::kInvalidArgument, "there is no store in " + options.path.string());
  }
  return {};
}

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
  [[nodiscard]] const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

const rocksdb::Snapshot* Unwrap(const Snapshot* snapshot) {
  return snapshot == nullptr ? nullptr : static_cast<const RocksSnapshot*>(snapshot)->get();
}

class RocksIterator final : public Iterator {
 public:
  explicit RocksIterator(std::unique_ptr<rocksdb::Iterator> iterator)
      : iterator_(std::move(iterator)) {}
  void Seek(std::string_view key) override { iterator_->Seek(ToSlice(key)); }
  void Next() override { iterator_->Next(); }
  [[nodiscard]] bool Valid() const override { return iterator_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return ToView(iterator_->key()); }
  [[nodiscard]] std::string_view value() const override { return ToView(iterator_->value()); }
  [[nodiscard]] Result<void> Check() const override {
    const rocksdb::Status status = iterator_->status();
    if (!status.ok()) {
      return StoreError(status);
    }
    return {};
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksBatch final : public Batch {
 public:
  explicit RocksBatch(const std::array<rocksdb::ColumnFamilyHandle*, kFamilies>& handles)
      : handles_(handles) {}

  // RocksDB's batch refuses only keys and values of 4 GiB, and families that are not open.
  void Put(Family family, std::string_view key, std::string_view value) override {
    Note(batch_.Put(Handle(family), ToSlice(key), ToSlice(value)));
  }
  void Delete(Family family, std::string_view key) override {
    Note(batch_.Delete(Handle(family), ToSlice(key)));
  }
  void DeleteRange(Family family, std::string_view begin, std::string_view end) override {
    Note(batch_.DeleteRange(Handle(family), ToSlice(begin), ToSlice(end)));
  }
  void Clear() override {
    batch_.Clear();
    status_ = rocksdb::Status::OK();
  }
  [[nodiscard]] std::size_t size_bytes() const override { return batch_.GetDataSize(); }
  [[nodiscard]] bool empty() const override { return batch_.Count() == 0; }

  [[nodiscard]] const rocksdb::Status& status() const { return status_; }
  rocksdb::WriteBatch& batch() { return batch_; }

 private:
  void Note(const rocksdb::Status& status) {
    if (status_.ok() && !status.ok()) {
      status_ = status;
    }
  }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* Handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  const std::array<rocksdb::ColumnFamilyHandle*, kFamilies>& handles_;
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;
};

}  // namespace

struct PinnedValue::State {
  rocksdb::PinnableSlice slice;
};

PinnedValue::PinnedValue() : state_(std::make_unique<State>()) {}
PinnedValue::~PinnedValue() = default;
std::string_view PinnedValue::bytes() const {
  return ToView(state_->slice);
}
void PinnedValue::Reset() {
  state_->slice.Reset();
}

class RocksStore final : public Store {
 public:
  RocksStore(StoreOptions options, std::shared_ptr<rocksdb::Cache> cache)
      : options_(std::move(options)), cache_(std::move(cache)) {}

  ~RocksStore() override {
    if (db_ == nullptr) {
      return;
    }
    for (rocksdb::ColumnFamilyHandle* handle : all_handles_) {
      static_cast<void>(db_->DestroyColumnFamilyHandle(handle));
    }
    static_cast<void>(db_->Close());
  }

  Result<void> Start(RocksOptions rocks) {
    if (options_.read_only) {
      LeaveOutNewFamilies(&rocks);
    }
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        options_.read_only ? rocksdb::DB::OpenForReadOnly(rocks.db, options_.path.string(),
                                                          rocks.families, &all_handles_, &db)
                           : rocksdb::DB::Open(rocks.db, options_.path.string(), rocks.families,
                                               &all_handles_, &db);
    if (!status.ok()) {
      return OpenError(options_, status);
    }
    db_.reset(db);
    for (rocksdb::ColumnFamilyHandle* handle : all_handles_) {
      for (std::size_t i = 0; i < kFamilies; ++i) {
        if (handle->GetName() == FamilyName(static_cast<Family>(i))) {
          handles_[i] = handle;
        }
      }
    }
    return CheckFormat();
  }

  Result<void> Write(Batch& batch) override {
    auto& rocks_batch = static_cast<RocksBatch&>(batch);
    if (options_.read_only) {
      return Fail(ErrorCode::kInvalidArgument, "the store is open read-only");
    }
    if (!rocks_batch.status().ok()) {
      return StoreError(rocks_batch.status());
    }
    if (stopped_.load(std::memory_order_acquire)) {
      TRY(Resume());
    }
    rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &rocks_batch.batch());
    if (!status.ok()) {
      // RocksDB takes no further write until it is told that the cause is gone. It may be already: a flush in the background
      // can have met it earlier.
      stopped_.store(true, std::memory_order_release);
      if (!Resume()) {
        return StoreError(status);
      }
      status = db_->Write(rocksdb::WriteOptions(), &rocks_batch.batch());
    }
    if (!status.ok()) {
      stopped_.store(true, std::memory_order_release);
      return StoreError(status);
    }
    return {};
  }

  std::unique_ptr<Batch> NewBatch() override { return std::make_unique<RocksBatch>(handles_); }
  std::unique_ptr<Snapshot> TakeSnapshot() override {
    return std::make_unique<RocksSnapshot>(*db_);
  }

  Result<bool> Get(Family family, std::string_view key, const Snapshot* snapshot,
                   PinnedValue* value) override {
    rocksdb::ReadOptions read;
    read.snapshot = Unwrap(snapshot);
    value->state_->slice.Reset();
    if (Handle(family) == nullptr) {
      return false;
    }
    const rocksdb::Status status =
        db_->Get(read, Handle(family), ToSlice(key), &value->state_->slice);
    if (status.ok()) {
      return true;
    }
    if (status.IsNotFound()) {
      return false;
    }
    return StoreError(status);
  }

  std::unique_ptr<Iterator> NewIterator(Family family, Reading reading,
                                        const Snapshot* snapshot) override {
    if (Handle(family) == nullptr) {
      return std::make_unique<RocksIterator>(
          std::unique_ptr<rocksdb::Iterator>(rocksdb::NewEmptyIterator()));
    }
    rocksdb::ReadOptions read;
    read.snapshot = Unwrap(snapshot);
    read.total_order_seek = reading != Reading::kPrefix;
    read.prefix_same_as_start = reading == Reading::kPrefix;
    read.fill_cache = reading != Reading::kScanOnce;
    if (reading == Reading::kScanOnce) {
      read.readahead_size = std::size_t{1} << 20;
    }
    return std::make_unique<RocksIterator>(
        std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(read, Handle(family))));
  }

  Result<void> Flush() override {
    if (options_.read_only) {
      return Fail(ErrorCode::kInvalidArgument, "the store is open read-only");
    }
    const rocksdb::Status status =
        db_->Flush(rocksdb::FlushOptions(), {handles_.begin(), handles_.end()});
    if (!status.ok()) {
      stopped_.store(true, std::memory_order_release);
      return StoreError(status);
    }
    return {};
  }

  Result<void> Compact(Family family) override {
    const rocksdb::Status status =
        db_->CompactRange(rocksdb::CompactRangeOptions(), Handle(family), nullptr, nullptr);
    if (!status.ok()) {
      return StoreError(status);
    }
    return {};
  }

  StoreSizes Sizes() override {
    StoreSizes sizes;
    for (rocksdb::ColumnFamilyHandle* handle : all_handles_) {
      sizes.disk_bytes += Property(handle, rocksdb::DB::Properties::kLiveSstFilesSize);
      sizes.memtable_bytes += Property(handle, rocksdb::DB::Properties::kCurSizeAllMemTables);
      sizes.table_bytes += Property(handle, rocksdb::DB::Properties::kEstimateTableReadersMem);
    }
    sizes.block_cache_bytes = cache_->GetUsage();
    rocksdb::VectorLogPtr logs;
    if (!options_.read_only && db_->GetSortedWalFiles(logs).ok()) {
      for (const auto& log : logs) {
        sizes.log_bytes += log->SizeFileBytes();
      }
    }
    return sizes;
  }

  std::uint64_t ApproximateBytes(Family family, std::string_view begin,
                                 std::string_view end) override {
    const rocksdb::Range range(ToSlice(begin), ToSlice(end));
    rocksdb::SizeApproximationOptions what;
    what.include_memtables = true;
    std::uint64_t bytes = 0;
    if (Handle(family) == nullptr) {
      return bytes;
    }
    return db_->GetApproximateSizes(what, Handle(family), &range, 1, &bytes).ok() ? bytes : 0;
  }

  [[nodiscard]] const StoreOptions& options() const override { return options_; }

 private:
  // A store of an older format that nobody may write lacks the families that came later: they are empty.
  void LeaveOutNewFamilies(RocksOptions* rocks) const {
    std::vector<std::string> present;
    if (rocksdb::DB::ListColumnFamilies(rocks->db, options_.path.string(), &present).ok()) {
      std::erase_if(rocks->families, [&](const rocksdb::ColumnFamilyDescriptor& family) {
        const bool came_later = family.name == FamilyName(Family::kChanges) ||
                                family.name == FamilyName(Family::kVerdicts);
        return came_later && std::ranges::find(present, family.name) == present.end();
      });
    }
  }

  // Null only of a store that is read-only.
  [[nodiscard]] rocksdb::ColumnFamilyHandle* Handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  std::uint64_t Property(rocksdb::ColumnFamilyHandle* handle, const std::string& name) const {
    std::uint64_t value = 0;
    return db_->GetIntProperty(handle, name, &value) ? value : 0;
  }

  Result<void> Resume() {
    const std::scoped_lock lock(resume_);
    if (!stopped_.load(std::memory_order_acquire)) {
      return {};
    }
    const rocksdb::Status status = db_->Resume();
    if (!status.ok()) {
      return StoreError(status);
    }
    stopped_.store(false, std::memory_order_release);
    return {};
  }

  Result<void> CheckFormat() {
    PinnedValue value;
    if (TRY(Get(Family::kDefinitions, kFormatKey, nullptr, &value))) {
      const std::string_view text = value.bytes();
      std::uint32_t version = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
      if (error != std::errc() || end != text.data() + text.size() || version == 0) {
        return Fail(ErrorCode::kCorruption, "the store " + options_.path.string() +
                                                " does not say its format version: move the folder "
                                                "away and let it be replicated again");
      }
      if (version > kFormatVersion) {
        return Fail(ErrorCode::kInvalidArgument,
                    "the store " + options_.path.string() + " has format version " +
                        std::to_string(version) + " and this portcullis reads up to " +
                        std::to_string(kFormatVersion) +
                        ": run a newer portcullis, or name another folder");
      }
      // Everything that an older version wrote is read as it is.
      return version < kFormatVersion && !options_.read_only ? WriteFormat() : Result<void>();
    }
    // A fresh store, or one whose creation was cut short: nothing can be in it yet.
    for (const Family family : {Family::kObjects, Family::kPositions, Family::kDefinitions}) {
      const std::unique_ptr<Iterator> keys = NewIterator(family, Reading::kOrdered, nullptr);
      keys->Seek("");
      TRY(keys->Check());
      if (keys->Valid()) {
        return Fail(ErrorCode::kCorruption, "the store " + options_.path.string() +
                                                " holds data but no format version: move the "
                                                "folder away and let it be replicated again");
      }
    }
    if (options_.read_only) {
      return {};
    }
    return WriteFormat();
  }

  Result<void> WriteFormat() {
    const std::unique_ptr<Batch> batch = NewBatch();
    batch->Put(Family::kDefinitions, kFormatKey, std::to_string(kFormatVersion));
    return Write(*batch);
  }

  const StoreOptions options_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> all_handles_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> handles_{};
  // A write failed and RocksDB waits for Resume.
  std::atomic<bool> stopped_ = false;
  std::mutex resume_;
};

Result<std::unique_ptr<Store>> OpenStore(const StoreOptions& options, rocksdb::Env* env) {
  if (options.path.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the store has no path");
  }
  if (!options.read_only) {
    std::error_code error;
    std::filesystem::create_directories(options.path, error);
    if (error) {
      return Fail(ErrorCode::kUnavailable, "cannot create the store's folder " +
                                               options.path.string() + ": " + error.message());
    }
  }
  TRY(CheckFolder(options));
  const RocksOptions rocks = MakeRocksOptions(options, env);
  auto store = std::make_unique<RocksStore>(options, rocks.cache);
  TRY(store->Start(rocks));
  return store;
}

Result<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  return OpenStore(options, rocksdb::Env::Default());
}

}  // namespace portcullis::store
