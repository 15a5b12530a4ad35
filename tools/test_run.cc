#include "tools/test_run.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "document/object.h"
#include "rules/policy/expansion.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/suite_inventory.h"
#include "tools/gator_expander.h"

namespace portcullis::tools {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr std::size_t kPrintLimit = std::size_t{1} << 20;

GroupVersionKind TypeOf(const Value& object) {
  return document::MakeGroupVersionKind(object.GetString({"apiVersion"}),
                                        object.GetString({"kind"}));
}

std::string NameOf(const Value& object) {
  return std::string(object.GetString({"metadata", "name"}));
}

Result<void> AddPolicies(const std::vector<Value>& objects, policy::PolicyStore& policies) {
  for (const Value& object : objects) {
    const GroupVersionKind type = TypeOf(object);
    if (type.group == "templates.gatekeeper.sh" && type.kind == "ConstraintTemplate") {
      TRY(AddContext(policies.PutTemplate(object),
                     "adding template " + policy::Quote(NameOf(object))));
    }
  }
  for (const Value& object : objects) {
    if (TypeOf(object).group == "constraints.gatekeeper.sh") {
      TRY(AddContext(policies.PutConstraint(object),
                     "adding constraint " + policy::Quote(NameOf(object))));
    }
  }
  return {};
}

// The first object that cannot be kept in data.inventory.
Result<void> CheckData(const std::vector<Value>& objects) {
  for (const Value& object : objects) {
    const GroupVersionKind type = TypeOf(object);
    if (!type.version.empty() && !type.kind.empty()) {
      continue;
    }
    return Fail(ErrorCode::kInvalidArgument,
                "adding data of GVK " + policy::Quote(policy::GoTypeText(type)) +
                    ": admission.k8s.gatekeeper.sh: invalid request object: resource " +
                    NameOf(object) + " has no " + (type.version.empty() ? "version" : "kind") +
                    "\n");
  }
  return {};
}

class Tester {
 public:
  Tester(const policy::PolicySet& policies, const GatorExpander& expander, TestPrints prints,
         TestTrace trace, Clock& clock, document::Arena& arena)
      : policies_(policies),
        expander_(expander),
        traces_(trace == TestTrace::kMake),
        clock_(clock),
        arena_(arena) {
    options_.enforcement_point = policy::kGatorEnforcementPoint;
    options_.prints = prints == TestPrints::kKeep ? &report_.prints : nullptr;
    options_.times = &times_;
  }

  Result<TestReport> Run(const std::vector<Value>& objects) {
    options_.inventory_document = TRY(policy::MakeInventoryDocument(objects, arena_));
    for (const Value& object : objects) {
      TRY(ReviewOne(object));
    }
    std::ranges::stable_sort(report_.results, [](const TestResult& a, const TestResult& b) {
      return std::tie(a.enforcement_action, a.message) < std::tie(b.enforcement_action, b.message);
    });
    if (report_.prints.size() > kPrintLimit) {
      report_.prints.resize(kPrintLimit);
      report_.prints += "\n... additional print output truncated ...\n";
    }
    return std::move(report_);
  }

 private:
  Result<void> ReviewOne(const Value& object) {
    const Value name_space = expander_.NamespaceOf(object);
    const std::size_t first = report_.results.size();
    options_.source = "Original";
    TRY(ReviewInto(object, name_space, object, nullptr));
    options_.source = "Generated";
    const Expanded expanded =
        TRY(AddContext(expander_.Expand(object), "expanding resource " + NameOf(object)));
    // gator mutates the object that it has reported, too.
    for (std::size_t i = first; i < report_.results.size(); ++i) {
      report_.results[i].object = expanded.base;
    }
    for (const policy::Resultant& each : expanded.resultants) {
      TRY(ReviewInto(each.object, name_space, expanded.base, &each));
    }
    return {};
  }

  // `reported` is what the results name: the object itself, or what it was made of.
  Result<void> ReviewInto(const Value& object, const Value& name_space, const Value& reported,
                          const policy::Resultant* made) {
    policy::ReviewInput input;
    input.request = policy::MakeRequest(object, arena_);
    input.name_space_to_match = name_space;
    times_.clear();
    std::string trace;
    // What is expanded is reviewed without trace.
    options_.trace = traces_ && made == nullptr ? &trace : nullptr;
    const Result<policy::Verdict> verdict =
        policy::Review(policies_, input, nullptr, options_, clock_, arena_);
    if (!verdict) {
      return Fail(verdict.error().code,
                  std::string(made == nullptr ? "reviewing " : "reviewing expanded resource ") +
                      policy::GoTypeText(TypeOf(object)) + " " +
                      std::string(object.GetString({"metadata", "namespace"})) + "/" +
                      NameOf(object) + ": " + verdict.error().message);
    }
    if (!trace.empty()) {
      report_.trace += "\n\n" + trace;
    }
    for (const policy::TemplateTime& each : times_) {
      report_.statistics.push_back({.kind = each.of->kind,
                                    .constraints = each.constraints,
                                    .runtime = each.runtime,
                                    .implied_by = made == nullptr ? "" : made->template_name});
    }
    std::vector<const policy::Violation*> violations;
    for (const policy::Violation& violation : verdict->violations) {
      violations.push_back(&violation);
    }
    std::ranges::stable_sort(violations, {}, [](const policy::Violation* violation) {
      return std::tie(violation->constraint->kind, violation->constraint->name);
    });
    for (const policy::Violation* violation : violations) {
      Add(*violation, reported, made);
    }
    return {};
  }

  void Add(const policy::Violation& violation, const Value& reported,
           const policy::Resultant* made) {
    const policy::Constraint& constraint = *violation.constraint;
    TestResult& result = report_.results.emplace_back();
    result.message = made == nullptr ? std::string(violation.message)
                                     : policy::ImpliedMessage(*made, violation.message);
    result.details = violation.details;
    result.constraint = constraint.object;
    result.object = reported;
    result.enforcement_action = made == nullptr || made->enforcement_action.empty()
                                    ? constraint.enforcement_action
                                    : made->enforcement_action;
    if (constraint.enforcement_action == "scoped") {
      result.scoped_actions = violation.actions;
    }
  }

  const policy::PolicySet& policies_;
  const GatorExpander& expander_;
  const bool traces_;
  Clock& clock_;
  document::Arena& arena_;
  policy::ReviewOptions options_;
  std::vector<policy::TemplateTime> times_;
  TestReport report_;
};

}  // namespace

bool TestResult::denies() const {
  return enforcement_action == "deny" ||
         std::ranges::find(scoped_actions, "deny") != scoped_actions.end();
}

Result<TestReport> RunTest(const std::vector<Value>& objects, policy::PolicyStore& policies,
                           TestPrints prints, TestTrace trace, Clock& clock,
                           document::Arena& arena) {
  TRY(AddPolicies(objects, policies));
  TRY(CheckData(objects));
  const GatorExpander expander =
      TRY(AddContext(GatorExpander::Make(objects, arena), "error creating expander"));
  const std::shared_ptr<const policy::PolicySet> set = policies.current();
  return Tester(*set, expander, prints, trace, clock, arena).Run(objects);
}

}  // namespace portcullis::tools
