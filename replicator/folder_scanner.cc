#include "replicator/folder_scanner.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "document/value.h"
#include "replicator/back_off.h"
#include "replicator/folder_tree.h"
#include "store/object_key.h"

namespace portcullis::replicator {
namespace {

using document::GroupVersionKind;
using document::Value;
using document::YamlDocument;
using std::chrono::steady_clock;

constexpr std::size_t kMaxProblems = 1'000;
constexpr std::chrono::milliseconds kRetryBase{500};
constexpr std::chrono::milliseconds kRetryLimit{30'000};

// What is kept of one object of a file.
struct Entry {
  std::uint64_t key = 0;      // Hash of the encoded object key.
  std::uint64_t content = 0;  // Hash of the object.
  std::uint32_t kind = 0;     // Place in the table of kinds.
  std::uint32_t name_at = 0;  // In FileRecord::names: "namespace NUL name NUL".
};

struct FileRecord {
  std::string path;
  std::vector<Entry> entries;
  std::string names;
  std::vector<std::uint64_t> shadowed;  // Keys that another file has, too, and had first.
  std::vector<Error> problems;
};

struct Follower {
  GroupVersionKind type;
  KindSink* sink = nullptr;
  KindStatus status;
  bool wants_list = true;
  steady_clock::time_point list_at{};
  std::unique_ptr<index::Reconciliation> list;  // While the scan that makes the list is under way.
  BackOff back_off{kRetryBase, kRetryLimit, 0};
  bool gone = false;
};

struct Identified {
  Value object;
  std::uint32_t kind = 0;
  std::uint64_t key = 0;
};

// Without a slash at its end, as FolderTree wants it.
std::string RootOf(const std::filesystem::path& folder) {
  std::string root = folder.lexically_normal().string();
  while (root.size() > 1 && root.back() == '/') {
    root.pop_back();
  }
  return root;
}

std::uint64_t HashOf(const store::ObjectKey& key) {
  return std::hash<std::string>()(store::EncodeKey(key));
}

}  // namespace

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
  std::map<GroupVersionKind, std::uint32_t> kind_numbers;
  std::vector<GroupVersionKind> kinds;
  // Deletes wait for the end of a scan: an object that moved to another file is then never absent.
  std::unordered_map<std::uint64_t, store::ObjectKey> deletes;

  // Held during each call of a sink, so that Unfollow can wait; sinks follow and unfollow others.
  std::recursive_mutex call_mutex;
  // Guarded by call_mutex:
  std::map<std::pair<GroupVersionKind, const KindSink*>, std::shared_ptr<Follower>> followers;

  mutable std::mutex board_mutex;
  // Guarded by board_mutex:
  std::map<std::pair<GroupVersionKind, const KindSink*>, KindStatus> statuses;
  std::vector<Error> problems;
  std::vector<std::string> folders;

  std::optional<Error> root_error;
  steady_clock::time_point root_retry_at{};

  std::uint32_t KindNumber(const GroupVersionKind& type);
  void Publish(const Follower& follower);
  std::vector<std::shared_ptr<Follower>> FollowersOf(std::uint32_t kind);
  void Call(Follower& follower, const std::function<Result<void>()>& call);
  std::vector<std::shared_ptr<Follower>> BeginLists();
  Result<TreeChanges> Look(const FolderChanges& changes);
  void ReadFile(const std::string& path);
  void Index(std::span<const YamlDocument> documents, FileRecord* fresh,
             std::unordered_set<std::uint64_t>* seen);
  std::unordered_set<std::uint64_t> Install(FileRecord& record, FileRecord fresh);
  void Emit(const FileRecord& record, std::span<const YamlDocument> documents,
            std::unordered_set<std::uint64_t>* changed);
  void Remove(const std::string& path);
  void Lose(FileRecord& record, const Entry& entry);
  void ForgetShadows(FileRecord& record);
  void ApplyDeletes();
  void PublishProblems();
};

std::uint32_t FolderScanner::State::KindNumber(const GroupVersionKind& type) {
  const auto [at, is_new] =
      kind_numbers.try_emplace(type, static_cast<std::uint32_t>(kinds.size()));
  if (is_new) {
    kinds.push_back(type);
  }
  return at->second;
}

void FolderScanner::State::Publish(const Follower& follower) {
  const std::lock_guard lock(board_mutex);
  if (!follower.gone) {
    statuses[{follower.type, follower.sink}] = follower.status;
  }
}

std::vector<std::shared_ptr<Follower>> FolderScanner::State::FollowersOf(std::uint32_t kind) {
  const std::lock_guard lock(call_mutex);
  std::vector<std::shared_ptr<Follower>> found;
  for (auto at = followers.lower_bound({kinds[kind], nullptr});
       at != followers.end() && at->first.first == kinds[kind]; ++at) {
    found.push_back(at->second);
  }
  return found;
}

// One call of a sink. A sink that fails is given a whole list later.
void FolderScanner::State::Call(Follower& follower, const std::function<Result<void>()>& call) {
  const std::lock_guard lock(call_mutex);
  if (follower.gone) {
    return;
  }
  const Result<void> result = call();
  if (!result) {
    follower.list.reset();
    follower.wants_list = true;
    follower.list_at = clock.Now() + follower.back_off.Next();
    follower.status.state = KindState::kFailing;
    follower.status.last_error = result.error().ToString();
    logger->Warning("replication waits",
                    {{"kind", follower.type.ToString()}, {"error", follower.status.last_error}});
  }
  Publish(follower);
}

std::vector<std::shared_ptr<Follower>> FolderScanner::State::BeginLists() {
  const std::lock_guard lock(call_mutex);
  std::vector<std::shared_ptr<Follower>> all;
  for (const auto& [key, follower] : followers) {
    all.push_back(follower);
  }
  std::vector<std::shared_ptr<Follower>> listing;
  for (const std::shared_ptr<Follower>& follower : all) {
    if (follower->gone || !follower->wants_list || follower->list_at > clock.Now()) {
      continue;
    }
    Call(*follower, [&]() -> Result<void> {
      Result<std::unique_ptr<index::Reconciliation>> list = follower->sink->BeginList();
      if (!list) {
        return std::unexpected(std::move(list).error());
      }
      follower->list = *std::move(list);
      follower->wants_list = false;
      follower->status.state = KindState::kListing;
      ++follower->status.lists;
      return {};
    });
    if (follower->list != nullptr) {
      listing.push_back(follower);
    }
  }
  return listing;
}

Result<TreeChanges> FolderScanner::State::Look(const FolderChanges& changes) {
  // Unread so far, or unreadable at the last attempt: what was told meanwhile is not known.
  if (changes.everything || root_error || tree.folders().empty()) {
    return tree.LookEverywhere();
  }
  TreeChanges all;
  for (const std::string& folder : changes.folders) {
    if (!tree.folders().contains(folder)) {
      continue;
    }
    Result<TreeChanges> some = tree.LookAt(folder);
    if (!some) {
      return some;
    }
    all.changed.merge(some->changed);
    all.removed.merge(some->removed);
  }
  for (const std::string& file : changes.files) {
    if (tree.files().contains(file)) {
      all.changed.insert(file);
    }
  }
  return all;
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
  for (const Entry& entry : record.entries) {
    before.emplace(entry.key, entry.content);
  }
  std::unordered_set<std::uint64_t> changed;
  std::unordered_set<std::uint64_t> kept;
  for (const Entry& entry : fresh.entries) {
    const auto old = before.find(entry.key);
    if (old == before.end() || old->second != entry.content) {
      changed.insert(entry.key);
    }
    kept.insert(entry.key);
    owners[entry.key] = &record;
    deletes.erase(entry.key);
  }
  for (const Entry& entry : record.entries) {
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

void FolderScanner::State::Lose(FileRecord& record, const Entry& entry) {
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
    for (const std::shared_ptr<Follower>& follower : FollowersOf(kind)) {
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
  for (const Entry& entry : found->second.entries) {
    Lose(found->second, entry);
  }
  records.erase(found);
}

void FolderScanner::State::ApplyDeletes() {
  std::map<std::uint32_t, std::vector<store::ObjectKey>> by_kind;
  for (auto& [hash, key] : std::exchange(deletes, {})) {
    by_kind[KindNumber(document::MakeGroupVersionKind(key.group_version, key.kind))].push_back(key);
  }
  for (const auto& [kind, keys] : by_kind) {
    for (const std::shared_ptr<Follower>& follower : FollowersOf(kind)) {
      // A list under way deletes by itself what it does not name.
      if (follower->list != nullptr || follower->wants_list) {
        continue;
      }
      Call(*follower, [&]() -> Result<void> {
        index::ChangeSet changes;
        changes.type = follower->type;
        changes.deletes = keys;
        follower->status.changes += keys.size();
        return follower->sink->Apply(changes);
      });
    }
  }
}

void FolderScanner::State::PublishProblems() {
  std::vector<Error> found;
  if (root_error) {
    found.push_back(*root_error);
  }
  for (const auto& [path, record] : records) {
    for (const Error& problem : record.problems) {
      if (found.size() < kMaxProblems) {
        found.push_back(problem);
      }
    }
  }
  const std::lock_guard lock(board_mutex);
  problems = std::move(found);
  folders.assign(tree.folders().begin(), tree.folders().end());
}

FolderScanner::FolderScanner(const std::filesystem::path& root, Clock& clock,
                             const std::shared_ptr<Logger>& logger, ManifestLimits limits)
    : state_(std::make_unique<State>(root, clock, logger, limits)) {}

FolderScanner::~FolderScanner() = default;

void FolderScanner::Follow(const GroupVersionKind& type, KindSink& sink) {
  const std::lock_guard lock(state_->call_mutex);
  std::shared_ptr<Follower>& follower = state_->followers[{type, &sink}];
  if (follower != nullptr) {
    return;
  }
  follower = std::make_shared<Follower>();
  follower->type = type;
  follower->sink = &sink;
  follower->status.type = type;
  follower->status.sink = &sink;
  state_->Publish(*follower);
}

void FolderScanner::Unfollow(const GroupVersionKind& type, KindSink& sink) {
  const std::lock_guard lock(state_->call_mutex);
  const auto found = state_->followers.find({type, &sink});
  if (found == state_->followers.end()) {
    return;
  }
  found->second->gone = true;
  found->second->list.reset();
  state_->followers.erase(found);
  const std::lock_guard board(state_->board_mutex);
  state_->statuses.erase({type, &sink});
}

std::vector<KindStatus> FolderScanner::Status() const {
  const std::lock_guard lock(state_->board_mutex);
  std::vector<KindStatus> statuses;
  for (const auto& [key, status] : state_->statuses) {
    statuses.push_back(status);
  }
  return statuses;
}

std::vector<Error> FolderScanner::Problems() const {
  const std::lock_guard lock(state_->board_mutex);
  return state_->problems;
}

std::vector<std::string> FolderScanner::folders() const {
  const std::lock_guard lock(state_->board_mutex);
  return state_->folders;
}

std::optional<steady_clock::time_point> FolderScanner::deadline() const {
  std::optional<steady_clock::time_point> earliest;
  const auto at = [&earliest](steady_clock::time_point when) {
    earliest = earliest ? std::min(*earliest, when) : when;
  };
  if (state_->root_error) {
    return state_->root_retry_at;
  }
  if (!state_->stale.empty()) {
    at(state_->clock.Now());
  }
  const std::lock_guard lock(state_->call_mutex);
  for (const auto& [key, follower] : state_->followers) {
    if (follower->wants_list) {
      at(follower->list_at);
    }
  }
  return earliest;
}

void FolderScanner::Scan(const FolderChanges& changes) {
  State& state = *state_;
  Result<TreeChanges> seen = state.Look(changes);
  if (!seen) {
    if (!state.root_error) {
      state.logger->Warning("folder not read", {{"error", seen.error().ToString()}});
    }
    state.root_error = seen.error();
    state.root_retry_at = state.clock.Now() + std::chrono::seconds(2);
    state.PublishProblems();
    return;
  }
  state.root_error.reset();
  std::set<std::string> to_read = std::move(seen->changed);
  to_read.merge(state.stale);
  state.stale.clear();
  const std::vector<std::shared_ptr<Follower>> listing = state.BeginLists();
  if (!listing.empty()) {
    std::set<std::uint32_t> kinds;
    for (const std::shared_ptr<Follower>& follower : listing) {
      kinds.insert(state.KindNumber(follower->type));
    }
    for (const auto& [path, record] : state.records) {
      const auto is_wanted = [&](const Entry& entry) { return kinds.contains(entry.kind); };
      if (std::any_of(record.entries.begin(), record.entries.end(), is_wanted)) {
        to_read.insert(path);
      }
    }
  }
  for (const std::string& path : seen->removed) {
    to_read.erase(path);
    state.Remove(path);
  }
  for (const std::string& path : to_read) {
    state.ReadFile(path);
  }
  state.ApplyDeletes();
  for (const std::shared_ptr<Follower>& follower : listing) {
    state.Call(*follower, [&]() -> Result<void> {
      if (follower->list == nullptr) {
        return {};
      }
      Result<index::ReconcileResult> finished = follower->list->Finish("");
      if (!finished) {
        return std::unexpected(std::move(finished).error());
      }
      follower->list.reset();
      follower->back_off.Reset();
      follower->status.state = KindState::kWatching;
      follower->status.synced = true;
      follower->status.last_error.clear();
      follower->status.changes += finished->written + finished->deleted;
      state.logger->Info("listed", {{"kind", follower->type.ToString()},
                                    {"written", static_cast<std::int64_t>(finished->written)},
                                    {"unchanged", static_cast<std::int64_t>(finished->unchanged)},
                                    {"deleted", static_cast<std::int64_t>(finished->deleted)}});
      return {};
    });
  }
  const steady_clock::time_point now = state.clock.Now();
  {
    const std::lock_guard lock(state.call_mutex);
    for (const auto& [key, follower] : state.followers) {
      follower->status.last_contact = now;
      state.Publish(*follower);
    }
  }
  state.PublishProblems();
}

}  // namespace portcullis::replicator
