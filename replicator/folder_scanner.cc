#include "replicator/folder_scanner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "replicator/folder_scanner_state.h"

namespace portcullis::replicator {
namespace {

using document::GroupVersionKind;
using std::chrono::steady_clock;

constexpr std::size_t kMaxProblems = 1'000;

}  // namespace

std::uint32_t FolderScanner::State::KindNumber(const GroupVersionKind& type) {
  const auto [at, is_new] =
      kind_numbers.try_emplace(type, static_cast<std::uint32_t>(kinds.size()));
  if (is_new) {
    kinds.push_back(type);
  }
  return at->second;
}

void FolderScanner::State::Publish(const FolderFollower& follower) {
  const std::lock_guard lock(board_mutex);
  if (!follower.gone) {
    statuses[{follower.type, follower.sink}] = follower.status;
  }
}

std::vector<std::shared_ptr<FolderFollower>> FolderScanner::State::FollowersOf(std::uint32_t kind) {
  const std::lock_guard lock(call_mutex);
  std::vector<std::shared_ptr<FolderFollower>> found;
  for (auto at = followers.lower_bound({kinds[kind], nullptr});
       at != followers.end() && at->first.first == kinds[kind]; ++at) {
    found.push_back(at->second);
  }
  return found;
}

// One call of a sink. A sink that fails is given a whole list later.
void FolderScanner::State::Call(FolderFollower& follower,
                                const std::function<Result<void>()>& call) {
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

std::vector<std::shared_ptr<FolderFollower>> FolderScanner::State::BeginLists() {
  const std::lock_guard lock(call_mutex);
  std::vector<std::shared_ptr<FolderFollower>> all;
  for (const auto& [key, follower] : followers) {
    all.push_back(follower);
  }
  std::vector<std::shared_ptr<FolderFollower>> listing;
  for (const std::shared_ptr<FolderFollower>& follower : all) {
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

void FolderScanner::State::ApplyDeletes() {
  std::map<std::uint32_t, std::vector<store::ObjectKey>> by_kind;
  for (auto& [hash, key] : std::exchange(deletes, {})) {
    by_kind[KindNumber(document::MakeGroupVersionKind(key.group_version, key.kind))].push_back(key);
  }
  for (const auto& [kind, keys] : by_kind) {
    for (const std::shared_ptr<FolderFollower>& follower : FollowersOf(kind)) {
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
  std::shared_ptr<FolderFollower>& follower = state_->followers[{type, &sink}];
  if (follower != nullptr) {
    return;
  }
  follower = std::make_shared<FolderFollower>();
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
  const std::vector<std::shared_ptr<FolderFollower>> listing = state.BeginLists();
  if (!listing.empty()) {
    std::set<std::uint32_t> kinds;
    for (const std::shared_ptr<FolderFollower>& follower : listing) {
      kinds.insert(state.KindNumber(follower->type));
    }
    for (const auto& [path, record] : state.records) {
      const auto is_wanted = [&](const FileEntry& entry) { return kinds.contains(entry.kind); };
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
  for (const std::shared_ptr<FolderFollower>& follower : listing) {
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
