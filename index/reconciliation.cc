#include "index/reconciliation.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "document/encoding.h"
#include "index/change_set.h"
#include "index/object_walk.h"

namespace portcullis::index {
namespace {

// Lets other writers and builds take their turn between two batches of a long list.
constexpr std::size_t kObjectsABatch = 512;
constexpr std::size_t kBytesABatch = std::size_t{4} << 20;

}  // namespace

Result<void> ListReconciliation::Begin() {
  const std::scoped_lock turn(state_.turn);
  ChangeWriter writer(state_);
  writer.SetPosition(type_, ReplicationPosition{});
  return writer.Commit();
}

Result<bool> ListReconciliation::IsStored(std::string_view key_bytes,
                                          const document::ObjectIdentity& identity) {
  if (identity.resource_version.empty() ||
      !TRY(state_.store->Get(store::Family::kObjects, key_bytes, nullptr, &stored_))) {
    return false;
  }
  const document::ObjectIdentity old = TRY(document::IdentityOfEncoded(stored_.bytes()));
  return old.resource_version == identity.resource_version && old.uid == identity.uid;
}

Result<bool> ListReconciliation::AddOne(ChangeWriter& writer, const document::Value& object) {
  const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
  const store::ObjectKey key = TRY(KeyOfType(identity, type_));
  const std::string key_bytes = store::EncodeKey(key);
  listed_.push_back(HashBytes(key_bytes));
  if (TRY(IsStored(key_bytes, identity))) {
    return false;
  }
  return writer.Put(key, key_bytes, object);
}

Result<void> ListReconciliation::Add(std::span<const document::Value> objects) {
  if (finished_) {
    return Fail(ErrorCode::kInvalidArgument, "the list of " + type_.ToString() + " is finished");
  }
  while (!objects.empty()) {
    const std::scoped_lock turn(state_.turn);
    ChangeWriter writer(state_);
    std::size_t done = 0;
    std::uint64_t written = 0;
    std::set<std::string> in_batch;
    while (done < objects.size() && done < kObjectsABatch && writer.size_bytes() < kBytesABatch) {
      // An object that a page names twice goes into a batch of its own the second time.
      const document::Value& object = objects[done];
      std::string name(object.GetString({"metadata", "namespace"}));
      name += '\0';
      name += object.GetString({"metadata", "name"});
      if (!in_batch.insert(std::move(name)).second) {
        break;
      }
      written += TRY(AddOne(writer, object)) ? 1 : 0;
      ++done;
    }
    TRY(writer.Commit());
    result_.written += written;
    result_.unchanged += done - written;
    objects = objects.subspan(done);
  }
  return {};
}

Result<bool> ListReconciliation::DeletePiece(ChangeWriter& writer, store::Scope scope,
                                             std::string* after) {
  ObjectWalk walk(*state_.store, nullptr, store::Reading::kScanOnce, scope, *after,
                  [&](const store::ObjectKeyView& key) { return IsOfType(key, type_); });
  for (std::size_t steps = 0; steps < kObjectsABatch * 16 && writer.size_bytes() < kBytesABatch;
       ++steps) {
    const std::optional<ObjectWalk::Step> step = TRY(walk.Next());
    if (!step) {
      return true;
    }
    *after = step->key_bytes;
    if (step->key.name.empty() || std::ranges::binary_search(listed_, HashBytes(step->key_bytes))) {
      continue;
    }
    if (TRY(writer.Delete(step->key.ToKey(), step->key_bytes))) {
      ++result_.deleted;
    }
  }
  return false;
}

Result<ReconcileResult> ListReconciliation::Finish(std::string resource_version) {
  if (finished_) {
    return Fail(ErrorCode::kInvalidArgument, "the list of " + type_.ToString() + " is finished");
  }
  finished_ = true;
  std::ranges::sort(listed_);
  for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
    std::string after;
    bool ended = false;
    while (!ended) {
      const std::scoped_lock turn(state_.turn);
      ChangeWriter writer(state_);
      ended = TRY(DeletePiece(writer, scope, &after));
      if (ended && scope == store::Scope::kNamespaced) {
        writer.SetPosition(
            type_,
            ReplicationPosition{.resource_version = std::move(resource_version), .complete = true});
      }
      TRY(writer.Commit());
    }
  }
  listed_ = {};
  return result_;
}

}  // namespace portcullis::index
