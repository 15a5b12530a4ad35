// Mutators that cannot both be right about the form of one kind of object (gatekeeper.md 6.5): along a path that they share, one
// takes for an object what the other takes for a list, or they know a list by different keys, or one writes a text where the
// other descends.

#pragma once

#include <memory>
#include <set>
#include <span>
#include <vector>

#include "mutation/mutator.h"

namespace portcullis::mutation {

// For each mutator, in the order given, those that it is in conflict with, itself among them; empty: none.
// COST: linear in the steps of all locations, times the kinds that each mutator applies to.
[[nodiscard]] std::vector<std::set<MutatorId>> FindConflicts(
    std::span<const std::shared_ptr<const Mutator>> mutators);

// Gatekeeper's text: "the following mutators have conflicting schemas: […]".
[[nodiscard]] std::string ConflictText(const std::set<MutatorId>& conflict);
inline constexpr std::string_view kConflictType = "ErrConflictingSchema";

}  // namespace portcullis::mutation
