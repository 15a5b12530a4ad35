// The inventory: the replicated objects, what was replicated of each kind, and the secondary indexes over them. One class
// writes (Inventory, one writer at a time, guarded inside); any number of views read, each at one moment.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/object.h"
#include "document/value.h"
#include "index/definition.h"
#include "index/key_program.h"
#include "index/key_statistics.h"
#include "store/object_key.h"
#include "store/store.h"

namespace portcullis::index {

// How far replication of one kind has come.
struct ReplicationPosition {
  std::string resource_version;  // Of the last change applied; resume the watch from here.
  bool complete = false;         // A whole list has been applied at some moment.
  friend bool operator==(const ReplicationPosition&, const ReplicationPosition&) = default;
};

// Changes of one kind that become visible together, with the position that they lead to. Of two puts of one object the later
// counts; a delete counts over every put.
struct ChangeSet {
  document::GroupVersionKind type;
  std::vector<document::Value> puts;      // Whole objects; a put replaces.
  std::vector<store::ObjectKey> deletes;  // What is absent already is ignored.
  std::optional<ReplicationPosition> position;
};

// The keys bound so far on the way down the inventory's tree:
// namespaced: namespace, group version, kind, name; cluster: group version, kind, name. A prefix of these.
struct TreePrefix {
  store::Scope scope = store::Scope::kNamespaced;
  std::span<const std::string_view> segments;
};

// An object that a cursor stands on. Slices live until the cursor moves.
struct FoundObject {
  store::ObjectKeyView key;
  // The object's encoded bytes (document/encoding.h). Empty from a Lookup: ask Get.
  std::string_view record;
};

class ObjectCursor {
 public:
  virtual ~ObjectCursor() = default;
  // The next object in the order of the inventory (by bytes of each level), or nothing at the end.
  virtual Result<std::optional<FoundObject>> Next() = 0;
};

class SegmentCursor {
 public:
  virtual ~SegmentCursor() = default;
  // The next distinct key of the level, ascending by bytes. LIFETIME: until the next call.
  virtual Result<std::optional<std::string_view>> Next() = 0;
};

using IndexId = std::uint32_t;

// Keys to look up in one index.
struct IndexKeys {
  IndexId index = 0;
  std::span<const document::Value> keys;
};

// The read side at one moment: one store snapshot from start to end.
// THREADS: one at a time (cursors share iterators); make a view per review. LIFETIME: must not outlive the Inventory,
// and outlives its cursors.
class InventoryView {
 public:
  virtual ~InventoryView() = default;

  // The object at `key`, opened in `arena`; undefined if there is none. COST: one get, one copy.
  virtual Result<document::Value> Get(const store::ObjectKeyView& key, document::Arena& arena,
                                      document::NumberMode numbers) = 0;
  // Whether the tree has a node at this prefix: an object below it, or a parent marker. An empty prefix of a scope exists
  // when the scope has ever held anything. COST: one seek.
  virtual Result<bool> Exists(const TreePrefix& prefix) = 0;
  // The keys of the level below the prefix; parents that are empty now are included (they exist). COST: a seek a key.
  virtual Result<std::unique_ptr<SegmentCursor>> Segments(const TreePrefix& prefix) = 0;
  // Every object below the prefix, with its record. COST: a seek, then a step an object.
  virtual Result<std::unique_ptr<ObjectCursor>> Objects(const TreePrefix& prefix) = 0;

  // The index of this definition, if it was complete at the moment of this view. COST: a hash look-up.
  virtual std::optional<IndexId> FindIndex(const Definition& definition) = 0;
  // The objects with an entry under `key`, in the order of the inventory: a superset of those whose path reaches `key` (long
  // keys are hashed), never fewer. COST: one seek, one step an entry; no scan.
  virtual Result<std::unique_ptr<ObjectCursor>> Lookup(IndexId index,
                                                       const document::Value& key) = 0;
  // The objects below `within` with an entry under any of several keys, each once. COST: a seek a key, and a comparison with
  // each key for each entry.
  virtual Result<std::unique_ptr<ObjectCursor>> LookupAny(std::span<const IndexKeys> wanted,
                                                          const TreePrefix& within) = 0;

  // Objects that a scan of this kind would visit, roughly; for the planner's estimates. COST: constant.
  virtual std::uint64_t EstimateObjects(store::Scope scope, std::string_view kind) = 0;
  // What was last known of the keys of an index when this view was made; null: nothing yet. LIFETIME: the view's. COST: a hash
  // look-up.
  virtual const KeyStatistics* Statistics(IndexId index) = 0;
  // Of the records that this view has read so far, encoded.
  [[nodiscard]] virtual std::uint64_t bytes_read() const = 0;
};

enum class IndexState : std::uint8_t { kBuilding, kReady, kDropping };

struct IndexStatus {
  IndexId id = 0;
  Definition definition;
  IndexState state = IndexState::kBuilding;
  std::vector<std::string> users;  // Who asked for it, e.g. "K8sUniqueIngressHost".
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;          // On disk, roughly; what is in memory still is not counted.
  std::uint64_t built_objects = 0;  // Progress of the build,
  std::uint64_t total_objects = 0;  // of so many.
  std::uint64_t lookups = 0;        // Since the program started.
  std::optional<KeyStatistics> keys = std::nullopt;
};

struct IndexRequest {
  Definition definition;
  std::string user;
};

struct KindStatistics {
  document::GroupVersionKind type;
  std::uint64_t objects = 0;
  std::uint64_t encoded_bytes = 0;
  ReplicationPosition position;
};

// What Check found: each line names an object or entry and what is wrong with it.
struct CheckReport {
  std::uint64_t objects = 0;
  std::uint64_t entries = 0;
  std::vector<std::string> problems;  // At most 1,000.
  std::uint64_t problem_count = 0;
};

struct ReconcileResult {
  std::uint64_t written = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t deleted = 0;
};

// Applies a whole list of one kind page by page and writes only what differs: objects of equal resourceVersion stay (objects
// without one are compared by content); what the list did not name is deleted at the end.
// Bounded memory: 16 bytes an object listed. Abandoned when destroyed unfinished: what was written stays, nothing is deleted,
// the kind is left incomplete.
class Reconciliation {
 public:
  virtual ~Reconciliation() = default;
  virtual Result<void> Add(std::span<const document::Value> objects) = 0;
  // The kind is complete at `resource_version` from here on.
  virtual Result<ReconcileResult> Finish(std::string resource_version) = 0;
};

class ReadSet;
struct RecordedChange;

struct InventoryOptions {
  store::StoreOptions store;
  // For indexes that have a program; null: none can be built.
  std::shared_ptr<const KeyPrograms> key_programs = nullptr;
  // Objects a second that a background build may add while other writes wait; 0: as fast as it goes.
  std::uint64_t build_objects_per_second = 0;
  // Keep a queue of what was written, for somebody who acts upon it (Changes). Opening for writing without this forgets the queue
  // and what was derived from it.
  bool record_changes = false;
};

// Called with objects done so far and a total that is an estimate (0: unknown).
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// THREADS: every method may be called from any thread; writers take turns.
class Inventory {
 public:
  // Opens or creates the store under options.store.path, and goes on with builds and drops that were under way.
  // ERRORS: store::Store::Open's.
  static Result<std::unique_ptr<Inventory>> Open(const InventoryOptions& options, Clock& clock,
                                                 std::shared_ptr<Logger> logger, Metrics& metrics);
  virtual ~Inventory() = default;

  // One atomic batch: objects, their index entries, the position. ERRORS: kInvalidArgument: an object of another type or
  // without identity; document::Encode's; store::Store::Write's. Nothing has changed then.
  virtual Result<void> Apply(const ChangeSet& changes) = 0;
  virtual Result<std::unique_ptr<Reconciliation>> BeginList(
      const document::GroupVersionKind& type) = 0;
  // Removes the kind's objects, entries, parent markers and position; a kind of over some MB in several batches, the position
  // first. Finished by the next Open if a crash cuts it short. COST: a step an object.
  virtual Result<void> Wipe(const document::GroupVersionKind& type) = 0;

  virtual std::unique_ptr<InventoryView> View() = 0;
  // The same, noting what is read. LIFETIME: `reads` outlives the view.
  virtual std::unique_ptr<InventoryView> View(ReadSet& reads) = 0;

  // Changes after `sequence` that nobody removed yet, oldest first, at most `limit`. Each came with the write that it tells of,
  // and survives what that survives. A view made later has seen them. ERRORS: kCorruption.
  virtual Result<std::vector<RecordedChange>> Changes(std::uint64_t sequence,
                                                      std::size_t limit) = 0;
  // True when there are changes after `sequence`; waits at most `timeout` for them.
  virtual bool WaitForChangeAfter(std::uint64_t sequence, std::chrono::milliseconds timeout) = 0;

  virtual Result<std::optional<ReplicationPosition>> Position(
      const document::GroupVersionKind& type) = 0;
  // Every kind that has objects, markers or a position.
  virtual Result<std::vector<KindStatistics>> Kinds() = 0;

  // From here on exactly these indexes are wanted: missing ones are built in the background, others dropped. Those whose program
  // cannot be made are left out, and said so in the log.
  virtual Result<void> SetWantedIndexes(std::vector<IndexRequest> wanted) = 0;
  virtual std::vector<IndexStatus> Indexes() = 0;
  // True when every wanted index is ready. Waits at most `timeout`.
  virtual bool WaitUntilIndexesReady(std::chrono::milliseconds timeout) = 0;
  // Takes the statistics of all ready indexes anew, which otherwise happens in the background when much has changed.
  // COST: a step an entry; writes go on. ERRORS: kCorruption; store::Store::Write's.
  virtual Result<void> UpdateStatistics() = 0;

  // Recomputes every entry from the objects and compares, at one moment, while writes go on.
  virtual Result<CheckReport> Check(const Progress& progress) = 0;

  virtual store::Store& store() = 0;
};

}  // namespace portcullis::index
