// Comprehensions that close over outer variables only to compare with them, such as
//
//   names := [other.name | some other in input.items; other.team == team]
//
// run once for all values of those variables; each later run is a look-up. What was O(n²) in a loop over the teams is O(n).

#pragma once

#include <cstdint>
#include <span>

#include "document/arena.h"
#include "document/value.h"
#include "rules/rego/plan.h"

namespace portcullis::rego {

// A handle is a tag, a size and a pointer; equal ones are the same value, since values do not change.
[[nodiscard]] bool SameHandle(const document::Value& a, const document::Value& b);

// Null where the comprehension that `block` is the body of, with its yield, cannot be grouped. Slots below `first_inner` are the
// outer ones.
[[nodiscard]] const Grouping* FindGrouping(Program& program, const Block& block, Slot first_inner);

// The solutions of one comprehension by the outer values that they ask for. One lives as long as its context.
// THREADS: one at a time.
class GroupedSolutions {
 public:
  enum class Advice : std::uint8_t {
    kRunAlone,  // Whether grouping pays is not known yet.
    kBuild,     // Run for all values now, and give the solutions to Build.
    kReady,     // Find answers.
  };
  // `fixed`: outer values that the comprehension reads beside its keys; grouped solutions are good for the same only.
  Advice Ask(std::span<const document::Value> fixed, document::Arena& arena);

  // `solutions`: one after another, each its keys and then what it yields.
  void Build(std::span<const document::Value> solutions, const Grouping& grouping,
             document::Arena& arena);

  struct Group {
    std::uint32_t first = 0;  // Of its solutions, and the last.
    std::uint32_t last = 0;
    std::uint64_t hash = 0;
    document::Value result;  // Of the comprehension, once it was asked for.
    bool used = false;
  };
  // Null: no solution. LIFETIME: until the next Build.
  [[nodiscard]] Group* Find(std::span<const document::Value> keys, const Grouping& grouping);
  // Calls `visit` with what each solution of the group yields, in order.
  template <class Visit>
  void ForEach(const Group& group, const Grouping& grouping, const Visit& visit) const {
    for (std::uint32_t i = group.first; i != kEnd; i = next_[i]) {
      visit(At(i, grouping).subspan(grouping.keys.size()));
    }
  }

 private:
  static constexpr std::uint32_t kEnd = 0xffffffff;
  [[nodiscard]] std::span<const document::Value> At(std::uint32_t solution,
                                                    const Grouping& grouping) const {
    const std::size_t width = grouping.keys.size() + grouping.yield_width;
    return solutions_.subspan(solution * width, width);
  }
  // Where the group of these keys is, or would be.
  Group& Place(std::span<const document::Value> keys, std::uint64_t hash, const Grouping& grouping);

  bool asked_ = false;
  bool ready_ = false;
  std::span<document::Value> fixed_;
  std::span<document::Value> solutions_;
  std::span<std::uint32_t> next_;  // By solution: the next of its group.
  std::span<Group> groups_;        // Open addressing, a power of two.
};

}  // namespace portcullis::rego
