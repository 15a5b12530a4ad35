#include "replicator/folder_tree.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

namespace portcullis::replicator {
namespace {

// What a folder is, whatever link led to it.
using FolderId = std::pair<dev_t, ino_t>;

bool IsManifestName(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp StampOf(const struct stat& about) {
  return {Nanoseconds(about.st_mtim), Nanoseconds(about.st_ctim),
          static_cast<std::uint64_t>(about.st_size), about.st_ino};
}

// Those of `paths` that lie directly in `folder`.
template <class Container, class NameOf>
std::vector<std::string> DirectlyIn(const Container& paths, const std::string& folder,
                                    NameOf name_of) {
  std::vector<std::string> found;
  const std::string prefix = folder + "/";
  for (auto at = paths.lower_bound(prefix); at != paths.end(); ++at) {
    const std::string& candidate = name_of(*at);
    if (!candidate.starts_with(prefix)) {
      break;
    }
    if (candidate.find('/', prefix.size()) == std::string::npos) {
      found.push_back(candidate);
    }
  }
  return found;
}

}  // namespace

struct FolderTree::Look {
  bool everywhere = false;
  std::vector<FolderId>
      way;  // From the root to the folder that is visited: a link back into it is a ring.
  TreeChanges changes;
};

Result<TreeChanges> FolderTree::LookEverywhere() {
  Look look;
  look.everywhere = true;
  if (Result<void> seen = Visit(root_, &look); !seen) {
    return std::unexpected(std::move(seen).error());
  }
  return std::move(look.changes);
}

Result<TreeChanges> FolderTree::LookAt(const std::string& folder) {
  Look look;
  for (std::size_t at = root_.size(); at < folder.size(); at = folder.find('/', at + 1)) {
    struct stat about{};
    if (::stat(folder.substr(0, at).c_str(), &about) == 0) {
      look.way.emplace_back(about.st_dev, about.st_ino);
    }
  }
  const Result<void> seen = Visit(folder, &look);
  if (!seen && folder == root_) {
    return std::unexpected(seen.error());
  }
  if (!seen && seen.error().code == ErrorCode::kNotFound) {
    Forget(folder, &look.changes);
  }
  return std::move(look.changes);
}

Result<void> FolderTree::Visit(const std::string& folder, Look* look) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (directory == nullptr) {
    const ErrorCode code =
        errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
    return Fail(code, folder + ": " + std::strerror(errno));
  }
  struct stat self{};
  if (::fstat(::dirfd(directory.get()), &self) != 0) {
    return Fail(ErrorCode::kUnavailable, folder + ": " + std::strerror(errno));
  }
  const FolderId id(self.st_dev, self.st_ino);
  if (std::ranges::find(look->way, id) != look->way.end()) {
    return {};
  }
  look->way.push_back(id);
  folders_.insert(folder);
  std::set<std::string> seen;
  std::vector<std::string> below;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) {
      continue;
    }
    std::string full = folder + "/" + std::string(name);
    struct stat about{};
    // Links are followed. One that leads nowhere is as good as absent.
    if (::stat(full.c_str(), &about) != 0) {
      continue;
    }
    if (S_ISDIR(about.st_mode)) {
      if (look->everywhere || !folders_.contains(full)) {
        below.push_back(full);
      }
      seen.insert(std::move(full));
    } else if (S_ISREG(about.st_mode) && IsManifestName(name)) {
      const FileStamp stamp = StampOf(about);
      const auto [at, is_new] = files_.try_emplace(full, stamp);
      if (is_new || at->second != stamp) {
        at->second = stamp;
        look->changes.changed.insert(full);
      }
      seen.insert(std::move(full));
    }
  }
  for (const std::string& file : DirectlyIn(
           files_, folder, [](const auto& entry) -> const std::string& { return entry.first; })) {
    if (!seen.contains(file)) {
      files_.erase(file);
      look->changes.removed.insert(file);
    }
  }
  for (const std::string& gone :
       DirectlyIn(folders_, folder,
                  [](const std::string& entry) -> const std::string& { return entry; })) {
    if (!seen.contains(gone)) {
      Forget(gone, &look->changes);
    }
  }
  for (const std::string& child : below) {
    // A folder that may not be read, or has just gone, keeps what it had until it is seen to be gone.
    std::ignore = Visit(child, look);
  }
  look->way.pop_back();
  return {};
}

void FolderTree::Forget(const std::string& folder, TreeChanges* changes) {
  const auto is_below = [prefix = folder + "/", &folder](const std::string& candidate) {
    return candidate == folder || candidate.starts_with(prefix);
  };
  std::erase_if(folders_, is_below);
  std::erase_if(files_, [&](const auto& file) {
    if (!is_below(file.first)) {
      return false;
    }
    changes->removed.insert(file.first);
    return true;
  });
}

}  // namespace portcullis::replicator
