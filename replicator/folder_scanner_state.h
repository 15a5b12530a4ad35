// What a FolderScanner keeps, and the steps of its scans: folder_scanner.cc those that concern its sinks, folder_scanner_files.cc
// those that concern files.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "document/value.h"
#include "replicator/back_off.h"
#include "replicator/folder_scanner.h"
#include "replicator/folder_tree.h"
#include "store/object_key.h"

namespace portcullis::replicator {

// What is kept of one object of a file.
struct FileEntry {
  std::uint64_t key = 0;      // Hash of the encoded object key.
  std::uint64_t content = 0;  // Hash of the object.
  std::uint32_t kind = 0;     // Place in the table of kinds.
  std::uint32_t name_at = 0;  // In FileRecord::names: "namespace NUL name NUL".
};

struct FileRecord {
  std::string path;
  std::vector<FileEntry> entries;
  std::string names;
  std::vector<std::uint64_t> shadowed;  // Keys that another file has, too, and had first.
  std::vector<Error> problems;
};

struct FolderFollower {
  document::GroupVersionKind type;
  KindSink* sink = nullptr;
  KindStatus status;
  bool wants_list = true;
  std::chrono::steady_clock::time_point list_at{};
  std::unique_ptr<index::Reconciliation> list;  // While the scan that makes the list is under way.
  BackOff back_off{std::chrono::milliseconds(500), std::chrono::milliseconds(30'000), 0};
  bool gone = false;
};

// Without a slash at its end, as FolderTree wants it.
[[nodiscard]] std::string RootOf(const std::filesystem::path& folder);

struct FolderScanner::State {
  State(const std::filesystem::path& folder, Clock& time, const std::shared_ptr<Logger>& log,
        ManifestLimits reader_limits)
      : root(RootOf(folder)),
        clock(time),
        logger(log->Named("replicator")),
        limits(reader_limits),
        tree(root) {}

  const std::string root;
  Clock& clock;
  const std::shared_ptr<Logger> logger;
  const ManifestLimits limits;

  // Of the scanning thread.
  FolderTree tree;
  std::map<std::string, FileRecord> records;
  std::unordered_map<std::uint64_t, const FileRecord*> owners;
  // Key of a shadowed object -> the files that wait to have it.
  std::unordered_multimap<std::uint64_t, std::string> waiting;
  std::set<std::string> stale;  // To be read again by the next scan.
  std::map<document::GroupVersionKind, std::uint32_t> kind_numbers;
  std::vector<document::GroupVersionKind> kinds;
  // Deletes wait for the end of a scan: an object that moved to another file is then never absent.
  std::unordered_map<std::uint64_t, store::ObjectKey> deletes;

  // Held during each call of a sink, so that Unfollow can wait; sinks follow and unfollow others.
  std::recursive_mutex call_mutex;
  // Guarded by call_mutex:
  std::map<std::pair<document::GroupVersionKind, const KindSink*>, std::shared_ptr<FolderFollower>>
      followers;

  mutable std::mutex board_mutex;
  // Guarded by board_mutex:
  std::map<std::pair<document::GroupVersionKind, const KindSink*>, KindStatus> statuses;
  std::vector<Error> problems;
  std::vector<std::string> folders;

  std::optional<Error> root_error;
  std::chrono::steady_clock::time_point root_retry_at{};

  std::uint32_t KindNumber(const document::GroupVersionKind& type);
  void Publish(const FolderFollower& follower);
  std::vector<std::shared_ptr<FolderFollower>> FollowersOf(std::uint32_t kind);
  void Call(FolderFollower& follower, const std::function<Result<void>()>& call);
  std::vector<std::shared_ptr<FolderFollower>> BeginLists();
  Result<TreeChanges> Look(const FolderChanges& changes);
  void ReadFile(const std::string& path);
  void Index(std::span<const document::YamlDocument> documents, FileRecord* fresh,
             std::unordered_set<std::uint64_t>* seen);
  std::unordered_set<std::uint64_t> Install(FileRecord& record, FileRecord fresh);
  void Emit(const FileRecord& record, std::span<const document::YamlDocument> documents,
            std::unordered_set<std::uint64_t>* changed);
  void Remove(const std::string& path);
  void Lose(FileRecord& record, const FileEntry& entry);
  void ForgetShadows(FileRecord& record);
  void ApplyDeletes();
  void PublishProblems();
};

}  // namespace portcullis::replicator
