#include "index/snapshot.h"

#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "index/record.h"

namespace portcullis::index {
namespace {

using store::Family;

constexpr std::uint64_t kProgressEvery = 1000;
constexpr std::size_t kBytesABatch = std::size_t{4} << 20;

void Report(const Progress& progress, std::uint64_t done, std::uint64_t total) {
  if (progress && done % kProgressEvery == 0) {
    progress(done, total);
  }
}

Result<std::uint64_t> CountObjects(store::Store& store, const store::Snapshot& snapshot) {
  std::uint64_t total = 0;
  const auto it = store.NewIterator(Family::kPositions, store::Reading::kOrdered, &snapshot);
  for (it->Seek(kCountsPrefix); it->Valid() && it->key().starts_with(kCountsPrefix); it->Next()) {
    total += TRY(DecodeCounts(it->value())).objects;
  }
  TRY(it->Check());
  return total;
}

Result<void> WriteKinds(store::Store& store, const store::Snapshot& snapshot,
                        store::SnapshotWriter& writer) {
  const auto it = store.NewIterator(Family::kPositions, store::Reading::kOrdered, &snapshot);
  for (it->Seek(kPositionPrefix); it->Valid() && it->key().starts_with(kPositionPrefix);
       it->Next()) {
    const auto type = DecodeTypeKey(kPositionPrefix, it->key());
    if (!type) {
      return Fail(ErrorCode::kCorruption, "the store holds a position under bytes that are no key");
    }
    const ReplicationPosition position = TRY(DecodePosition(it->value()));
    TRY(writer.AddKind({.type = *type,
                        .resource_version = position.resource_version,
                        .complete = position.complete}));
  }
  return it->Check();
}

Result<store::SnapshotCounts> Fill(store::SnapshotReader& reader, store::Store& store,
                                   const Progress& progress) {
  const std::unique_ptr<store::Batch> batch = store.NewBatch();
  std::map<KindKey, KindCounts> counts;
  std::uint64_t done = 0;
  while (const std::optional<store::SnapshotEntry> entry = TRY(reader.NextObject())) {
    batch->Put(Family::kObjects, entry->key_bytes, entry->record);
    KindCounts& kind = counts[{.scope = entry->key.scope,
                               .group_version = std::string(entry->key.group_version),
                               .kind = std::string(entry->key.kind)}];
    if (!entry->key.name.empty()) {
      kind.objects += 1;
      kind.encoded_bytes += entry->record.size();
      Report(progress, ++done, reader.counts().objects);
    }
    if (batch->size_bytes() > kBytesABatch) {
      TRY(store.Write(*batch));
      batch->Clear();
    }
  }
  while (const std::optional<store::SnapshotKind> kind = TRY(reader.NextKind())) {
    batch->Put(
        Family::kPositions, PositionKey(kind->type),
        EncodePosition({.resource_version = kind->resource_version, .complete = kind->complete}));
  }
  for (const auto& [kind, count] : counts) {
    batch->Put(Family::kPositions, CountsKey(kind), EncodeCounts(count));
  }
  TRY(store.Write(*batch));
  TRY(store.Flush());
  return reader.counts();
}

Result<void> CheckIsFree(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) {
    return {};
  }
  if (!error && std::filesystem::is_directory(path, error) &&
      std::filesystem::is_empty(path, error)) {
    return {};
  }
  if (error) {
    return Fail(ErrorCode::kUnavailable,
                "cannot look into " + path.string() + ": " + error.message());
  }
  return Fail(ErrorCode::kConflict, "there is something in " + path.string() +
                                        " already: name a folder that does not exist yet");
}

}  // namespace

Result<store::SnapshotCounts> WriteSnapshot(Inventory& inventory, const std::filesystem::path& path,
                                            const Progress& progress) {
  store::Store& store = inventory.store();
  const std::unique_ptr<store::Snapshot> snapshot = store.TakeSnapshot();
  const std::uint64_t total = TRY(CountObjects(store, *snapshot));
  const std::unique_ptr<store::SnapshotWriter> writer = TRY(store::SnapshotWriter::Create(path));
  const auto it = store.NewIterator(Family::kObjects, store::Reading::kScanOnce, snapshot.get());
  for (it->Seek(""); it->Valid(); it->Next()) {
    TRY(writer->AddObject(it->key(), it->value()));
    Report(progress, writer->counts().objects, total);
  }
  TRY(it->Check());
  TRY(WriteKinds(store, *snapshot, *writer));
  TRY(writer->Finish());
  return writer->counts();
}

Result<store::SnapshotCounts> RestoreSnapshot(const std::filesystem::path& path,
                                              const store::StoreOptions& options,
                                              const Progress& progress) {
  TRY(CheckIsFree(options.path));
  const std::unique_ptr<store::SnapshotReader> reader = TRY(store::SnapshotReader::Open(path));
  store::StoreOptions side = options;
  side.path = (options.path.has_filename() ? options.path : options.path.parent_path()).string() +
              ".restoring";
  std::error_code error;
  // What an earlier restore left that did not come to its end.
  std::filesystem::remove_all(side.path, error);
  Result<store::SnapshotCounts> counts = Fail(ErrorCode::kInternal, "");
  {
    const std::unique_ptr<store::Store> store = TRY(store::Store::Open(side));
    counts = Fill(*reader, *store, progress);
  }
  if (counts) {
    std::filesystem::rename(side.path, options.path, error);
    if (!error) {
      return counts;
    }
    counts = Fail(ErrorCode::kUnavailable, "cannot give the restored store its name " +
                                               options.path.string() + ": " + error.message());
  }
  std::error_code ignored;
  std::filesystem::remove_all(side.path, ignored);
  return counts;
}

}  // namespace portcullis::index
