// Runs a Program once. A body is nested loops: a step that has several solutions runs the steps after it once for each, and a
// block that has seen enough says "stop" all the way up to where the block began.
// THREADS: one at a time; made for one evaluation.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/conflict_text.h"
#include "rules/rego/engine.h"
#include "rules/rego/kept_results.h"
#include "rules/rego/plan.h"
#include "rules/rego/rule_index.h"

namespace portcullis::rego {

// What a run of steps says to the step before.
enum class Signal : std::uint8_t {
  kContinue,  // No more solutions from here: try your next.
  kStop,      // The block has seen enough.
  kError,     // The evaluation is over: evaluation_error() or engine_error() says why.
};

inline constexpr std::string_view kConflict = "eval_conflict_error";
inline constexpr std::string_view kKeysConflict = "object keys must be unique";

// A yield leaves behind its step, whose location is named if two members conflict.
[[nodiscard]] inline const Step* StepOf(const document::Value& mark) {
  return reinterpret_cast<const Step*>(static_cast<std::uintptr_t>(mark.integer()));
}

// What `with` changes.
struct Context {
  // A part of `data` that a `with` replaced, so that rules at it or below are not asked.
  struct Mask {
    std::span<const document::Value> path;
    const Mask* next = nullptr;
  };
  struct Mock {
    const WithTargets::Mock* mock = nullptr;
    document::Value value;
    const Mock* next = nullptr;
  };
  document::Value input;
  document::Value data;
  index::InventoryView* inventory = nullptr;
  const Mask* masks = nullptr;
  const Mock* mocks = nullptr;
  KeptResults* kept = nullptr;
  Context* outer = nullptr;
};

// What is at the key; of a set the key as it was asked for, however the member spells its numbers. Undefined: nothing.
[[nodiscard]] inline document::Value ChildOf(const document::Value& value,
                                             const document::Value& key) {
  document::Value child = value.Find(key);
  return child.is_defined() && value.is_set() ? key : child;
}

class Evaluator {
 public:
  // LIFETIME: all three outlive the evaluator; results live in request.arena and in what TakeArenas() gives.
  Evaluator(const Program& program, const EvaluationRequest& request,
            builtins::PreparedCache& prepared);
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  // The value of the program's document; undefined: none, or failed().
  document::Value RunDocument();
  // The values of the query's variables, solution after solution.
  std::vector<std::vector<document::Value>> RunQuery();

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::optional<EvaluationError>& evaluation_error() const { return error_; }
  [[nodiscard]] const std::optional<Error>& engine_error() const { return engine_error_; }

 private:
  // Memory of the candidates of one scan: given back after each candidate that left nothing behind.
  struct Scratch;
  class CandidateMemory;
  struct Frame;
  struct NestedNode;

  [[nodiscard]] const document::Value& Get(Operand operand, const document::Value* slots) const {
    return operand.at >= 0 ? slots[operand.at] : constants_[~operand.at];
  }

  // evaluator.cc: the loop over steps.
  Signal Run(const Step* step, document::Value* slots);
  // Runs a block for itself: what it yields counts for it alone.
  Signal RunBlock(const Block& block, document::Value* slots);
  Signal Each(const Step& step, document::Value* slots);
  Signal Relation(const Step& step, document::Value* slots);
  bool Every(const Step& step, document::Value* slots, bool* holds);
  bool Print(const document::Value& operands);
  bool CallBuiltin(const Step& step, document::Value* slots, document::Value* result);
  bool CallProcedure(const Step& step, document::Value* slots, document::Value* result);

  // evaluate_comprehension.cc: comprehensions, and what is collected made into sets and objects.
  bool Comprehension(const Step& step, document::Value* slots, document::Value* result);
  // `done`: false where grouping did not serve.
  bool GroupedComprehension(const Step& step, document::Value* slots, document::Value* result,
                            bool* done);
  bool FinishComprehension(Op op, std::size_t begin, document::Value* result);
  document::Value MakeObject(const Step& step, const document::Value* slots);
  bool FinishSet(std::size_t begin, document::Value* result);
  bool FinishObject(std::size_t begin, document::Value* result);

  // evaluate_procedure.cc: rules and functions.
  bool Call(const Procedure& procedure, std::span<const document::Value> arguments, bool keep,
            document::Value* result);
  // Results for parts of a scan's candidate are not kept: the candidate could then not be forgotten.
  [[nodiscard]] bool MayKeep(std::span<const document::Value> arguments) const;
  bool RunBranches(const Procedure& procedure, document::Value* slots, document::Value* result);
  Signal RunBranch(const Procedure& procedure, const Branch* branch, document::Value* slots);
  Signal YieldResult(const Step& step, document::Value* slots);
  // Visits the definitions that can match, in order, until `visit` returns false.
  template <class Visit>
  void ForEachBranch(const Procedure& procedure, const document::Value* slots, const Visit& visit);
  bool FinishNested(std::size_t begin, document::Value* result);
  bool CallMock(const Context::Mock& mock, std::span<const document::Value> arguments,
                const Location* location, document::Value* result);
  bool Invoke(const builtins::Builtin& builtin, std::span<const document::Value> arguments,
              const Location* location, document::Value* result);

  // evaluate_conflict.cc: errors where OPA meets them.
  // A conflict, not the end of the evaluation's limits.
  [[nodiscard]] bool IsForgivable() const;
  // True if OPA does not try the definition.
  [[nodiscard]] bool IsLeftOut(const Procedure& procedure, const Branch& branch,
                               const document::Value* slots) const;
  // True if all definitions that OPA tries give the constant that one of them has given: it tries no more.
  [[nodiscard]] bool IsDecided(const Procedure& procedure, const document::Value* slots) const;
  void ForgetError(bool keep_builtin_error);
  // True if the definition is one that OPA leaves out: its error is forgotten.
  bool ForgiveError(const Procedure& procedure, const Branch& branch, const document::Value* slots,
                    bool keep_builtin_error);
  // After a call that failed: goes on with the first value, for an error that comes before the call's.
  Signal FailAfterwards(const Step& step, document::Value* slots);
  // `go_on` has the first value of a call that has failed.
  Signal FailAfterwards(const Procedure& procedure, std::span<const document::Value> arguments,
                        const std::function<Signal(const document::Value&)>& go_on);
  // Of a call under way that will fail; null: there is none.
  const document::Value* FindFirstResult(const Procedure& procedure,
                                         std::span<const document::Value> arguments) const;
  // After an error on the way to an object: OPA sees at once when two of its members differ.
  void PreferClash(std::size_t begin);
  // Puts the values that conflict into the error's text.
  void ExplainConflict(const Procedure& procedure, document::Value* slots);
  Signal GatherResult(const Step& step, const document::Value& value);

  // evaluate_document.cc: `data` where rules and base documents mix, and `with`.
  using Path = std::vector<document::Value>;
  Signal Document(const Step& step, document::Value* slots);
  Signal WalkDocument(const Step& step, document::Value* slots, const DocumentNode* node,
                      Path& path, std::size_t level);
  Signal EnterDocument(const Step& step, document::Value* slots, const DocumentNode* node,
                       Path& path, std::size_t level, const document::Value& key);
  using ChildFinder = document::Value (*)(const document::Value& value, const document::Value& key);
  Signal WalkValue(const Step& step, document::Value* slots, const document::Value& value,
                   std::span<const Level> levels, ChildFinder child);
  bool DocumentExtent(const DocumentNode* node, Path& path, document::Value* result);
  bool RulesExtent(const DocumentNode& node, Path& path, document::Value* result);
  Signal With(const Step& step, document::Value* slots);
  Signal WithEnd(const Step& step, document::Value* slots);
  bool ReplaceDocuments(const WithTargets& targets, const document::Value* slots, Context* context);
  [[nodiscard]] bool IsMasked(std::span<const document::Value> path) const;
  // The base document at `path`; undefined: none.
  bool BaseAt(std::span<const document::Value> path, document::Value* result);
  // `data` without rules, with data.inventory made into a value.
  bool MaterialiseData(document::Value* result);

  // evaluate_inventory.cc
  struct InventoryWalk;
  class StoreTimer;
  Signal Inventory(const Step& step, document::Value* slots);
  Signal InventoryLevel(InventoryWalk& walk, std::size_t level);
  Signal InventoryEnd(InventoryWalk& walk);
  // Goes on with the steps after it.
  Signal RunFound(const InventoryWalk& walk);
  Signal ScanObjects(InventoryWalk& walk, std::size_t level);
  struct LookUp;
  // `answered`: false where no choice has all its indexes.
  Signal LookUpObjects(InventoryWalk& walk, bool* answered);
  // The keys go to collected_. `ready`: false where an index is missing, or there are too many keys.
  bool CollectKeys(const InventoryWalk& walk, const std::vector<InventoryAccess::Probe>& choice,
                   LookUp* look_up, bool* ready);
  // The choices that can serve. False: an error.
  bool CollectChoices(const InventoryWalk& walk, std::vector<LookUp>* ready);
  // The one that visits fewest objects; null: there are none. LIFETIME: of `ready`.
  Result<const LookUp*> WithFewest(const std::vector<LookUp>& ready,
                                   const index::TreePrefix& within);
  // The entries under the keys, as statistics have it; nothing where they do not tell.
  [[nodiscard]] std::optional<std::uint64_t> EstimateEntries(
      std::span<const index::IndexKeys> wanted) const;
  // The entries under the keys: exactly if they are fewer than `most`, else as statistics have it and at least `most`.
  Result<std::uint64_t> CountEntries(std::span<const index::IndexKeys> wanted,
                                     const index::TreePrefix& within, std::uint64_t most);
  Result<std::uint64_t> CountUpTo(std::span<const index::IndexKeys> wanted,
                                  const index::TreePrefix& within, std::uint64_t most);
  Signal Candidates(InventoryWalk& walk, Result<std::unique_ptr<index::ObjectCursor>> cursor,
                    std::size_t free_from);
  Signal Candidate(InventoryWalk& walk, const index::FoundObject& object, std::size_t free_from);
  Signal InventoryInValue(InventoryWalk& walk, const document::Value& node, std::size_t level);
  // Continue: holds. Stop: does not hold.
  Signal TryFilter(const InventoryWalk& walk, std::size_t level);
  // Visits until the cursor ends, or until a visit gives false.
  template <class Cursor, class Visit>
  bool ForEachNext(Cursor& cursor, const Visit& visit);
  bool Materialise(store::Scope scope, std::vector<std::string>& segments, document::Value* result);
  bool MaterialiseInventory(document::Value* result);

  // Every 1,024 steps: deadline and memory.
  bool CheckLimits();
  bool FailEvaluation(std::string_view code, std::string message, const Location* location);
  bool FailEngine(Error error);
  void PreferBuiltinError();
  [[nodiscard]] Signal ErrorSignal() const { return Signal::kError; }
  document::Value* PushFrame(std::size_t size, Frame* saved);
  void PopFrame(const Frame& saved);

  const Program& program_;
  const EvaluationRequest& request_;
  builtins::PreparedCache& prepared_;
  const document::Value* constants_;
  EvaluationStatistics statistics_;

  Context root_;
  Context* context_ = &root_;
  document::Arena* arena_;  // Where new values go.
  std::unique_ptr<builtins::CallContext> root_call_;
  builtins::CallContext* call_;  // Writes to arena_.

  // What the definitions of one procedure give, of which two conflict.
  struct Gathering {
    const document::Value* slots = nullptr;  // The frame of that procedure.
    std::vector<ConflictingValue> found;     // The first value, and those that differ from it.
    bool more = false;
  };
  Gathering* gathering_ = nullptr;
  // What OPA keeps of a procedure before it learns of a conflict.
  struct FirstResult {
    const Procedure* procedure = nullptr;
    std::span<const document::Value> arguments;
    const KeptResults* kept = nullptr;  // Of the context in which it is known.
    document::Value value;
    const FirstResult* next = nullptr;
  };
  const FirstResult* first_results_ = nullptr;
  const Location* first_place_ =
      nullptr;  // Of the definition that gave first_value_; null: no conflict was listed.
  document::Value first_value_;  // Of a call that has just failed; undefined: there was none.
  const document::Value* conflict_ =
      nullptr;  // The frame in which a conflict ended the evaluation.

  struct Segment {
    document::Value* begin = nullptr;
    document::Value* end = nullptr;
  };
  std::vector<Segment> segments_;
  std::size_t segment_ = 0;
  document::Value* top_ = nullptr;
  document::Value* end_ = nullptr;

  std::vector<document::Value> collected_;  // A stack: what the blocks under way have yielded.
  std::uint64_t yields_ = 0;                // Of the block under way.
  std::uint64_t keeps_ = 0;                 // Results kept so far.
  std::int32_t ticks_ = 1024;
  std::uint64_t steps_ = 0;  // Up to the last look at the limits.
  std::uint32_t depth_ = 0;
  std::vector<std::unique_ptr<Scratch>> free_scratch_;
  std::vector<std::unique_ptr<Scratch>> kept_scratch_;
  std::size_t scratch_bytes_ = 0;  // Of kept ones.

  bool failed_ = false;
  std::optional<EvaluationError> error_;
  std::optional<Error> engine_error_;
  std::optional<EvaluationError> builtin_error_;  // The first, when errors are strict.
};

template <class Visit>
void Evaluator::ForEachBranch(const Procedure& procedure, const document::Value* slots,
                              const Visit& visit) {
  if (procedure.index != nullptr) {
    procedure.index->ForEachCandidate(context_->input, slots, visit);
    return;
  }
  for (const Branch* branch : procedure.branches) {
    if (!visit(branch)) {
      return;
    }
  }
}

}  // namespace portcullis::rego
