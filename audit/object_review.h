// What the audit says about one object: the violations of all constraints at the enforcement point audit.gatekeeper.sh.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "controller/exclusions.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "mutation/generation.h"
#include "rules/policy/constraint.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/engine.h"

namespace portcullis::audit {

struct FoundViolation {
  std::string message;
  std::string details;  // JSON; empty: none.
  friend auto operator<=>(const FoundViolation&, const FoundViolation&) = default;
};

// What one constraint has against one object.
struct Findings {
  std::string enforcement_action;
  std::vector<std::string> actions;  // Of a constraint with scoped actions: those of the audit.
  std::vector<FoundViolation> violations;
  friend bool operator==(const Findings&, const Findings&) = default;
};

using ObjectFindings = std::map<policy::ConstraintKey, Findings>;

// What counts at one moment. A null pointer: none.
struct Policies {
  std::shared_ptr<const policy::PolicySet> set = std::make_shared<const policy::PolicySet>();
  std::shared_ptr<const controller::Exclusions> exclusions = nullptr;
  mutation::Generators generators = {};
};

// The Namespace object of this name, in `arena`, with numbers as float64. ERRORS: kNotFound: there is none.
using FindNamespace =
    std::function<Result<document::Value>(std::string_view name, document::Arena& arena)>;

struct ObjectReviewOptions {
  bool log_stats = false;                // A line for each review (--log-stats-audit).
  std::string_view source = "Original";  // "" in Gatekeeper's audit from the cache.
  std::chrono::milliseconds evaluation_timeout{10000};
  std::size_t arena_limit_bytes = std::size_t{256} << 20;
  rego::IndexUse index_use = rego::IndexUse::kUse;
};

// THREADS: one.
class ObjectReviewer {
 public:
  // LIFETIME: the clock outlives it.
  ObjectReviewer(FindNamespace find_namespace, Clock& clock, std::shared_ptr<Logger> logger,
                 const ObjectReviewOptions& options);

  // `object` has numbers as float64; none of what comes back points to it. An object that cannot be reviewed (a policy whose
  // message is no text, a Namespace that cannot be read) has no findings, which is logged.
  // ERRORS: the store's.
  Result<ObjectFindings> Review(const Policies& policies, const document::Value& object,
                                index::InventoryView& view);

 private:
  Result<void> ReviewOne(const Policies& policies, const document::Value& object,
                         const document::Value& name_space, index::InventoryView& view,
                         ObjectFindings* findings);

  const FindNamespace find_namespace_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  const ObjectReviewOptions options_;
  document::Arena arena_;
};

// Whether Config keeps the audit from this object.
[[nodiscard]] bool IsExcluded(const Policies& policies, const document::Value& object);

}  // namespace portcullis::audit
