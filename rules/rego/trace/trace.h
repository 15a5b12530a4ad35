// What an evaluation did, step by step, as OPA's tracer tells it: `opa eval --explain`, `gator test --trace`.
// SOURCE: OPA's v1/topdown/trace.go, v1/topdown/lineage, v1/profiler.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "rules/rego/ast.h"

namespace portcullis::rego::trace {

enum class Op : std::uint8_t {
  kEnter,  // A query, a rule or a closure begins.
  kExit,   // It has a solution.
  kEval,   // An expression is about to be tried.
  kRedo,   // Another solution is looked for.
  kFail,
  kDuplicate,  // A member that was there already.
  kNote,       // trace() was called.
  kIndex,      // The definitions that can match were looked up.
  kUnify,      // Two terms meet.
};
[[nodiscard]] std::string_view NameOf(Op op);

enum class NodeKind : std::uint8_t { kNone, kExpr, kBody, kRule };

// What an event is about. LIFETIME: the call that hands it over.
class Node {
 public:
  virtual ~Node() = default;
  // As OPA prints it, variables under the names that the author gave them.
  [[nodiscard]] virtual std::string Text() const = 0;
  // The syntax tree as compact JSON (rules/rego/ast_json.h), variables under the compiler's names.
  [[nodiscard]] virtual std::string Json() const = 0;
  // What is the same whenever text and JSON are; null: of this event alone.
  [[nodiscard]] virtual const void* identity() const = 0;
};

// The variables of the query at the moment of an event. LIFETIME: the call that hands it over.
class Locals {
 public:
  virtual ~Locals() = default;
  // What is bound: [{"name": …, "type": …, "value": …}, …], by name.
  [[nodiscard]] virtual std::string ValuesJson() const = 0;
  // What the author called them, and those of the event's node: {"__local0__": {"name": …, "location": …}, …}.
  [[nodiscard]] virtual std::string NamesJson() const = 0;
};

struct Event {
  Op op = Op::kEval;
  NodeKind kind = NodeKind::kNone;
  const Node* node = nullptr;      // Null: of a kNote.
  const Node* subject = nullptr;   // Of a kIndex: the reference that was looked up.
  const Locals* locals = nullptr;  // Null: of a kNote.
  std::uint32_t expr_index = 0;    // Of a kExpr: its place in its body.
  Location location;       // Where the event is; of a node without one, of the last that had.
  Location expr_location;  // Of a kExpr: its own. Row 0: it has none.
  std::uint64_t query_id = 0;
  std::uint64_t parent_id = 0;
  std::string_view message;  // "(matched 1 rule)", "early", or what a kNote says.
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Whether kUnify events are of use: they are many.
  [[nodiscard]] virtual bool wants_unify() const = 0;
  // False: no more is taken in, the evaluation ends with an error that says so.
  virtual bool Add(const Event& event) = 0;
};

// Which events an explanation shows.
enum class Explain : std::uint8_t {
  kNotes,  // Notes, and the rules that lead to each.
  kFails,  // Failures, the same way.
  kFull,   // All but unifications.
  kDebug,
};

enum class Quotes : std::uint8_t {
  kPlain,    // OPA 1.22: a note's text as it is, between quotes.
  kEscaped,  // OPA 1.17, Gatekeeper's: as Go's %q.
};
enum class Places : std::uint8_t { kShow, kHide };

enum class Form : std::uint8_t {
  kText,
  kJson,  // With the syntax trees and the values of variables.
};

// An explanation in the making. What it holds is bounded: `limit_bytes` is about what the text will take.
class Explanation final : public Sink {
 public:
  static constexpr std::size_t kLimitBytes = std::size_t{256} << 20;
  explicit Explanation(Explain explain, Form form = Form::kText,
                       std::size_t limit_bytes = kLimitBytes)
      : explain_(explain), form_(form), limit_bytes_(limit_bytes) {}

  [[nodiscard]] bool wants_unify() const override { return explain_ == Explain::kDebug; }
  bool Add(const Event& event) override;
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // A line an event, as OPA's PrettyTrace. REQUIRES: Form::kText.
  [[nodiscard]] std::string Text(Places places, Quotes quotes) const;
  // The events as OPA's Event is marshalled, compact. REQUIRES: Form::kJson.
  [[nodiscard]] std::string Json() const;

 private:
  struct Row {
    Op op = Op::kEval;
    NodeKind kind = NodeKind::kNone;
    std::uint64_t query_id = 0;
    std::uint64_t parent_id = 0;
    Location location;
    std::shared_ptr<const std::string> text;     // Of the node, in the form of the explanation.
    std::shared_ptr<const std::string> subject;  // Likewise.
    std::string values;                          // Of the variables; of kJson.
    std::string names;
    std::string message;
    [[nodiscard]] std::size_t size() const;
  };
  [[nodiscard]] std::string Of(const Node& node) const;
  [[nodiscard]] bool Keep(std::shared_ptr<const Row> row);
  [[nodiscard]] std::map<std::string_view, std::string> ShortNames() const;
  [[nodiscard]] std::string LineOf(const Row& row, std::size_t depth, Quotes quotes) const;

  const Explain explain_;
  const Form form_;
  const std::size_t limit_bytes_;
  std::size_t bytes_ = 0;
  std::unordered_map<const void*, std::shared_ptr<const std::string>> texts_;
  std::vector<std::shared_ptr<const Row>> rows_;
  // Of kNotes and kFails: the last time that a rule or body was entered, by query.
  std::unordered_map<std::uint64_t, std::shared_ptr<const Row>> entered_;
};

// Where the time went, by line.
struct ProfiledLine {
  std::int64_t total_time_ns = 0;
  std::uint64_t num_eval = 0;
  std::uint64_t num_redo = 0;
  std::uint64_t num_gen_expr = 0;
  std::string file;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::uint32_t offset = 0;  // Of the expression that was first met there, in the file's text.
  std::uint32_t length = 0;
};

// THREADS: one.
class Profile final : public Sink {
 public:
  explicit Profile(Clock& clock) : clock_(clock) {}
  [[nodiscard]] bool wants_unify() const override { return false; }
  bool Add(const Event& event) override;

  // The names that `criteria` may have: what lines are sorted by, greatest first.
  [[nodiscard]] static bool IsCriterion(std::string_view name);
  // The first `limit` lines; 0: all. Ends the measuring.
  [[nodiscard]] std::vector<ProfiledLine> Lines(std::size_t limit,
                                                const std::vector<std::string>& criteria);

 private:
  struct Hit {
    ProfiledLine line;
    std::set<std::uint32_t> indexes;  // Of the expressions.
  };
  void Finish(std::chrono::steady_clock::time_point now);

  Clock& clock_;
  std::map<std::pair<std::string, std::uint32_t>, Hit> hits_;
  // The expression under way.
  bool running_ = false;
  std::chrono::steady_clock::time_point since_;
  Op op_ = Op::kEval;
  Location location_;
  std::uint32_t index_ = 0;
};

}  // namespace portcullis::rego::trace
