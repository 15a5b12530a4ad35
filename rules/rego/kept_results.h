// Results of rules and functions that are kept for the rest of a query (OPA's virtual cache). One of these lives as long as its
// context: `with` begins a new one.
// THREADS: one at a time.

#pragma once

#include <cstdint>
#include <span>

#include "document/arena.h"
#include "document/value.h"
#include "rules/rego/grouping.h"

namespace portcullis::rego {

class KeptResults {
 public:
  // LIFETIME: everything lives in `arena`, as do the values put here.
  KeptResults(document::Arena& arena, std::size_t procedures, std::size_t groupings);

  // A result that may be undefined, once it is known.
  struct Result {
    document::Value value;
    bool known = false;
  };
  [[nodiscard]] Result& Of(std::uint32_t procedure) { return results_[procedure]; }

  // What is known of a comprehension that can be grouped.
  [[nodiscard]] GroupedSolutions& Grouped(std::uint32_t grouping);

  // The result of a call with these arguments, or null. Composites are told apart by where they lie, not by content.
  [[nodiscard]] const document::Value* Find(std::uint32_t procedure,
                                            std::span<const document::Value> arguments) const;
  // False when the table is full: the result is then not kept.
  bool Keep(std::uint32_t procedure, std::span<const document::Value> arguments,
            document::Value result);

  // Forgets the results of procedures and calls.
  void Clear();

 private:
  struct Call {
    std::uint64_t hash = 0;
    std::uint32_t procedure = 0;
    std::span<const document::Value> arguments;
    document::Value result;
    bool used = false;
  };
  void Grow();

  document::Arena& arena_;
  std::span<Result> results_;
  std::size_t grouping_count_;
  std::span<GroupedSolutions> grouped_;  // Empty until one is asked for.
  std::span<Call> calls_;
  std::size_t call_count_ = 0;
};

}  // namespace portcullis::rego
