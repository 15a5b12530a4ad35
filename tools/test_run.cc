#include "tools/test_run.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "document/object.h"
#include "rules/policy/expansion.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/suite_inventory.h"

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
  Tester(const policy::PolicySet& policies, const policy::Expander& expander, TestPrints prints,
         Clock& clock, document::Arena& arena)
      : policies_(policies), expander_(expander), clock_(clock), arena_(arena) {
    options_.enforcement_point = policy::kGatorEnforcementPoint;
    options_.prints = prints == TestPrints::kKeep ? &report_.prints : nullptr;
    options_.times = &times_;
  }

  Result<TestReport> Run(const std::vector<Value>& objects) {
    options_.inventory_document = TRY(policy::MakeInventoryDocument(objects, arena_));
    for (const Value& object : objects) {
      if (TypeOf(object).group.empty() && TypeOf(object).kind == "Namespace") {
        namespaces_[NameOf(object)] = object;
      }
    }
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
  // An empty one for objects of the cluster; undefined for a namespace that was not given.
  Value NamespaceOf(const Value& object) {
    const std::string name(object.GetString({"metadata", "namespace"}));
    if (name.empty()) {
      return Value::Object({});
    }
    if (const auto given = namespaces_.find(name); given != namespaces_.end()) {
      return given->second;
    }
    if (name != "default") {
      return {};
    }
    document::ObjectBuilder metadata(arena_);
    metadata.Add("name", Value::String("default"));
    document::ObjectBuilder synthesized(arena_);
    synthesized.Add("metadata", metadata.Finish());
    return synthesized.Finish();
  }

  Result<void> ReviewOne(const Value& object) {
    const Value name_space = NamespaceOf(object);
    options_.source = "Original";
    TRY(ReviewInto(object, name_space, object, nullptr));
    options_.source = "Generated";
    for (const policy::Resultant& each : TRY(expander_.Expand(object, arena_))) {
      TRY(ReviewInto(each.object, name_space, object, &each));
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
    const Result<policy::Verdict> verdict =
        policy::Review(policies_, input, nullptr, options_, clock_, arena_);
    if (!verdict) {
      return Fail(verdict.error().code,
                  std::string(made == nullptr ? "reviewing " : "reviewing expanded resource ") +
                      policy::GoTypeText(TypeOf(object)) + " " +
                      std::string(object.GetString({"metadata", "namespace"})) + "/" +
                      NameOf(object) + ": " + verdict.error().message);
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
  const policy::Expander& expander_;
  Clock& clock_;
  document::Arena& arena_;
  policy::ReviewOptions options_;
  std::vector<policy::TemplateTime> times_;
  std::map<std::string, Value> namespaces_;
  TestReport report_;
};

}  // namespace

bool TestResult::denies() const {
  return enforcement_action == "deny" ||
         std::ranges::find(scoped_actions, "deny") != scoped_actions.end();
}

Result<TestReport> RunTest(const std::vector<Value>& objects, policy::PolicyStore& policies,
                           TestPrints prints, Clock& clock, document::Arena& arena) {
  TRY(AddPolicies(objects, policies));
  TRY(CheckData(objects));
  std::vector<Value> expansions;
  for (const Value& object : objects) {
    const GroupVersionKind type = TypeOf(object);
    if (type.group == "expansion.gatekeeper.sh" && type.kind == "ExpansionTemplate") {
      expansions.push_back(object);
    }
    if (type.group == "mutations.gatekeeper.sh") {
      return Fail(ErrorCode::kInvalidArgument, "mutators are not applied here: take " + type.kind +
                                                   " " + policy::Quote(NameOf(object)) +
                                                   " out of the input");
    }
  }
  const policy::Expander expander =
      TRY(AddContext(policy::Expander::Make(expansions), "error creating expander"));
  const std::shared_ptr<const policy::PolicySet> set = policies.current();
  return Tester(*set, expander, prints, clock, arena).Run(objects);
}

}  // namespace portcullis::tools
