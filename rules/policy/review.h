// One review: an object against the policy in force.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/engine.h"

namespace portcullis::policy {

inline constexpr std::string_view kWebhookEnforcementPoint = "validation.gatekeeper.sh";
inline constexpr std::string_view kAuditEnforcementPoint = "audit.gatekeeper.sh";
inline constexpr std::string_view kGatorEnforcementPoint = "gator.gatekeeper.sh";

// What one template took.
struct TemplateTime {
  const Template* of = nullptr;
  std::size_t constraints = 0;  // How many matched.
  std::chrono::steady_clock::duration runtime{};
  rego::EvaluationStatistics statistics;
  std::string_view implied_by;  // The ExpansionTemplate that made what was reviewed; empty: none.
  std::vector<rego::AccessCost> accesses;  // Where they were to be measured: by PlanStep::access.
};

// What one constraint that matched took.
struct ConstraintTime {
  const Constraint* of = nullptr;
  std::chrono::steady_clock::duration runtime{};
  // Of the ExpansionTemplate that made what was reviewed; empty: none made it, or it leaves the constraint its own.
  std::string_view implied_action;
};

struct ReviewOptions {
  std::string_view enforcement_point = kWebhookEnforcementPoint;
  std::string_view source = "Original";
  rego::IndexUse index_use = rego::IndexUse::kUse;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // data.inventory where there is no InventoryView; undefined: {}.
  document::Value inventory_document;
  std::string* prints = nullptr;  // What print() writes goes here, a line each; null: nowhere.
  std::vector<TemplateTime>* times =
      nullptr;                    // Gets an entry a template that was asked; null: none.
  bool measure_accesses = false;  // With times.
  std::vector<ConstraintTime>* constraint_times =
      nullptr;  // Gets an entry a constraint that was evaluated; null: none.
  // Gets the steps of the evaluation, as Gatekeeper's `Trace:` has them; stays empty where no constraint matches. Null: no
  // trace is made. COST: everything is evaluated once more, without plan: see review_trace.h.
  std::string* trace = nullptr;
};

// What is reviewed. `request` is an AdmissionRequest read with NumberMode::kFloat64.
struct ReviewInput {
  document::Value request;
  // The Namespace object of the object under review; undefined for cluster-scoped objects and where there is none.
  document::Value name_space;
  // What constraints are matched with in its place, without being shown to policies (gator); undefined: name_space.
  document::Value name_space_to_match = {};
};

struct Violation {
  const Constraint* constraint = nullptr;
  std::string_view message;
  // The constraint's, or that of the ExpansionTemplate that made what was reviewed.
  std::string_view enforcement_action;
  document::Value
      details;  // {} where the rule gives none; null beside the text of a run-time error; undefined when the
                // constraint could not be matched.
  std::vector<std::string> actions;  // deny, warn, dryrun, …: those of this enforcement point.
};

struct Verdict {
  // Sorted by enforcement action, then message; equal ones by constraint kind and name.
  std::vector<Violation> violations;
  rego::EvaluationStatistics statistics;
};

// Puts the violations into the order in which a verdict has them.
void SortViolations(Verdict* verdict);

// The request that stands for an object that nobody asked to admit: kind, name, namespace and the object. `operation`, if given,
// is what happens to it.
[[nodiscard]] document::Value MakeRequest(const document::Value& object, document::Arena& arena,
                                          std::string_view operation = {});

// input.review as Gatekeeper makes it (3.3): from the request, with namespaceObject; on DELETE oldObject is copied into object.
[[nodiscard]] document::Value MakeReview(const ReviewInput& input, document::Arena& arena);

// LIFETIME: the verdict points into `arena` and `policies`.
// ERRORS: what Gatekeeper answers with code 500, to the text (a msg that is no string, a DELETE without oldObject); a store
// that failed.
// COST: input.review is made once, and is shared by all constraints.
[[nodiscard]] Result<Verdict> Review(const PolicySet& policies, const ReviewInput& input,
                                     index::InventoryView* inventory, const ReviewOptions& options,
                                     Clock& clock, document::Arena& arena);

}  // namespace portcullis::policy
