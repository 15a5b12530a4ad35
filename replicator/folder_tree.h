// Which manifest files lie in a folder and which of them changed.

#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/error.h"

namespace portcullis::replicator {

// What shows that a file is another than before.
struct FileStamp {
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  friend auto operator<=>(const FileStamp&, const FileStamp&) = default;
};

struct TreeChanges {
  std::set<std::string> changed;  // New ones, too.
  std::set<std::string> removed;
};

// Paths are strings without a slash at their end: std::filesystem::path compares part by part, which is slow for a million.
// THREADS: one.
class FolderTree {
 public:
  explicit FolderTree(std::string root) : root_(std::move(root)) {}

  // Looks at every folder. ERRORS: the root cannot be read: nothing is taken as removed.
  Result<TreeChanges> LookEverywhere();
  // Looks at one folder, and at all that is below it only where it is new.
  Result<TreeChanges> LookAt(const std::string& folder);

  [[nodiscard]] const std::set<std::string>& folders() const { return folders_; }
  [[nodiscard]] const std::map<std::string, FileStamp>& files() const { return files_; }

 private:
  struct Look;
  Result<void> Visit(const std::string& folder, Look* look);
  void Forget(const std::string& folder, TreeChanges* changes);

  const std::string root_;
  std::set<std::string> folders_;
  std::map<std::string, FileStamp> files_;
};

}  // namespace portcullis::replicator
