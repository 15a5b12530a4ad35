// How the objects that a reference below data.inventory names are reached: by key, by a range of keys, or through secondary
// indexes that turn a join into a look-up.
//
// An index only narrows the candidates. It may be used where every object that it leaves out would have failed the
// condition that it serves, without anything being evaluated on the way there that could have ended in an error.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "index/definition.h"
#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "rules/rego/error_analysis.h"
#include "rules/rego/variables.h"

namespace portcullis::rego {

// A reference data.inventory.<scope>[…]… as it stands in a body, seen from the moment before its expression runs.
struct InventorySite {
  const Term* reference = nullptr;
  store::Scope scope = store::Scope::kNamespaced;
  std::size_t object_end =
      0;  // The operands from here on go into the object: reference->items[object_end…].
  const Body* body = nullptr;
  std::size_t expression = 0;            // The reference's expression in the body.
  VarSet bound;                          // Variables that have a value before the expression.
  const PlanOptions* options = nullptr;  // Null: the planner chooses all by itself.
};

// A condition on a key of the reference, to be tried before what lies below the key is read.
struct KeyCondition {
  std::size_t level = 0;
  const Expr* expr = nullptr;
};

// Keys to look up in one index.
struct Probe {
  index::Definition definition;
  // What gives the key its value, to be evaluated before the look-up; needs only what is bound before the reference.
  std::vector<const Expr*> given_by;
  const Term* key = nullptr;
  enum class Keys : std::uint8_t {
    kValue,          // The value of `key`.
    kPair,           // [entry, key]
    kItems,          // Each item of the collection `key`.
    kNames,          // Each key of the collection `key`: of a set its members.
    kMembersOrNone,  // The same, and what stands for an empty collection.
    kItemsOrNone
  } keys = Keys::kValue;
  const Term* entry = nullptr;
  const Location* location = nullptr;  // Of the condition that it serves.
  bool direct =
      false;  // That condition is an equality in the body itself, of the value at the path with a key that is bound.
  // The look-up serves only if these have a solution.
  std::vector<const Expr*> guards = {};
};

struct AccessPath {
  // Any one of these finds all candidates: those of all its probes together.
  std::vector<std::vector<Probe>> choices;
  std::vector<KeyCondition> conditions;
  std::string reason;             // Why no index serves.
  bool nothing_compared = false;  // Then: because no condition was found.
};

// Expressions that the search writes go to `written`, which outlives the path.
[[nodiscard]] AccessPath FindAccessPath(const InventorySite& site, const CompiledPolicy& policy,
                                        ErrorAnalysis& errors, std::deque<Body>* written);

}  // namespace portcullis::rego
