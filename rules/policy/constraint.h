// A Constraint: one use of a template, with its match, parameters and enforcement action (gatekeeper.md sections 1.3 and 2).

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "rules/policy/enforcement.h"
#include "rules/policy/match.h"

namespace portcullis::policy {

struct Template;

// What names a constraint.
struct ConstraintKey {
  std::string kind;
  std::string name;
  friend auto operator<=>(const ConstraintKey&, const ConstraintKey&) = default;
};

// ERRORS: kInvalidArgument with Gatekeeper's text: no name, no kind, another API group.
[[nodiscard]] Result<ConstraintKey> ConstraintKeyOf(const document::Value& object);

// Immutable. THREADS: may be read in parallel.
struct Constraint {
  std::string kind;
  std::string name;
  std::string enforcement_action;  // deny, warn, dryrun, scoped, or what else was let through.
  std::vector<ScopedAction> scoped_actions;  // Of enforcement_action "scoped".
  Match match;
  document::Value parameters;              // With the schema's defaults; {} where there are none.
  document::Value object;                  // The whole, with the schema's defaults.
  std::shared_ptr<document::Arena> arena;  // Holds the values above.
};

// Actions of this constraint at an enforcement point, e.g. "validation.gatekeeper.sh". Empty: not evaluated there.
[[nodiscard]] std::vector<std::string> ActionsAt(const Constraint& constraint,
                                                 std::string_view enforcement_point);

// The same question, answered without making a list. COST: none for a constraint that is not scoped.
[[nodiscard]] bool IsEnforcedAt(const Constraint& constraint, std::string_view enforcement_point);

// How policies see the numbers in parameters: whole ones as they are, or as `gator test` has them, all as float64 (1e+06).
enum class ParameterNumbers : std::uint8_t { kWhole, kFloat64 };

// Whole numbers that fit become int64, others float64. Enforcement actions are not compared with the known ones: see CheckEnforcementAction.
// ERRORS: kInvalidArgument with Gatekeeper's text: names, selectors, schema, unknown fields.
[[nodiscard]] Result<std::shared_ptr<const Constraint>> ParseConstraint(
    const document::Value& object, const Template& of,
    ParameterNumbers numbers = ParameterNumbers::kWhole);

}  // namespace portcullis::policy
