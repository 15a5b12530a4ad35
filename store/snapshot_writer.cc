#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fcntl.h>
#include <kj/exception.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "store/snapshot.capnp.h"
#include "store/snapshot_file.h"
#include "store/snapshot_format.h"

namespace portcullis::store {
namespace {

constexpr int kCompressionLevel = 3;

std::unexpected<Error> FileError(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  const ErrorCode code = error == ENOSPC || error == EDQUOT || error == EFBIG
                             ? ErrorCode::kExhausted
                             : ErrorCode::kUnavailable;
  return Fail(code, "cannot " + std::string(what) + " " + path.string() + ": " +
                        std::generic_category().message(error));
}

struct Pending {
  std::string key;
  std::string record;
};

class FileWriter final : public SnapshotWriter {
 public:
  explicit FileWriter(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
    temporary_ += ".partial-" + std::to_string(::getpid());
    XXH3_64bits_reset(hash_.get());
  }

  ~FileWriter() override {
    if (file_ >= 0) {
      ::close(file_);
      ::unlink(temporary_.c_str());
    }
  }

  Result<void> Start() {
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0) {
      return FileError(temporary_, "create");
    }
    std::string header(kSnapshotMagic);
    AppendLittle<std::uint32_t>(kSnapshotVersion, &header);
    AppendLittle<std::uint32_t>(0, &header);
    return Put(header);
  }

  Result<void> AddObject(std::string_view key, std::string_view record) override {
    if (!kinds_.empty() || key <= last_key_) {
      return Fail(ErrorCode::kInvalidArgument, "a snapshot takes its objects in the order of keys");
    }
    last_key_ = key;
    ++(record.empty() ? counts_.markers : counts_.objects);
    objects_.push_back({.key = std::string(key), .record = std::string(record)});
    pending_bytes_ += key.size() + record.size();
    return pending_bytes_ < kBlockBytes ? Result<void>() : WriteBlock();
  }

  Result<void> AddKind(const SnapshotKind& kind) override {
    ++counts_.kinds;
    kinds_.push_back(kind);
    return {};
  }

  Result<void> Finish() override {
    if (pending_bytes_ > 0 || !kinds_.empty()) {
      TRY(WriteBlock());
    }
    std::string trailer;
    AppendLittle<std::uint32_t>(0, &trailer);
    AppendLittle<std::uint32_t>(0, &trailer);
    AppendLittle<std::uint64_t>(counts_.objects, &trailer);
    AppendLittle<std::uint64_t>(counts_.markers, &trailer);
    AppendLittle<std::uint64_t>(counts_.kinds, &trailer);
    TRY(Put(trailer));
    std::string sum;
    AppendLittle<std::uint64_t>(XXH3_64bits_digest(hash_.get()), &sum);
    TRY(Put(sum));
    if (::fsync(file_) != 0) {
      return FileError(temporary_, "write");
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      return FileError(path_, "create");
    }
    ::close(std::exchange(file_, -1));
    return SyncFolder();
  }

  [[nodiscard]] SnapshotCounts counts() const override { return counts_; }

 private:
  struct HashFree {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };

  Result<void> Put(std::string_view bytes) {
    XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        return FileError(temporary_, "write");
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> SyncFolder() const {
    const std::filesystem::path parent = path_.parent_path();
    const int folder =
        ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
      return FileError(parent, "open");
    }
    const bool synced = ::fsync(folder) == 0;
    const int error = errno;
    ::close(folder);
    if (!synced) {
      errno = error;
      return FileError(parent, "write");
    }
    return {};
  }

  static capnp::Data::Reader ToData(std::string_view bytes) {
    return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
  }

  Result<void> WriteBlock() {
    try {
      capnp::MallocMessageBuilder message;
      auto block = message.initRoot<capnp_snapshot::Block>();
      auto objects = block.initObjects(static_cast<unsigned>(objects_.size()));
      for (unsigned i = 0; i < objects_.size(); ++i) {
        objects[i].setKey(ToData(objects_[i].key));
        objects[i].setRecord(ToData(objects_[i].record));
      }
      auto kinds = block.initKinds(static_cast<unsigned>(kinds_.size()));
      for (unsigned i = 0; i < kinds_.size(); ++i) {
        kinds[i].setApiVersion(kinds_[i].type.group_version());
        kinds[i].setKind(kinds_[i].type.kind);
        kinds[i].setResourceVersion(kinds_[i].resource_version);
        kinds[i].setComplete(kinds_[i].complete);
      }
      const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
      const kj::ArrayPtr<const capnp::byte> plain = words.asBytes();
      TRY(Compress({reinterpret_cast<const char*>(plain.begin()), plain.size()}));
    } catch (const kj::Exception& exception) {
      return Fail(ErrorCode::kInternal, std::string("cannot encode a snapshot block: ") +
                                            exception.getDescription().cStr());
    }
    objects_.clear();
    kinds_.clear();
    pending_bytes_ = 0;
    return {};
  }

  Result<void> Compress(std::string_view plain) {
    if (plain.size() > kMaxBlockBytes) {
      return Fail(ErrorCode::kExhausted, "an object is too large for a snapshot");
    }
    std::string stored(ZSTD_compressBound(plain.size()), '\0');
    const std::size_t size =
        ZSTD_compress(stored.data(), stored.size(), plain.data(), plain.size(), kCompressionLevel);
    if (ZSTD_isError(size) != 0) {
      return Fail(ErrorCode::kInternal, std::string("zstd: ") + ZSTD_getErrorName(size));
    }
    stored.resize(size);
    std::string head;
    AppendLittle<std::uint32_t>(static_cast<std::uint32_t>(stored.size()), &head);
    AppendLittle<std::uint32_t>(static_cast<std::uint32_t>(plain.size()), &head);
    AppendLittle<std::uint64_t>(XXH3_64bits(stored.data(), stored.size()), &head);
    TRY(Put(head));
    return Put(stored);
  }

  const std::filesystem::path path_;
  std::filesystem::path temporary_;
  int file_ = -1;
  std::unique_ptr<XXH3_state_t, HashFree> hash_{XXH3_createState()};
  std::string last_key_;
  std::vector<Pending> objects_;
  std::vector<SnapshotKind> kinds_;
  std::size_t pending_bytes_ = 0;
  SnapshotCounts counts_;
};

}  // namespace

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(const std::filesystem::path& path) {
  auto writer = std::make_unique<FileWriter>(path);
  TRY(writer->Start());
  return writer;
}

}  // namespace portcullis::store
