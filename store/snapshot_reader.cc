#include <cerrno>
#include <system_error>
#include <utility>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fcntl.h>
#include <kj/array.h>
#include <kj/exception.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "document/arena.h"
#include "document/encoding.h"
#include "store/snapshot.capnp.h"
#include "store/snapshot_file.h"
#include "store/snapshot_format.h"

namespace portcullis::store {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;

std::string_view ToView(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

std::string_view ToView(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

class FileReader final : public SnapshotReader {
 public:
  explicit FileReader(std::filesystem::path path) : path_(std::move(path)) {}
  ~FileReader() override {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

  Result<void> Start() {
    file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) {
      const int error = errno;
      return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                  "cannot open the snapshot " + path_.string() + ": " +
                      std::generic_category().message(error));
    }
    const off_t size = ::lseek(file_, 0, SEEK_END);
    if (size < 0) {
      return Fail(ErrorCode::kUnavailable, "cannot read the snapshot " + path_.string());
    }
    size_ = static_cast<std::uint64_t>(size);
    TRY(CheckHeader());
    return CheckSums();
  }

  [[nodiscard]] SnapshotCounts counts() const override { return counts_; }

  Result<std::optional<SnapshotEntry>> NextObject() override {
    while (true) {
      if (next_object_ < objects_.size()) {
        return CheckObject(objects_[next_object_++]);
      }
      if (kinds_.size() != 0 || !TRY(ReadBlock())) {
        return std::nullopt;
      }
    }
  }

  Result<std::optional<SnapshotKind>> NextKind() override {
    while (next_kind_ >= kinds_.size()) {
      if (!TRY(ReadBlock())) {
        if (seen_ != counts_) {
          return Damaged("it does not hold what its trailer counts");
        }
        return std::nullopt;
      }
      if (objects_.size() != 0) {
        return Damaged("objects follow kinds");
      }
    }
    const capnp_snapshot::Kind::Reader kind = kinds_[next_kind_++];
    SnapshotKind result;
    try {
      const std::string_view api_version = ToView(kind.getApiVersion());
      result = {.type = document::MakeGroupVersionKind(api_version, ToView(kind.getKind())),
                .resource_version = std::string(ToView(kind.getResourceVersion())),
                .complete = kind.getComplete()};
    } catch (const kj::Exception& exception) {
      return Damaged(exception.getDescription().cStr());
    }
    if (result.type.kind.empty() || result.type.version.empty() ||
        result.type.kind.find('\0') != std::string::npos ||
        result.type.group_version().find('\0') != std::string::npos) {
      return Damaged("a kind has no name");
    }
    ++seen_.kinds;
    return result;
  }

 private:
  [[nodiscard]] std::unexpected<Error> Damaged(std::string_view why) const {
    return Fail(ErrorCode::kCorruption, "the snapshot " + path_.string() +
                                            " is cut or altered: " + std::string(why) +
                                            "; nothing of it was used: take another one");
  }

  Result<std::string> ReadAt(std::uint64_t at, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(file_, bytes.data() + done, size - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return Fail(ErrorCode::kUnavailable, "cannot read the snapshot " + path_.string() + ": " +
                                                 std::generic_category().message(errno));
      }
      if (got == 0) {
        return Damaged("it ends early");
      }
      done += static_cast<std::size_t>(got);
    }
    return bytes;
  }

  Result<void> CheckHeader() {
    if (size_ < kHeaderBytes) {
      return Fail(ErrorCode::kInvalidArgument,
                  path_.string() + " is not a snapshot: it is too short");
    }
    const std::string header = TRY(ReadAt(0, kHeaderBytes));
    if (!header.starts_with(kSnapshotMagic)) {
      return Fail(ErrorCode::kInvalidArgument,
                  path_.string() + " is not a snapshot of an inventory");
    }
    const auto version = ReadLittle<std::uint32_t>(header, kSnapshotMagic.size());
    if (version > kSnapshotVersion) {
      return Fail(ErrorCode::kInvalidArgument,
                  "the snapshot " + path_.string() + " has version " + std::to_string(version) +
                      " and this portcullis reads up to " + std::to_string(kSnapshotVersion) +
                      ": use a newer portcullis");
    }
    if (version == 0 || ReadLittle<std::uint32_t>(header, kSnapshotMagic.size() + 4) != 0) {
      return Damaged("its header makes no sense");
    }
    return {};
  }

  Result<void> CheckSums() {
    if (size_ < kHeaderBytes + kTrailerBytes) {
      return Damaged("it ends early");
    }
    end_ = size_ - kTrailerBytes;
    const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash(XXH3_createState(),
                                                                        &XXH3_freeState);
    XXH3_64bits_reset(hash.get());
    const std::uint64_t summed = size_ - sizeof(std::uint64_t);
    for (std::uint64_t at = 0; at < summed;) {
      const std::string bytes = TRY(
          ReadAt(at, static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, summed - at))));
      XXH3_64bits_update(hash.get(), bytes.data(), bytes.size());
      at += bytes.size();
    }
    const std::string trailer = TRY(ReadAt(end_, kTrailerBytes));
    if (ReadLittle<std::uint64_t>(trailer, 0) != 0 ||
        ReadLittle<std::uint64_t>(trailer, 32) != XXH3_64bits_digest(hash.get())) {
      return Damaged("its checksum does not agree");
    }
    counts_ = {.objects = ReadLittle<std::uint64_t>(trailer, 8),
               .markers = ReadLittle<std::uint64_t>(trailer, 16),
               .kinds = ReadLittle<std::uint64_t>(trailer, 24)};
    return {};
  }

  // The next block; false after the last.
  Result<bool> ReadBlock() {
    objects_ = {};
    kinds_ = {};
    next_object_ = 0;
    next_kind_ = 0;
    message_.reset();
    if (at_ == end_) {
      return false;
    }
    if (end_ - at_ < kBlockHeadBytes) {
      return Damaged("a block ends early");
    }
    const std::string head = TRY(ReadAt(at_, kBlockHeadBytes));
    const auto stored_size = ReadLittle<std::uint32_t>(head, 0);
    const auto plain_size = ReadLittle<std::uint32_t>(head, 4);
    at_ += kBlockHeadBytes;
    if (stored_size > end_ - at_ || plain_size > kMaxBlockBytes ||
        plain_size % sizeof(capnp::word) != 0) {
      return Damaged("the size of a block makes no sense");
    }
    const std::string stored = TRY(ReadAt(at_, stored_size));
    at_ += stored_size;
    if (XXH3_64bits(stored.data(), stored.size()) != ReadLittle<std::uint64_t>(head, 8)) {
      return Damaged("the checksum of a block does not agree");
    }
    words_ = kj::heapArray<capnp::word>(plain_size / sizeof(capnp::word));
    const std::size_t size =
        ZSTD_decompress(words_.begin(), plain_size, stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != plain_size) {
      return Damaged("a block does not decompress");
    }
    return OpenBlock();
  }

  Result<bool> OpenBlock() {
    try {
      capnp::ReaderOptions options;
      // The block's own size bounds what can be read of it; a record is looked at twice.
      options.traversalLimitInWords = words_.size() * 4 + 1024;
      message_ = std::make_unique<capnp::FlatArrayMessageReader>(words_, options);
      const auto block = message_->getRoot<capnp_snapshot::Block>();
      objects_ = block.getObjects();
      kinds_ = block.getKinds();
    } catch (const kj::Exception& exception) {
      return Damaged(exception.getDescription().cStr());
    }
    return true;
  }

  Result<std::optional<SnapshotEntry>> CheckObject(const capnp_snapshot::Object::Reader& object) {
    SnapshotEntry entry;
    try {
      entry.key_bytes = ToView(object.getKey());
      entry.record = ToView(object.getRecord());
    } catch (const kj::Exception& exception) {
      return Damaged(exception.getDescription().cStr());
    }
    const std::optional<ObjectKeyView> key = DecodeKey(entry.key_bytes);
    if (!key || entry.key_bytes <= last_key_) {
      return Damaged("its keys are not in order");
    }
    last_key_ = entry.key_bytes;
    entry.key = *key;
    if (key->name.empty() != entry.record.empty()) {
      return Damaged("a marker has a record, or an object has none");
    }
    if (key->name.empty()) {
      ++seen_.markers;
      return entry;
    }
    ++seen_.objects;
    arena_.Reset();
    const Result<document::Value> value = document::OpenUntrusted(entry.record, arena_);
    if (!value) {
      return Damaged(value.error().message);
    }
    const Result<document::ObjectIdentity> identity = document::IdentityOf(*value);
    const Result<ObjectKey> own = identity ? KeyOf(*identity) : std::unexpected(identity.error());
    if (!own || EncodeKey(*own) != entry.key_bytes) {
      return Damaged("a record is another object's");
    }
    return entry;
  }

  const std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t end_ = 0;  // Where the trailer begins.
  std::uint64_t at_ = kHeaderBytes;
  SnapshotCounts counts_;
  SnapshotCounts seen_;
  std::string last_key_;
  document::Arena arena_;
  // The block that is being read.
  kj::Array<capnp::word> words_;
  std::unique_ptr<capnp::FlatArrayMessageReader> message_;
  capnp::List<capnp_snapshot::Object>::Reader objects_;
  capnp::List<capnp_snapshot::Kind>::Reader kinds_;
  unsigned next_object_ = 0;
  unsigned next_kind_ = 0;
};

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(const std::filesystem::path& path) {
  auto reader = std::make_unique<FileReader>(path);
  TRY(reader->Start());
  return reader;
}

}  // namespace portcullis::store
