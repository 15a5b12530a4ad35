// The Namespace objects of the cluster, in memory: every review of a namespaced object needs one.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "replicator/kubernetes_client.h"
#include "replicator/source.h"

namespace portcullis::replicator {

// What Find does about a namespace that the source did not give (yet).
// Gives the Namespace as JSON. ERRORS: kNotFound; kUnavailable.
using MissingNamespace = std::function<Result<std::string>(std::string_view name)>;

// Asks the API server: the watch may lag behind a namespace that was just created. LIFETIME: the client outlives the function.
// REQUIRES: not called on the client's thread.
[[nodiscard]] MissingNamespace AskApiServer(KubernetesClient& client);
// Takes it for a Namespace without labels of its own: a folder has seldom a manifest of each namespace.
[[nodiscard]] MissingNamespace TakeAsBare();

// THREADS: Find from any thread; the rest from the source's.
class NamespaceCache final : public KindSink {
 public:
  explicit NamespaceCache(MissingNamespace missing);

  // Who is told, on the source's thread, that a Namespace came, changed or went; empty: nobody. THREADS: any.
  using Listener = std::function<void(const std::string& name)>;
  void SetListener(Listener listener);

  // What is to be followed with this sink.
  [[nodiscard]] static document::GroupVersionKind type();

  // The Namespace object, in `arena`, with numbers as float64.
  // ERRORS: kNotFound with the text `namespaces "x" not found`; kUnavailable.
  Result<document::Value> Find(std::string_view name, document::Arena& arena);

  Result<std::optional<std::string>> ResumeFrom() override;
  Result<std::unique_ptr<index::Reconciliation>> BeginList() override;
  Result<void> Apply(const index::ChangeSet& changes) override;

 private:
  class List;
  Result<void> Put(const document::Value& object);
  void KeepOnly(const std::set<std::string>& names);
  void Tell(const std::string& name);

  const MissingNamespace missing_;
  std::mutex listener_mutex_;
  Listener listener_;  // Guarded by listener_mutex_, which is held while it is called.
  std::mutex mutex_;
  // Name -> encoded object. Shared, so that a reader copies outside the lock. Guarded by mutex_.
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> objects_;
};

}  // namespace portcullis::replicator
