#include "mutation/generation.h"

#include <utility>

#include "mutation/mutation_id.h"
#include "rules/policy/whole_numbers.h"

namespace portcullis::mutation {

using document::Value;

Result<Value> MutateReviewed(const MutationSet& set, const Mutable& target,
                             const MutateOptions& options, document::Arena& arena) {
  if (set.all().empty()) {
    return target.object;
  }
  Mutable exact = target;
  exact.object = policy::WithWholeNumbers(target.object, arena);
  const MutationOutcome outcome = TRY(set.Mutate(exact, options, arena));
  // The mutators' own values do not outlive them.
  return outcome.mutated
             ? document::WithFloatNumbers(document::DeepCopy(outcome.object, arena), arena)
             : target.object;
}

bool Generators::AppliesTo(const document::GroupVersionKind& type) const {
  return expander != nullptr && expander->AppliesTo(type);
}

bool Generators::MayAskProviders() const {
  return mutators != nullptr && mutators->asks_providers();
}

Result<std::vector<policy::Resultant>> Generators::Generate(const Value& object,
                                                            const Generator& generator,
                                                            document::Arena& arena) const {
  if (expander == nullptr) {
    return std::vector<policy::Resultant>();
  }
  const MutateOptions options{.new_id = NewMutationId,
                              .clock = generator.clock,
                              .deadline = generator.deadline,
                              .external_data = external_data};
  return expander->Expand(object, arena, [&](const Value& resultant) -> Result<Value> {
    if (mutators == nullptr) {
      return resultant;
    }
    return MutateReviewed(*mutators,
                          {.object = resultant,
                           .name_space = generator.name_space,
                           .username = generator.username,
                           .source = "Generated",
                           .operation = Operation::kUnknown},
                          options, arena);
  });
}

}  // namespace portcullis::mutation
