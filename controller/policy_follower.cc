#include "controller/policy_follower.h"

#include <algorithm>

namespace portcullis::controller {

using document::Value;

std::vector<std::string> VersionsToFollow(const replicator::Source& source,
                                          std::vector<std::string> newest_first) {
  if (source.converts_versions()) {
    newest_first.resize(1);
  }
  return newest_first;
}

std::string WaitingLine(std::string_view what, const replicator::KindStatus& status) {
  return std::string(what) + ": " + status.type.ToString() +
         (status.last_error.empty() ? "" : ": " + status.last_error);
}

PolicyFollower::PolicyFollower(replicator::Source& source, PodStatuses* statuses,
                               StatusSubject subject, std::shared_ptr<Logger> logger,
                               std::function<Findings()> find)
    : source_(source),
      statuses_(statuses),
      subject_(subject),
      logger_(std::move(logger)),
      find_(std::move(find)) {}

PolicyFollower::~PolicyFollower() {
  for (const auto& followed : followed_) {
    source_.Unfollow(followed->type, *followed->sink);
  }
}

void PolicyFollower::Add(std::string_view group, const std::string& kind,
                         const std::vector<std::string>& newest_first,
                         const PolicyHandler& handler) {
  for (const std::string& version : VersionsToFollow(source_, newest_first)) {
    auto followed = std::make_unique<Followed>();
    const Followed* from = followed.get();
    followed->type = {std::string(group), version, kind};
    followed->handler = handler;
    followed->sink = std::make_unique<ObjectSink>(
        ObjectHandler{.put = [this, from](const ObjectName& name,
                                          const Value& object) { Put(*from, name, object); },
                      .remove = [this, from](const ObjectName& name) { Remove(*from, name); },
                      .settled = [this, from](bool listed) { Settle(from->type.kind, listed); }});
    followed_.push_back(std::move(followed));
  }
}

void PolicyFollower::Start() {
  for (const auto& followed : followed_) {
    source_.Follow(followed->type, *followed->sink);
  }
}

SubjectKey PolicyFollower::KeyOf(const std::string& kind, const ObjectName& name) const {
  if (subject_ == StatusSubject::kMutator) {
    return {.subject = subject_, .kind = kind, .name_space = name.name_space, .name = name.name};
  }
  return {.subject = subject_, .name = name.name};
}

void PolicyFollower::Put(const Followed& from, const ObjectName& name, const Value& object) {
  const SubjectKey key = KeyOf(from.type.kind, name);
  const auto [at, is_new] = known_.try_emplace(key, Known{from.type.version});
  Known& known = at->second;
  if (known.version != from.type.version) {
    logger_->Warning("there is another object of this name, of another version: that one counts",
                     {{"kind", std::string_view(from.type.kind)},
                      {"name", std::string_view(name.name)},
                      {"version", std::string_view(known.version)}});
    return;
  }
  const std::string uid = UidOf(object);
  if (statuses_ != nullptr) {
    statuses_->Meet(key, uid, object.Get({"status", "byPod"}));
  }
  // Without an API server there is no generation.
  if (const std::int64_t generation = GenerationOf(object); generation != 0) {
    const std::string revision = uid + "/" + std::to_string(generation);
    if (std::exchange(known.revision, revision) == revision) {
      return;
    }
  }
  from.handler.put(name, object);
}

void PolicyFollower::Remove(const Followed& from, const ObjectName& name) {
  const SubjectKey key = KeyOf(from.type.kind, name);
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.version != from.type.version) {
    return;
  }
  known_.erase(found);
  from.handler.remove(name);
  if (statuses_ != nullptr) {
    statuses_->Remove(key);
    written_.erase(key);
  }
}

void PolicyFollower::Settle(const std::string& kind, bool listed) {
  if (statuses_ == nullptr) {
    return;
  }
  if (find_) {
    for (auto& [key, finding] : find_()) {
      const auto written = written_.find(key);
      if (written == written_.end() || written->second != finding) {
        statuses_->Put(key, finding);
        written_.insert_or_assign(key, std::move(finding));
      }
    }
  }
  if (listed) {
    statuses_->SetListed(subject_, KeyOf(kind, {}).kind);
  }
}

std::vector<std::string> PolicyFollower::WaitingFor(std::string_view what) const {
  std::vector<std::string> waiting;
  for (const replicator::KindStatus& status : source_.Status()) {
    const bool ours = std::ranges::any_of(
        followed_, [&status](const auto& followed) { return followed->sink.get() == status.sink; });
    if (ours && !status.synced) {
      waiting.push_back(WaitingLine(what, status));
    }
  }
  return waiting;
}

}  // namespace portcullis::controller
