#include <algorithm>
#include <functional>
#include <utility>

#include "replicator/folder_scanner_state.h"

namespace portcullis::replicator {
namespace {

using document::Value;
using document::YamlDocument;

constexpr std::size_t kMaxProblems = 1'000;

struct Identified {
  Value object;
  std::uint32_t kind = 0;
  std::uint64_t key = 0;
};

std::uint64_t HashOf(const store::ObjectKey& key) {
  return std::hash<std::string>()(store::EncodeKey(key));
}

}  // namespace

std::string RootOf(const std::filesystem::path& folder) {
  std::string root = folder.lexically_normal().string();
  while (root.size() > 1 && root.back() == '/') {
    root.pop_back();
  }
  return root;
}

void FolderScanner::State::Index(std::span<const YamlDocument> documents, FileRecord* fresh,
                                 std::unordered_set<std::uint64_t>* seen) {
  const auto report = [&](const YamlDocument& document, ErrorCode code, std::string message) {
    if (fresh->problems.size() < kMaxProblems) {
      fresh->problems.push_back(
          {code, std::move(message), Position{fresh->path, document.line, 0}});
    }
  };
  for (const YamlDocument& document : documents) {
    const Result<document::ObjectIdentity> identity = document::IdentityOf(document.value);
    const Result<store::ObjectKey> key =
        identity ? store::KeyOf(*identity) : std::unexpected(identity.error());
    if (!key) {
      report(document, key.error().code, key.error().message);
      continue;
    }
    const std::uint64_t hash = HashOf(*key);
    const std::string name = identity->type.ToString() + " " +
                             (key->name_space.empty() ? "" : key->name_space + "/") + key->name;
    if (!seen->insert(hash).second) {
      report(document, ErrorCode::kConflict, name + " is in this file twice: the first counts");
      continue;
    }
    const auto owner = owners.find(hash);
    if (owner != owners.end() && owner->second->path != fresh->path) {
      report(document, ErrorCode::kConflict,
             name + " is in " + owner->second->path + ", too: that one counts");
      fresh->shadowed.push_back(hash);
      continue;
    }
    fresh->entries.push_back({hash, document::Hash(document.value), KindNumber(identity->type),
                              static_cast<std::uint32_t>(fresh->names.size())});
    fresh->names.append(key->name_space).push_back('\0');
    fresh->names.append(key->name).push_back('\0');
  }
}

// Puts the new content of a file in the place of the old. Gives the keys whose object is new or another.
std::unordered_set<std::uint64_t> FolderScanner::State::Install(FileRecord& record,
                                                                FileRecord fresh) {
  ForgetShadows(record);
  std::unordered_map<std::uint64_t, std::uint64_t> before;
  before.reserve(record.entries.size());
  for (const FileEntry& entry : record.entries) {
    before.emplace(entry.key, entry.content);
  }
  std::unordered_set<std::uint64_t> changed;
  std::unordered_set<std::uint64_t> kept;
  for (const FileEntry& entry : fresh.entries) {
    const auto old = before.find(entry.key);
    if (old == before.end() || old->second != entry.content) {
      changed.insert(entry.key);
    }
    kept.insert(entry.key);
    owners[entry.key] = &record;
    deletes.erase(entry.key);
  }
  for (const FileEntry& entry : record.entries) {
    if (!kept.contains(entry.key)) {
      Lose(record, entry);
    }
  }
  record = std::move(fresh);
  for (const std::uint64_t key : record.shadowed) {
    waiting.emplace(key, record.path);
  }
  return changed;
}

void FolderScanner::State::Lose(FileRecord& record, const FileEntry& entry) {
  owners.erase(entry.key);
  const char* name_space = record.names.data() + entry.name_at;
  store::ObjectKey key;
  key.name_space = name_space;
  key.name = name_space + key.name_space.size() + 1;
  key.scope = key.name_space.empty() ? store::Scope::kCluster : store::Scope::kNamespaced;
  key.group_version = kinds[entry.kind].group_version();
  key.kind = kinds[entry.kind].kind;
  deletes.emplace(entry.key, std::move(key));
  const auto [begin, end] = waiting.equal_range(entry.key);
  for (auto at = begin; at != end; ++at) {
    stale.insert(at->second);
  }
}

void FolderScanner::State::ForgetShadows(FileRecord& record) {
  for (const std::uint64_t key : record.shadowed) {
    const auto [begin, end] = waiting.equal_range(key);
    for (auto at = begin; at != end; ++at) {
      if (at->second == record.path) {
        waiting.erase(at);
        break;
      }
    }
  }
}

// Gives the sinks what they lack of these objects: a list all, the others those that changed.
void FolderScanner::State::Emit(const FileRecord& record, std::span<const YamlDocument> documents,
                                std::unordered_set<std::uint64_t>* changed) {
  std::map<std::uint32_t, std::vector<Identified>> by_kind;
  std::unordered_set<std::uint64_t> seen;
  for (const YamlDocument& document : documents) {
    const Result<document::ObjectIdentity> identity = document::IdentityOf(document.value);
    const Result<store::ObjectKey> key =
        identity ? store::KeyOf(*identity) : std::unexpected(identity.error());
    if (!key) {
      continue;
    }
    const std::uint64_t hash = HashOf(*key);
    const auto owner = owners.find(hash);
    if (owner == owners.end() || owner->second != &record || !seen.insert(hash).second) {
      continue;
    }
    const std::uint32_t kind = KindNumber(identity->type);
    by_kind[kind].push_back({document.value, kind, hash});
  }
  for (const auto& [kind, objects] : by_kind) {
    for (const std::shared_ptr<FolderFollower>& follower : FollowersOf(kind)) {
      std::vector<Value> wanted;
      for (const Identified& object : objects) {
        if (follower->list != nullptr || changed->contains(object.key)) {
          wanted.push_back(object.object);
        }
      }
      if (wanted.empty() || (follower->list == nullptr && follower->wants_list)) {
        continue;
      }
      Call(*follower, [&]() -> Result<void> {
        if (follower->list != nullptr) {
          return follower->list->Add(wanted);
        }
        index::ChangeSet changes;
        changes.type = follower->type;
        changes.puts = std::move(wanted);
        follower->status.changes += changes.puts.size();
        return follower->sink->Apply(changes);
      });
    }
  }
  // A second object of the same key further down in a long file is not the one that counts.
  for (const auto& [kind, objects] : by_kind) {
    for (const Identified& object : objects) {
      changed->erase(object.key);
    }
  }
}

void FolderScanner::State::ReadFile(const std::string& path) {
  FileRecord& record = records[path];
  record.path = path;
  FileRecord fresh;
  fresh.path = path;
  std::unordered_set<std::uint64_t> seen;
  std::unordered_set<std::uint64_t> changed;
  const auto stamp = tree.files().find(path);
  // A long file is read twice, once to see that all of it can be read: never a half of it.
  const bool is_long = stamp != tree.files().end() && stamp->second.size > limits.whole_bytes;
  bool installed = false;
  Result<void> read =
      ReadManifests(path, limits, [&](std::span<const YamlDocument> documents) -> Result<void> {
        Index(documents, &fresh, &seen);
        if (!is_long && !installed) {
          installed = true;
          changed = Install(record, std::move(fresh));
          Emit(record, documents, &changed);
        }
        return {};
      });
  if (read && !installed) {
    changed = Install(record, std::move(fresh));
    read =
        ReadManifests(path, limits, [&](std::span<const YamlDocument> documents) -> Result<void> {
          Emit(record, documents, &changed);
          return {};
        });
  }
  if (!read) {
    logger->Warning("manifest not read", {{"error", read.error().ToString()}});
    std::erase_if(record.problems,
                  [](const Error& error) { return error.code != ErrorCode::kConflict; });
    record.problems.push_back(read.error());
  }
}

void FolderScanner::State::Remove(const std::string& path) {
  const auto found = records.find(path);
  if (found == records.end()) {
    return;
  }
  ForgetShadows(found->second);
  for (const FileEntry& entry : found->second.entries) {
    Lose(found->second, entry);
  }
  records.erase(found);
}

}  // namespace portcullis::replicator
