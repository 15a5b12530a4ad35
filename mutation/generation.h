// What ExpansionTemplates make of an object under review, each mutated as the real one would be (gatekeeper.md 6.7).

#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "document/arena.h"
#include "document/object.h"
#include "document/value.h"
#include "mutation/external_data.h"
#include "mutation/mutation_system.h"
#include "rules/policy/expansion.h"

namespace portcullis::mutation {

// As Mutate() of the set, of a review's object: numbers in it and in what comes back are as in NumberMode::kFloat64.
// The same handle where nothing changes. ERRORS: as Mutate()'s.
[[nodiscard]] Result<document::Value> MutateReviewed(const MutationSet& set, const Mutable& target,
                                                     const MutateOptions& options,
                                                     document::Arena& arena);

// What is generated for whom.
struct Generator {
  document::Value name_space;  // The Namespace object of the reviewed one; undefined: none.
  std::string_view username;
  Clock* clock = nullptr;  // Null: there is no deadline.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// What generates at one moment. A null pointer: none.
struct Generators {
  std::shared_ptr<const policy::Expander> expander;
  std::shared_ptr<const MutationSet> mutators;
  ExternalDataClient* external_data = nullptr;

  // Whether anything is made of objects of this type, and whether a provider may be asked on the way.
  [[nodiscard]] bool AppliesTo(const document::GroupVersionKind& type) const;
  [[nodiscard]] bool MayAskProviders() const;

  // What is made of `object`, in the order of Expander::Expand. Numbers are as in NumberMode::kFloat64.
  // COST: waits for the providers of external data. ERRORS: with Gatekeeper's text.
  [[nodiscard]] Result<std::vector<policy::Resultant>> Generate(const document::Value& object,
                                                                const Generator& generator,
                                                                document::Arena& arena) const;
};

}  // namespace portcullis::mutation
