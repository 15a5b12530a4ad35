// A source without threads: what the test puts reaches the sinks at once.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "document/json.h"
#include "document/yaml.h"
#include "replicator/source.h"
#include "store/object_key.h"

namespace portcullis::controller {

class ScriptedSource final : public replicator::Source {
 public:
  explicit ScriptedSource(bool converts) : converts_(converts) {}

  // Each document of `yaml`.
  void Put(const std::string& yaml) {
    document::Arena arena;
    const std::vector<document::YamlDocument> documents = document::ParseYaml(yaml, arena).value();
    for (const document::YamlDocument& document : documents) {
      const document::ObjectIdentity identity = document::IdentityOf(document.value).value();
      objects_[identity.type][store::KeyOf(identity).value()] = document::ToJson(document.value);
      index::ChangeSet changes;
      changes.type = identity.type;
      changes.puts = {document.value};
      Send(changes);
    }
  }
  void Delete(const document::GroupVersionKind& type, const std::string& name,
              const std::string& name_space = "") {
    store::ObjectKey key{name_space.empty() ? store::Scope::kCluster : store::Scope::kNamespaced,
                         name_space, type.group_version(), type.kind, name};
    objects_[type].erase(key);
    index::ChangeSet changes;
    changes.type = type;
    changes.deletes = {key};
    Send(changes);
  }
  // From now on follows are kept waiting, as a server that does not answer.
  void Hold() { held_ = true; }
  void Release() {
    held_ = false;
    for (const auto& [type, sink] : std::exchange(waiting_, {})) {
      List(type, *sink);
    }
  }
  [[nodiscard]] bool follows(const document::GroupVersionKind& type) const {
    for (const auto& [followed, sink] : followed_) {
      if (followed == type) {
        return true;
      }
    }
    return false;
  }

  void Follow(const document::GroupVersionKind& type, replicator::KindSink& sink) override {
    followed_.emplace(type, &sink);
    if (held_) {
      waiting_.emplace(type, &sink);
    } else {
      List(type, sink);
    }
  }
  void Unfollow(const document::GroupVersionKind& type, replicator::KindSink& sink) override {
    followed_.erase({type, &sink});
    waiting_.erase({type, &sink});
    synced_.erase(&sink);
  }
  [[nodiscard]] std::vector<replicator::KindStatus> Status() const override {
    std::vector<replicator::KindStatus> statuses;
    for (const auto& [type, sink] : followed_) {
      replicator::KindStatus status;
      status.type = type;
      status.sink = sink;
      status.synced = synced_.contains(sink);
      statuses.push_back(status);
    }
    return statuses;
  }
  [[nodiscard]] std::vector<Error> Problems() const override { return {}; }
  [[nodiscard]] bool converts_versions() const override { return converts_; }
  [[nodiscard]] std::string Description() const override { return "the test"; }

 private:
  void List(const document::GroupVersionKind& type, replicator::KindSink& sink) {
    document::Arena arena;
    std::vector<document::Value> values;
    for (const auto& [key, json] : objects_[type]) {
      values.push_back(document::ParseJson(json, arena).value());
    }
    auto list = sink.BeginList().value();
    list->Add(values).value();
    list->Finish("1").value();
    synced_.insert(&sink);
  }
  void Send(const index::ChangeSet& changes) {
    for (const auto& [type, sink] : std::set(followed_)) {
      if (type == changes.type && followed_.contains({type, sink}) && synced_.contains(sink)) {
        sink->Apply(changes).value();
      }
    }
  }

  const bool converts_;
  bool held_ = false;
  std::map<document::GroupVersionKind, std::map<store::ObjectKey, std::string>> objects_;
  std::set<std::pair<document::GroupVersionKind, replicator::KindSink*>> followed_;
  std::set<std::pair<document::GroupVersionKind, replicator::KindSink*>> waiting_;
  std::set<const replicator::KindSink*> synced_;
};

}  // namespace portcullis::controller
