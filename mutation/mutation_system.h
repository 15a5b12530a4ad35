// The mutators in force, and what they make of an object (gatekeeper.md 6.1).

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "mutation/external_data.h"
#include "mutation/mutator.h"
#include "mutation/mutator_index.h"

namespace portcullis::mutation {

// What a mutation was made of, for logs and annotations.
struct MutationTrace {
  bool keep_applied = false;  // Set by who asks.
  std::string id;             // Empty where it was not needed.
  int iterations = 0;
  // For each pass that changed something, the mutators that applied.
  std::vector<std::vector<const Mutator*>> applied;
};

struct MutateOptions {
  // Names one mutation in errors, logs and annotations: a new UUID. Called at most once.
  std::function<std::string()> new_id;
  Clock* clock = nullptr;  // Null: there is no deadline.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  ExternalDataClient* external_data = nullptr;  // Null: providers cannot be asked.
  bool annotate = false;                        // Write gatekeeper.sh/mutations and -id.
  MutationTrace* trace = nullptr;               // Filled, also where the mutation fails.
};

struct MutationOutcome {
  document::Value object;
  bool mutated = false;
  int iterations = 0;  // Passes over the mutators until nothing changed; 0: nothing did.
};

// A change of one mutator, for those who ask what did what.
struct MutationStep {
  int iteration = 0;
  const Mutator* mutator = nullptr;
  document::Value before;
  document::Value after;
};

// Immutable. THREADS: may be read in parallel.
class MutationSet {
 public:
  explicit MutationSet(std::vector<std::shared_ptr<const Mutator>> mutators);

  // In the order in which they are applied; those in conflict too.
  [[nodiscard]] std::span<const std::shared_ptr<const Mutator>> all() const { return mutators_; }
  // Those in conflict with the i-th of all(), itself among them; empty: none, it is in force.
  [[nodiscard]] const std::set<MutatorId>& ConflictsOf(std::size_t i) const {
    return conflicts_[i];
  }

  // Passes over the mutators, in order, until one changes nothing. COST: only mutators that MutatorIndex finds are looked at.
  // `steps`, if given, gets what each mutator changed.
  // LIFETIME: the object that comes back shares parts with `target`, with this set and with `arena`.
  // ERRORS: with Gatekeeper's text: kInvalidArgument: a mutator cannot be matched or applied. kExhausted: it does not converge,
  // or not before the deadline or within the arena's limit. kUnavailable: a provider of external data failed.
  [[nodiscard]] Result<MutationOutcome> Mutate(const Mutable& target, const MutateOptions& options,
                                               document::Arena& arena,
                                               std::vector<MutationStep>* steps = nullptr) const;

  // Whether a mutator that could match an object of this kind takes its value from a provider.
  [[nodiscard]] bool MayAskProviders(std::string_view kind) const {
    return index_.MayAskProviders(kind);
  }

  // Whether any mutator in force does.
  [[nodiscard]] bool asks_providers() const { return asks_providers_; }

  // What the set was made of: equal for equal mutators. COST: as long as they are.
  [[nodiscard]] std::string Source() const;

  // The mutators in force that match, in order.
  [[nodiscard]] Result<std::vector<const Mutator*>> Matching(const Mutable& target) const;

 private:
  class Run;

  std::vector<std::shared_ptr<const Mutator>> mutators_;
  std::vector<std::set<MutatorId>> conflicts_;
  MutatorIndex index_;  // Places in mutators_, of those in force.
  bool asks_providers_ = false;
};

struct MutatorError {
  std::string type;  // "ErrConflictingSchema", or empty.
  std::string message;
  friend bool operator==(const MutatorError&, const MutatorError&) = default;
};

// What a mutator's status says.
struct MutatorStatus {
  MutatorId id;
  std::string uid;
  std::int64_t generation = 0;
  bool enforced = false;
  std::vector<MutatorError> errors;
  friend bool operator==(const MutatorStatus&, const MutatorStatus&) = default;
};

// Takes mutators as they come and go, in any order. THREADS: any.
class MutationStore {
 public:
  explicit MutationStore(FieldDefaults defaults = FieldDefaults::kOfCrds);

  // ERRORS: kInvalidArgument with Gatekeeper's text; a mutator of that name that was good before stays in force.
  Result<void> Put(const document::Value& object);
  void Remove(const MutatorId& id);

  // COST: builds the set anew after a change.
  [[nodiscard]] std::shared_ptr<const MutationSet> current() const;
  // Of every mutator that was put, those that were refused too, in order.
  [[nodiscard]] std::vector<MutatorStatus> Statuses() const;

 private:
  struct Entry {
    std::string uid;
    std::int64_t generation = 0;
    std::string refusal;
    std::shared_ptr<const Mutator> mutator;  // The last that was good; null: none was.
  };
  std::shared_ptr<const MutationSet> Current() const;  // REQUIRES: mutex_ held.

  const FieldDefaults defaults_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<MutatorId, Entry> entries_;
  mutable std::shared_ptr<const MutationSet> set_;  // Null: to be built.
};

}  // namespace portcullis::mutation
