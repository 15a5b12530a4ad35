#include "webhook/stale_policies.h"

#include <algorithm>
#include <utility>

#include "rules/policy/expansion.h"

namespace portcullis::webhook {

void StalePolicies::Set(Reasons reasons) {
  const bool any = !reasons.empty();
  reasons_.store(any ? std::make_shared<const Reasons>(std::move(reasons)) : nullptr);
  any_ = any;
}

std::shared_ptr<const StalePolicies::Reasons> StalePolicies::current() const {
  return any_ ? reasons_.load() : nullptr;
}

Unanswered SetAside(const StalePolicies::Reasons& reasons,
                    const std::vector<policy::ConstraintTime>& evaluated,
                    std::string_view enforcement_point, policy::Verdict* verdict) {
  // A constraint that could not be matched has no details: no data was read for that.
  std::erase_if(verdict->violations, [&reasons](const policy::Violation& violation) {
    return violation.details.is_defined() && reasons.contains(violation.constraint->kind);
  });
  Unanswered unanswered;
  for (const policy::ConstraintTime& each : evaluated) {
    const auto found = reasons.find(each.of->kind);
    if (found == reasons.end()) {
      continue;
    }
    ++unanswered.constraints;
    const std::string line = "[" + each.of->name + "] not evaluated: " + found->second;
    const std::vector<std::string> actions =
        policy::ImpliedActions(each.implied_action, each.of->enforcement_action,
                               policy::ActionsAt(*each.of, enforcement_point));
    for (const auto& [action, lines] :
         {std::pair("deny", &unanswered.denying), std::pair("warn", &unanswered.warning)}) {
      // One that applies to what is made of the object too says it once.
      if (std::ranges::find(actions, action) != actions.end() &&
          std::ranges::find(*lines, line) == lines->end()) {
        lines->push_back(line);
      }
    }
  }
  std::erase_if(unanswered.warning, [&unanswered](const std::string& line) {
    return std::ranges::find(unanswered.denying, line) != unanswered.denying.end();
  });
  return unanswered;
}

}  // namespace portcullis::webhook
