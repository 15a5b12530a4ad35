// Where objects come from. A source is told which kinds to follow and for each hands the sink a
// whole list once, then changes. Sources are interchangeable: a cluster
// (replicator/kubernetes_source.h), a folder of manifests (replicator/folder_source.h).

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/object.h"
#include "index/inventory.h"

namespace portcullis::replicator {

// What takes the objects of one kind. Calls for one kind come one after another, from the source's
// thread.
class KindSink {
 public:
  virtual ~KindSink() = default;
  // Where an earlier run stopped: the source watches from there instead of listing, if it still
  // can.
  virtual Result<std::optional<std::string>> ResumeFrom() = 0;
  virtual Result<std::unique_ptr<index::Reconciliation>> BeginList() = 0;
  virtual Result<void> Apply(const index::ChangeSet& changes) = 0;
};

enum class KindState : std::uint8_t { kListing, kWatching, kFailing };

struct KindStatus {
  document::GroupVersionKind type;
  const KindSink* sink = nullptr;  // Whose: one kind may have several sinks.
  KindState state = KindState::kListing;
  bool synced =
      false;  // A whole list is in the sink (from this run or an earlier one) and changes follow.
  bool served =
      true;  // False: the other side has no such kind. Its list is then empty, and synced holds.
  std::uint64_t lists = 0;    // Whole lists begun by this process.
  std::uint64_t changes = 0;  // Changes applied by this process.
  std::string resource_version;
  std::string last_error;
  std::chrono::steady_clock::time_point
      last_contact{};  // When the source last heard from the other side.
};

// THREADS: every method from any thread.
class Source {
 public:
  virtual ~Source() = default;
  // Starts to follow `type`, for each sink by itself. Following twice with one sink is following
  // once. An unknown kind is not an error: its list is empty, it is looked for again, with
  // back-off, and shows in Status. LIFETIME: the sink outlives the source or a return of Unfollow.
  virtual void Follow(const document::GroupVersionKind& type, KindSink& sink) = 0;
  // Once this returns the sink is not called for this kind any more. It waits for a call that is
  // under way: the caller holds no lock that its sinks take. A sink may call it for another sink, not
  // for itself.
  virtual void Unfollow(const document::GroupVersionKind& type, KindSink& sink) = 0;
  // A line for each kind and sink, by kind.
  [[nodiscard]] virtual std::vector<KindStatus> Status() const = 0;
  // What is wrong beside single kinds: files that cannot be read, objects that are there twice.
  [[nodiscard]] virtual std::vector<Error> Problems() const = 0;
  // True where the other side gives an object in each version of its kind that it serves (an API
  // server); false where an object has the one version that it is written in (a folder).
  [[nodiscard]] virtual bool converts_versions() const = 0;
  // Where the objects come from, for people: "https://10.0.0.1:6443", "folder /etc/policies".
  [[nodiscard]] virtual std::string Description() const = 0;
};

}  // namespace portcullis::replicator
