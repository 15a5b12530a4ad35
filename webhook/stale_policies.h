// Policies that read data which is older than is allowed: reviews claim no verdict of theirs.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// What becomes of a review to which such a policy would have something to say.
enum class StaleAction : std::uint8_t {
  kError,  // Code 500, so that the webhook's failurePolicy decides; what other policies deny is denied.
  kWarn,  // Allowed, with a warning.
};

// THREADS: any.
class StalePolicies {
 public:
  // By the template's kind, why: "networking.k8s.io/v1/Ingress was last heard of 312 s ago, …".
  using Reasons = std::map<std::string, std::string, std::less<>>;

  void Set(Reasons reasons);
  // Null: there are none. COST: none then.
  [[nodiscard]] std::shared_ptr<const Reasons> current() const;

 private:
  std::atomic<bool> any_ = false;
  Published<Reasons> reasons_;
};

// What a review says of the policies that were not asked, a line each.
struct Unanswered {
  std::vector<std::string> denying;  // Of constraints that deny.
  std::vector<std::string> warning;  // That only warn.
  std::size_t constraints = 0;       // All of them, those that do neither too.
};

// Takes what stale policies found out of the verdict. `evaluated` are the constraints that were.
[[nodiscard]] Unanswered SetAside(const StalePolicies::Reasons& reasons,
                                  const std::vector<policy::ConstraintTime>& evaluated,
                                  std::string_view enforcement_point, policy::Verdict* verdict);

}  // namespace portcullis::webhook
