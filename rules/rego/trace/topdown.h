// Evaluates a compiled policy the way OPA's topdown does, expression by expression and in its order, telling a sink of each
// step. It shares the compiler, the values and the builtins with the planner and evaluator next door, and none of their
// rewrites; it is as slow as what it follows.
// SOURCE: OPA's v1/topdown/eval.go.
// THREADS: one at a time; made for one evaluation.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "document/walk_guard.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/capture.h"
#include "rules/rego/conflict_text.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/collected.h"
#include "rules/rego/trace/comprehension_keys.h"
#include "rules/rego/trace/definitions.h"
#include "rules/rego/trace/terms.h"
#include "rules/rego/trace/trace.h"
#include "rules/rego/trace/virtual_cache.h"

namespace portcullis::rego::trace {

// Why the search for more solutions ends.
struct Stop {
  enum class Kind : std::uint8_t {
    kEarly,     // One solution is enough for the rule.
    kDeferred,  // For a rule further up.
    kError,     // The evaluation is over.
    kConflict,  // A value that conflicts was found; only while all of them are looked for.
  };
  Kind kind = Kind::kError;
  std::shared_ptr<const Stop> previous;
  const Rule* conflict = nullptr;  // Of kError: the definition that met a conflict.
};
// Null: go on.
using Status = std::shared_ptr<const Stop>;

// What is done with each solution. LIFETIME: what it was made of, which is alive for as long as the call that it is passed to.
class Next {
 public:
  template <class Function>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, Next>)
  Next(const Function& function)  // NOLINT: passed where a function is wanted.
      : function_(&function), call_([](const void* target) -> Status {
          return (*static_cast<const Function*>(target))();
        }) {}
  Status operator()() const { return call_(function_); }

 private:
  const void* function_;
  Status (*call_)(const void*);
};

class TopDown {
 public:
  // LIFETIME: all outlive it. `query`: under the compiler's names throughout.
  TopDown(const CompiledPolicy& policy, const ValueQuery& query, const EvaluationRequest& request,
          builtins::PreparedCache& prepared, Release release, Sink& sink);
  ~TopDown();
  TopDown(const TopDown&) = delete;
  TopDown& operator=(const TopDown&) = delete;

  // Solutions: variables by name. What went wrong is in the two errors.
  std::vector<std::vector<Binding>> Run();
  [[nodiscard]] const std::optional<EvaluationError>& error() const { return error_; }
  [[nodiscard]] const std::optional<Error>& engine_error() const { return engine_error_; }

 private:
  using Path = std::vector<Value>;
  struct Frame;      // A query under way: a rule's body, or a closure's.
  struct TreeWalk;   // A reference on its way through `data`.
  struct TermWalk;   // The rest of it, through a value.
  struct Call;       // Of a function.
  struct NodeOf;     // What an event is about.
  struct SubjectOf;  // What was looked up.
  struct LocalsOf;

  // topdown.cc: queries and expressions.
  Status Query(Frame& frame, const Next& next);
  Status Advance(Frame& frame, const Next& next);
  Status Expression(Frame& frame, const Expr& expr, const Next& next);
  Status Positive(Frame& frame, const Expr& expr, const Next& next);
  Status TermHolds(Frame& frame, const Expr& expr, const Next& next);
  Status Negated(Frame& frame, const Expr& expr, const Next& next);
  Status With(Frame& frame, const Expr& expr, const Next& next);
  Status Every(Frame& frame, const Expr& expr, const Next& next);
  Status NotBody(Frame& frame, const Expr& expr, const Next& next);
  Status Logical(Frame& frame, const Expr& expr, const Next& next);
  Status LogicalOperand(Frame& frame, const Body& body, bool* defined);
  const Body& ComplementOf(const Expr& expr);
  const Body& GeneratorOf(const Expr& every);

  // unify.cc
  Status Unify(Frame& frame, Operand a, Operand b, Bindings* in_a, Bindings* in_b,
               const Next& next);
  // Values have at most one solution, and bind nothing: no continuation is needed.
  bool UnifyGround(Frame& frame, const Value& a, const Value& b);
  Status UnifyValues(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                     Bindings* in_b, const Next& next);
  Status UnifyArrays(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                     Bindings* in_b, std::uint32_t at, const Next& next);
  Status UnifyObjects(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                      Bindings* in_b, const Next& next);
  using Members = std::vector<std::pair<Value, Operand>>;
  [[nodiscard]] bool MembersOf(const Operand& object, Bindings* in, Members* members);
  Status UnifyMembers(Frame& frame, const Members& a, const Members& b, Bindings* in_a,
                      Bindings* in_b, std::size_t at, const Next& next);
  Status UnifyAll(Frame& frame, std::span<const Operand> a, std::span<const Operand> b,
                  Bindings* in_a, Bindings* in_b, const Next& next);
  Status UnifyRef(Frame& frame, const Term& ref, const Operand& to, Bindings* in, Bindings* in_to,
                  const Next& next);
  Status BindVar(const Operand& variable, const Operand& to, Bindings* in, Bindings* in_to,
                 const Next& next);

  // comprehensions.cc
  Status UnifyComprehension(Frame& frame, const Term& term, const Operand& to, Bindings* in,
                            Bindings* in_to, const Next& next);
  Status FindGrouped(Frame& frame, const Term& term, const std::vector<std::string>& keys,
                     Value* result);
  Status Conclude(Frame& child, const Body& body, const Next& next);

  // documents.cc: references.
  Status Tree(TreeWalk walk, const Next& next);
  Status TreeNext(TreeWalk walk, const Value& key, const Next& next);
  Status TreeEach(const TreeWalk& walk, const Next& next);
  Status TreeExtent(const TreeWalk& walk, Value* result);
  Status Leaves(const TreeWalk& walk, Path& path, const DefinitionNode& node, Value* result);
  Status Walk(TermWalk walk, const Next& next);
  Status WalkNext(TermWalk walk, const Value& key, const Next& next);
  Status WalkEach(const TermWalk& walk, const Next& next);
  Status WalkEachItem(const TermWalk& walk, const Next& next, Status* deferred);
  Status WalkEachMember(const TermWalk& walk, std::span<const Operand> members, const Next& next,
                        Status* deferred);
  bool Get(const Operand& from, Bindings* in, const Value& key, Operand* result);
  [[nodiscard]] bool IsReplaced(std::span<const Value> path) const;
  // Base documents at the path, with what `with` put there; undefined: nothing.
  Value Resolve(const Frame& frame, std::span<const Value> path);
  Value Stored(std::span<const Value> path);

  struct ConflictList {
    std::vector<ConflictingValue> values;
    bool Add(const Value& value, const Location& location);  // False: it conflicts with the first.
    bool full = false;
  };

  // functions.cc
  struct Mock {
    std::string function;
    const Term* by_function = nullptr;  // Null: by `result`.
    Operand result;
  };
  Status CallExpr(Frame& frame, const Term& function, std::vector<Operand> operands,
                  const Next& next);
  Status CallFunction(Call& call, const Next& next);
  std::vector<Operand> HeadOf(const Call& call, const Definition& definition);
  Status CallDefinition(Call& call, const Definition& definition, Value previous, Value* result,
                        const Next& next);
  Status TryCall(Call& call, const Definition& definition, ConflictList& list, bool* produced);
  Status CallBuiltin(Frame& frame, const builtins::Builtin& builtin,
                     std::span<const Operand> operands, const Next& next);
  Status TakeResult(Frame& frame, std::size_t arity, bool nothing,
                    std::span<const Operand> operands, const Operand& result, const Next& next);
  Status NoteValue(Frame& child, const Definition& definition, ConflictList& list, bool* produced);

  // rules.cc
  void Candidate(Frame& frame, const DefinitionNode& node, const Path& path, std::size_t length,
                 std::span<const Operand> arguments, Candidates* candidates);
  Status Rules(const TreeWalk& walk, const DefinitionNode& node, const Next& next);
  Status Complete(const TreeWalk& walk, const Candidates& candidates, const Next& next);
  Status CompleteRules(const TreeWalk& walk, const Candidates& candidates, const Next& next);
  Status CompleteRule(const TreeWalk& walk, const Definition& definition, bool one, Value previous,
                      Value* result, const Next& next);
  Status Partial(const TreeWalk& walk, const Candidates& candidates, const Next& next);
  Status PartialAll(const TreeWalk& walk, const Candidates& candidates, Value* result);
  Status PartialEach(const TreeWalk& walk, const Candidates& candidates, const Next& next);
  Status PartialOne(const TreeWalk& walk, const Definition& definition, Collected* collected);
  Status UnifyHead(Frame& frame, const TreeWalk& walk, const Definition& definition, std::size_t at,
                   Bindings* in_rule, const Next& next);
  Status Continue(const TreeWalk& walk, std::size_t at, const Operand& term, Bindings* in,
                  const Next& next);
  Status Reduce(const TreeWalk& walk, const Definition& definition, Bindings* in,
                Collected* collected, bool* duplicate);
  // After a conflict: OPA tries all definitions again to list the values.
  Status ListConflicts(
      Status stop, const Definition& definition, const Candidates& candidates,
      const std::function<Status(const Definition&, ConflictList&, bool* produced)>& attempt);

  // events.cc
  static Event EventOf(Op op, NodeKind kind, const NodeOf& node, const Location& location,
                       std::string_view message);
  void Tell(Frame& frame, Op op, const Expr& expr, std::string_view message = {});
  void Tell(Frame& frame, Op op, const Body& body, std::string_view message = {});
  void Tell(Frame& frame, Op op, const Definition& definition, std::string_view message = {});
  void TellExit(Frame& frame, const Body& body);
  void TellExit(Frame& frame, const Definition& definition);
  void TellIndex(Frame& frame, const Path& path, const Candidates& candidates);
  void TellUnify(Frame& frame, const Operand& a, const Operand& b);
  void TellNote(Frame& frame, const Expr& expr, std::string_view text);
  void Send(Frame& frame, const NodeOf& node, Event event);
  void Send(Frame& frame, Event event);
  static std::string PathText(const Path& path);
  // What the author called a variable; null: nothing else.
  [[nodiscard]] const std::string* FindName(std::string_view variable) const;
  [[nodiscard]] std::string_view NameOf(std::string_view variable) const;

  // Every step: the deadline, memory and the stack. Not null: the evaluation is over.
  Status CheckLimits();
  Status FailEvaluation(std::string_view code, std::string message, const Location& location);
  Status Conflict(const Definition& definition, std::string message, const Location& location);
  [[nodiscard]] std::string ConflictMessage(const Definition& definition) const;
  static Status Early(Status previous);
  static Status Deferred(Status previous);
  static Status Suppressed(const Status& stop);
  static bool Is(const Status& stop, Stop::Kind kind) { return stop && stop->kind == kind; }
  [[nodiscard]] static bool IsFatal(const Status& stop) {
    return stop && stop->kind != Stop::Kind::kEarly && stop->kind != Stop::Kind::kDeferred;
  }
  [[nodiscard]] Operand Of(const Term& term) const { return constants_.Of(term); }
  [[nodiscard]] Value Plugged(const Operand& operand, Bindings* in) const {
    return Plug(operand, in, constants_);
  }
  [[nodiscard]] std::vector<Operand> OperandsOf(std::span<const TermPtr> terms);

  const CompiledPolicy& policy_;
  const Body& query_;
  const WrittenNames& names_;  // What the author called the query's variables.
  std::map<std::string_view, std::string_view>
      tops_;  // Of those at its top, by the compiler's names.
  const EvaluationRequest& request_;
  const Release release_;
  Sink& sink_;
  const bool tells_unify_;
  document::Arena& arena_;
  mutable Constants constants_;
  const Definitions definitions_;
  const ComprehensionKeys comprehension_keys_;
  const std::unique_ptr<builtins::CallContext> call_;
  std::map<const Expr*, Body> complements_;
  std::map<const Expr*, Body> generators_;
  std::map<const DefinitionNode*, Term>
      leaves_;  // References to rules that are asked for with what is around them.
  Value data_;  // Base documents, with the inventory.

  VirtualCache cache_;
  std::vector<std::vector<Path>>
      replaced_;  // What each `with` under way replaces; paths begin at data or input.
  std::vector<std::vector<std::vector<Mock>>> mocks_;
  const char* stack_ = nullptr;  // Where the stack was when this began.
  std::uint64_t next_id_ = 0;
  std::uint64_t ticks_ = 0;
  bool sink_is_full_ = false;
  std::optional<EvaluationError> error_;
  std::optional<Error> engine_error_;
  std::optional<EvaluationError> builtin_error_;
};

struct TopDown::Frame {
  Frame* parent = nullptr;
  Bindings* bindings = nullptr;
  const Body* query = nullptr;
  std::size_t index = 0;
  std::uint64_t id = 0;
  bool find_one = false;
  bool defined = false;
  Location last;  // Of events that have no place of their own.
  Value input;
  Value data;  // What `with` put below `data`; undefined: nothing.
  std::shared_ptr<ComprehensionCache> comprehensions;

  // A closure: it shares the variables.
  [[nodiscard]] Frame Closure(const Body& body, std::uint64_t its_id) {
    Frame child = *this;
    child.parent = this;
    child.query = &body;
    child.index = 0;
    child.id = its_id;
    child.find_one = false;
    child.defined = false;
    return child;
  }
  // A body with variables of its own.
  [[nodiscard]] Frame Child(const Body& body, std::uint64_t its_id, Bindings& own) {
    Frame child = Closure(body, its_id);
    child.bindings = &own;
    return child;
  }
};

struct TopDown::TreeWalk {
  Frame* frame;
  const Term* ref;
  std::size_t at;  // The next item of the reference.
  Path* path;      // The items before it, `data` first.
  Bindings* in;
  Operand to;
  Bindings* in_to;
  const DefinitionNode* node;
};

struct TopDown::TermWalk {
  Frame* frame;
  const Term* ref;
  std::size_t at;
  Bindings* in;
  Operand term;
  Bindings* in_term;
  Operand to;
  Bindings* in_to;
};

struct TopDown::Call {
  Frame* frame;
  VirtualCache::Key key;  // The function, then its arguments.
  std::span<const Operand> operands;
  const Candidates* candidates;
  std::size_t arity;
};

}  // namespace portcullis::rego::trace
