// What gator's expander makes of objects: they are mutated, then expanded, and what is made is mutated too (gatekeeper.md 6.7, 9.3).

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "mutation/mutation_system.h"
#include "rules/policy/expansion.h"

namespace portcullis::tools {

struct Expanded {
  document::Value base;  // The object itself, mutated.
  std::vector<policy::Resultant> resultants;
};

class GatorExpander {
 public:
  // Takes the ExpansionTemplates, mutators and Namespaces among `objects`, which are read with NumberMode::kFloat64.
  // ERRORS: with gator's text: one that is refused, mutators that are in conflict.
  static Result<GatorExpander> Make(const std::vector<document::Value>& objects,
                                    document::Arena& arena);

  // Numbers in what comes back are as in NumberMode::kFloat64. ERRORS: with gator's text.
  [[nodiscard]] Result<Expanded> Expand(const document::Value& object) const;

  // The Namespace that an object lies in: an empty one for objects of the cluster, undefined where it was not given.
  [[nodiscard]] document::Value NamespaceOf(const document::Value& object) const;

 private:
  GatorExpander(policy::Expander expander, std::shared_ptr<const mutation::MutationSet> mutators,
                document::Arena& arena);
  Result<document::Value> Mutate(const document::Value& object, const document::Value& name_space,
                                 std::string_view source) const;

  policy::Expander expander_;
  std::shared_ptr<const mutation::MutationSet> mutators_;
  std::map<std::string, document::Value> namespaces_;
  document::Arena& arena_;
};

}  // namespace portcullis::tools
