// A sink that is a plain map, for comparing with what a server or folder has.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "document/json.h"
#include "document/object.h"
#include "index/inventory.h"
#include "replicator/source.h"
#include "store/object_key.h"

namespace portcullis::replicator {

class ModelSink final : public KindSink {
 public:
  // "namespace/name" -> the object as JSON.
  std::map<std::string, std::string> objects;
  std::optional<index::ReplicationPosition> position;
  bool listing = false;  // A list has begun and is not finished: `objects` is a mixture.
  int failures = 0;      // So many calls fail.
  int lists = 0;
  int batches = 0;

  Result<std::optional<std::string>> ResumeFrom() override {
    if (!position || !position->complete) {
      return std::nullopt;
    }
    return std::optional(position->resource_version);
  }
  Result<std::unique_ptr<index::Reconciliation>> BeginList() override {
    if (Fails()) {
      return Fail(ErrorCode::kExhausted, "the disk is full");
    }
    ++lists;
    listing = true;
    if (position) {
      position->complete = false;
    }
    return std::make_unique<List>(*this);
  }
  Result<void> Apply(const index::ChangeSet& changes) override {
    if (Fails()) {
      return Fail(ErrorCode::kExhausted, "the disk is full");
    }
    ++batches;
    for (const document::Value& object : changes.puts) {
      objects[NameOf(object)] = document::ToJson(object);
    }
    for (const store::ObjectKey& key : changes.deletes) {
      objects.erase(key.name_space + "/" + key.name);
    }
    if (changes.position) {
      position = changes.position;
    }
    return {};
  }

  static std::string NameOf(const document::Value& object) {
    return std::string(object.GetString({"metadata", "namespace"})) + "/" +
           std::string(object.GetString({"metadata", "name"}));
  }

 private:
  class List final : public index::Reconciliation {
   public:
    explicit List(ModelSink& sink) : sink_(sink) {}
    Result<void> Add(std::span<const document::Value> objects) override {
      if (sink_.Fails()) {
        return Fail(ErrorCode::kExhausted, "the disk is full");
      }
      for (const document::Value& object : objects) {
        named_.insert(NameOf(object));
        sink_.objects[NameOf(object)] = document::ToJson(object);
      }
      return {};
    }
    Result<index::ReconcileResult> Finish(std::string resource_version) override {
      if (sink_.Fails()) {
        return Fail(ErrorCode::kExhausted, "the disk is full");
      }
      std::erase_if(sink_.objects,
                    [&](const auto& entry) { return !named_.contains(entry.first); });
      sink_.position = index::ReplicationPosition{std::move(resource_version), true};
      sink_.listing = false;
      return index::ReconcileResult{named_.size(), 0, 0};
    }

   private:
    ModelSink& sink_;
    std::set<std::string> named_;
  };

  bool Fails() { return failures > 0 && failures-- > 0; }
};

}  // namespace portcullis::replicator
