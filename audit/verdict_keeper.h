// Keeps the verdicts of the objects in the inventory true, by change: a change re-evaluates its object and, by the reads that it
// touches (index/reads.h), the objects whose verdict read them; a policy that changes re-evaluates the objects that it may
// concern. A full pass evaluates everything, and counts what it had to correct.
//
// A change is taken off the inventory's queue in the batch that writes the verdicts that follow from it, so nothing is lost when
// the process is killed; what a killed process had not finished of a change of policy is told by the digests in the store.
//
// Verdicts that depend on more than objects and policies (the time, external data) are as old as the last full pass.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/object_review.h"
#include "audit/verdict_store.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "index/change_log.h"
#include "index/inventory.h"

namespace portcullis::audit {

// THREADS: one, but for TouchNamespace, which any may call.
class VerdictKeeper {
 public:
  // REQUIRES: the inventory records changes. LIFETIME: collaborators outlive it.
  VerdictKeeper(index::Inventory& inventory, FindNamespace find_namespace, Clock& clock,
                const std::shared_ptr<Logger>& logger, Metrics& metrics,
                const ObjectReviewOptions& options);

  // From here on verdicts are by these policies. What differs from those that the kept verdicts were made by is evaluated anew,
  // by Step. COST: a digest a constraint. ERRORS: the store's.
  Result<void> SetPolicies(Policies policies);
  // A Namespace object came, changed or went.
  void TouchNamespace(std::string name);
  // From here on Step evaluates every object.
  void BeginFullPass();

  // What a Step did.
  enum class Work : std::uint8_t { kNothing, kChanges, kSweep };
  // A piece of the work that is to be done, changes first. COST: a few hundred evaluations at most. ERRORS: the store's; the
  // piece is tried again by the next call.
  Result<Work> Step();
  // Every policy was applied to every object that it may concern, and a full pass that was begun has ended.
  [[nodiscard]] bool settled() const { return !sweep_.has_value(); }
  // The last change that was acted upon.
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

  // Evaluates an object that is not in the inventory, for the audit of this name; its verdict is kept until an audit of another
  // name ends.
  Result<void> ReviewOutside(const document::Value& object, const std::string& audit);
  Result<void> EndOutside(const std::string& audit);

  [[nodiscard]] const Policies& policies() const { return policies_; }
  [[nodiscard]] std::uint64_t corrections() const { return corrections_; }

 private:
  // A walk over the objects of some kinds, or of one namespace.
  struct Sweep {
    bool all_kinds = false;
    std::set<std::string> kinds;
    bool is_check = false;                       // Policies are as before: what differs was wrong.
    std::string after;                           // The last key that was evaluated.
    std::map<std::string, std::string> digests;  // Written when it ends.
  };
  Result<void> PlanSweep(const std::map<std::string, std::string>& wanted);
  Result<bool> TakeChanges();
  Result<bool> TakeNamespace();
  Result<void> SweepPiece();
  Result<void> EndSweep();
  // Writes the verdicts of these objects together with what `batch` has. Counts how many differ.
  Result<std::size_t> Evaluate(std::span<const std::string> key_bytes, store::Batch& batch);
  Result<std::size_t> EvaluateAll(const std::set<std::string>& key_bytes, store::Batch& last);

  index::Inventory& inventory_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  const FindNamespace find_namespace_;
  ObjectReviewer reviewer_;
  const std::string source_;
  VerdictStore verdicts_;
  Policies policies_;
  std::optional<std::map<std::string, std::string>> digests_;  // As stored; nothing: not read yet.
  std::optional<Sweep> sweep_;
  std::uint64_t sequence_ = 0;
  std::uint64_t corrections_ = 0;
  document::Arena arena_;

  Counter& evaluations_;
  Counter& changes_;
  Counter& corrected_;
  Gauge& lag_;
  Gauge& sweeping_;

  std::mutex mutex_;
  std::set<std::string> namespaces_;  // To be looked at. Guarded by mutex_.
};

}  // namespace portcullis::audit
