// What a builtin function is to the compiler (its name and type) and to the evaluator (its code).

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "document/arena.h"
#include "document/value.h"

namespace portcullis::builtins {

using document::Value;

// Things that a builtin prepares once and finds again, by the builtin's name and text: compiled regexes, globs, schemas.
// Lives as long as its query plan; bounded, the least recently used go first. THREADS: any (locks inside).
class PreparedCache;
// What http.send has sent in one query: http_send.cc.
struct SentRequests;

enum class FailureKind : std::uint8_t {
  kNone,
  kBuiltin,  // eval_builtin_error: undefined unless errors are strict.
  kType,     // eval_type_error: an operand of the wrong type; undefined unless errors are strict.
  kHalt,     // Ends the evaluation: the deadline or the arena limit was reached.
};

// What one call of a builtin works with. One per evaluation, reused by every call in it.
struct CallContext {
  CallContext(document::Arena& arena_of_results, PreparedCache& prepared_cache, Clock& wall_clock)
      : arena(arena_of_results), prepared(prepared_cache), clock(wall_clock) {}

  document::Arena& arena;  // Results live here.
  PreparedCache& prepared;
  Clock& clock;
  // Wall time of the query's start, in ns since 1970: time.now_ns is constant within a query.
  std::int64_t query_time_ns = 0;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::uint64_t seed = 0;  // Of rand.intn and uuid.

  // The context of the whole query, where this one is of a part of it that has an arena of its own.
  CallContext* outer = nullptr;
  // Made by the first http.send, in the context of the whole query.
  std::shared_ptr<SentRequests> sent;
  [[nodiscard]] CallContext& query() { return outer == nullptr ? *this : *outer; }

  // Set by a call that failed; the evaluator clears it.
  FailureKind failure = FailureKind::kNone;
  std::string failure_message;

  // Each gives undefined, to be returned.
  Value Fail(std::string message);  // "<builtin>: " is put before it by the evaluator.
  Value FailType(std::string message);
  // OPA's text: "operand 2 must be string but got number".
  Value FailOperand(int operand, std::string_view wanted, const Value& got);
  // True every so often when the deadline or the arena limit has passed: a long loop then returns undefined at once.
  // COST: a counter; the clock is read every 1,024 calls. `steps`: so many calls at once, where one took as long.
  bool ShouldHalt(std::size_t steps = 1);
  // True, as ShouldHalt, where `bytes` that a builtin is about to hold outside the arena would pass the arena's limit.
  bool HaltsBeyond(std::size_t bytes) { return bytes > arena.limit_bytes() && HaltForMemory(); }
  // True, as ShouldHalt, where `value` as text would: values share their parts, and may be far longer than what holds them.
  bool HaltsOnText(const Value& value);

 private:
  bool HaltForMemory();
  std::size_t ticks_ = 0;
};

// REQUIRES: arguments.size() is the arity; none is undefined. Undefined comes back where there is no result.
using Function = Value (*)(CallContext& context, std::span<const Value> arguments);

struct Builtin {
  std::string_view name;  // "startswith", "regex.match", "plus"
  // The type, in a small language: "(string, string) -> boolean"; names of arguments are not kept. Types: null boolean
  // number string any, any<T> (a choice of one); array[T] (of any length), [T, U] (of this length), set[T], object[K: V], {"a": T, "b": U}, T | U.
  // A type in the place of a name says what other members an object has: {"a": T, any: U}.
  // A trailing "..." in the arguments means any number more (print, sprintf has none). "(…) -> nothing" returns no value.
  std::string_view type;
  Function function =
      nullptr;  // Null where the evaluator does it itself (eq, assign, print, walk is not).
  std::string_view infix = {};  // "+", "==", …
  bool relation = false;        // The result is an array of which each item is a solution (walk).
  bool deprecated = false;
  bool nondeterministic = false;
};

// The builtins that a policy may call. Immutable once made; outlives every policy compiled with it.
class Catalog {
 public:
  // All of this folder and `more`, but those named in `disabled` (Gatekeeper's --disable-opa-builtin). Programs take
  // rules/rego/catalog.h's, which has those that need the language.
  static std::unique_ptr<const Catalog> Create(std::span<const std::string> disabled = {},
                                               std::vector<Builtin> more = {});
  [[nodiscard]] const Builtin* Find(std::string_view name) const;
  [[nodiscard]] std::span<const Builtin* const> all() const { return all_; }

 private:
  std::vector<Builtin> more_;        // Those that are not of this folder.
  std::vector<const Builtin*> all_;  // Sorted by name.
  std::unordered_map<std::string_view, const Builtin*> by_name_;
};

}  // namespace portcullis::builtins
