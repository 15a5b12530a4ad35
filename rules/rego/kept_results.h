// Results of rules and functions that are kept for the rest of a query (OPA's virtual cache). One of these lives as long as its
// context: `with` begins a new one.
// THREADS: one at a time.

#pragma once

#include <cstdint>
#include <span>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::rego {

class KeptResults {
 public:
  // LIFETIME: everything lives in `arena`, as do the values put here.
  KeptResults(document::Arena& arena, std::size_t procedures);

  // A result that may be undefined, once it is known.
  struct Result {
    document::Value value;
    bool known = false;
  };
  [[nodiscard]] Result& Of(std::uint32_t procedure) { return results_[procedure]; }

  // The result of a call with these arguments, or null. Composites are told apart by where they lie, not by content.
  [[nodiscard]] const document::Value* Find(std::uint32_t procedure,
                                            std::span<const document::Value> arguments) const;
  // False when the table is full: the result is then not kept.
  bool Keep(std::uint32_t procedure, std::span<const document::Value> arguments,
            document::Value result);

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
  std::span<Call> calls_;
  std::size_t call_count_ = 0;
};

}  // namespace portcullis::rego
