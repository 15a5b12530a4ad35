// Finds the definitions of a rule or function that a call can match, where many differ in a constant that a part of the input or
// an argument must equal: `allow if input.method == "GET"`, `multiple("Ki") = 1024`.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "document/value.h"
#include "rules/rego/plan.h"

namespace portcullis::rego {

// Immutable once made. LIFETIME: the program outlives it.
class RuleIndex {
 public:
  // Null where too few definitions can be told apart for a look-up to pay.
  static std::unique_ptr<const RuleIndex> Make(const Program& program, const Procedure& procedure);

  // Calls `visit(branch)` for each definition that may match, in the order in which they stand, until it returns false.
  // A definition that is left out has no solution. COST: a hash look-up for each source (a handful at most), and the candidates.
  template <class Visit>
  void ForEachCandidate(const document::Value& input, const document::Value* slots,
                        const Visit& visit) const {
    std::span<const std::uint32_t> lists[kMostSources + 1];
    std::size_t count = 0;
    const auto add = [&](std::span<const std::uint32_t> list) {
      if (!list.empty()) {
        lists[count++] = list;
      }
    };
    add(always_);
    for (const Source& source : sources_) {
      add(Find(source, input, slots));
    }
    while (count > 0) {
      std::size_t least = 0;
      for (std::size_t i = 1; i < count; ++i) {
        if (lists[i].front() < lists[least].front()) {
          least = i;
        }
      }
      if (!visit(branches_[lists[least].front()])) {
        return;
      }
      lists[least] = lists[least].subspan(1);
      if (lists[least].empty()) {
        lists[least] = lists[--count];
      }
    }
  }

 private:
  static constexpr std::size_t kMostSources = 6;

  // A part of the input or of an argument.
  struct Source {
    Slot argument = kNoSlot;  // kNoSlot: of the input.
    std::vector<document::Value> keys;
    // By the hash of what must be there: numbers of definitions, ascending.
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> definitions;
    [[nodiscard]] bool IsSame(const Source& other) const;
  };
  // A definition, or one of its `else` parts, needs the value of a source to be one of these.
  struct Condition {
    std::size_t source = 0;
    std::vector<document::Value> values;
  };
  class Builder;

  static std::span<const std::uint32_t> Find(const Source& source, const document::Value& input,
                                             const document::Value* slots);

  std::span<const Branch* const> branches_;
  std::vector<Source> sources_;
  std::vector<std::uint32_t> always_;  // Definitions that no source tells apart.
};

}  // namespace portcullis::rego
