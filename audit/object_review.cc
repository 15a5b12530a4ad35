#include "audit/object_review.h"

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "document/object.h"
#include "rules/policy/review.h"
#include "rules/policy/review_stats.h"

namespace portcullis::audit {
namespace {

using document::Value;

bool IsOfPolicy(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kNotFound;
}

}  // namespace

bool IsExcluded(const Policies& policies, const Value& object) {
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  return policies.exclusions != nullptr &&
         policies.exclusions->IsExcluded("audit", type.group, type.kind,
                                         object.GetString({"metadata", "namespace"}),
                                         object.GetString({"metadata", "name"}));
}

ObjectReviewer::ObjectReviewer(FindNamespace find_namespace, Clock& clock,
                               std::shared_ptr<Logger> logger, const ObjectReviewOptions& options)
    : find_namespace_(std::move(find_namespace)),
      clock_(clock),
      logger_(std::move(logger)),
      options_(options),
      arena_(options.arena_limit_bytes) {}

Result<ObjectFindings> ObjectReviewer::Review(const Policies& policies, const Value& object,
                                              index::InventoryView& view) {
  ObjectFindings findings;
  const bool concerns = !policies.set->BoundTo(object.GetString({"kind"})).empty() ||
                        policies.generators.expander != nullptr;
  if (!concerns || IsExcluded(policies, object)) {
    return findings;
  }
  arena_.Reset();
  Value name_space;
  if (const std::string_view name = object.GetString({"metadata", "namespace"}); !name.empty()) {
    Result<Value> found = find_namespace_(name, arena_);
    if (found) {
      name_space = *found;
    } else if (found.error().code != ErrorCode::kNotFound) {
      logger_->Error("Unable to look up object namespace",
                     {{"process", "audit"}, {"error", found.error().message}, {"namespace", name}});
      return findings;
    }
  }
  const Result<void> reviewed = ReviewOne(policies, object, name_space, view, &findings);
  if (!reviewed && IsOfPolicy(reviewed.error().code)) {
    logger_->Error("Unable to review object",
                   {{"process", "audit"},
                    {"error", reviewed.error().message},
                    {"resource_kind", object.GetString({"kind"})},
                    {"resource_namespace", object.GetString({"metadata", "namespace"})},
                    {"resource_name", object.GetString({"metadata", "name"})}});
    return ObjectFindings();
  }
  TRY(reviewed);
  for (auto& [key, each] : findings) {
    std::ranges::sort(each.violations);
    const auto repeated = std::ranges::unique(each.violations);
    each.violations.erase(repeated.begin(), repeated.end());
  }
  return findings;
}

Result<void> ObjectReviewer::ReviewOne(const Policies& policies, const Value& object,
                                       const Value& name_space, index::InventoryView& view,
                                       ObjectFindings* findings) {
  policy::ReviewOptions options;
  options.enforcement_point = policy::kAuditEnforcementPoint;
  options.source = options_.source;
  options.index_use = options_.index_use;
  options.deadline = clock_.Now() + options_.evaluation_timeout;
  policy::ReviewInput input{.request = policy::MakeRequest(object, arena_),
                            .name_space = name_space};
  std::vector<policy::TemplateTime> times;
  options.times = options_.log_stats ? &times : nullptr;
  policy::Verdict verdict =
      TRY(policy::Review(*policies.set, input, &view, options, clock_, arena_));
  const mutation::Generator generator{
      .name_space = name_space, .username = {}, .clock = &clock_, .deadline = options.deadline};
  const auto children = policies.generators.Generate(object, generator, arena_);
  if (!children) {
    return Fail(ErrorCode::kInvalidArgument,
                "unable to expand object: " + children.error().message);
  }
  for (const policy::Resultant& child : *children) {
    options.source = "Generated";
    options.deadline = clock_.Now() + options_.evaluation_timeout;
    input.request = policy::MakeRequest(child.object, arena_);
    const std::size_t asked = times.size();
    policy::Verdict implied =
        TRY(policy::Review(*policies.set, input, &view, options, clock_, arena_));
    for (std::size_t i = asked; i < times.size(); ++i) {
      times[i].implied_by = child.template_name;
    }
    policy::AddImplied(child, std::move(implied), arena_, &verdict);
  }
  if (!times.empty()) {
    // Gatekeeper's audit of the cache tells no source.
    const bool cached = options_.source.empty();
    const std::string stats = policy::ExecutionStats(times, false);
    logger_->Info(cached ? "audit from cache review request stats" : "audit review request stats",
                  {{"event_type", cached ? "audit_cache_stats" : "audit_stats"},
                   {"semantic", true},
                   {"execution_stats", JsonText{stats}}});
  }
  for (const policy::Violation& violation : verdict.violations) {
    const policy::Constraint& constraint = *violation.constraint;
    Findings& of = (*findings)[{constraint.kind, constraint.name}];
    of.enforcement_action = violation.enforcement_action;
    if (constraint.enforcement_action == "scoped") {
      of.actions = violation.actions;
    }
    of.violations.push_back(
        {.message = std::string(violation.message),
         .details = violation.details.is_undefined() ? "" : document::ToJson(violation.details)});
  }
  return {};
}

}  // namespace portcullis::audit
