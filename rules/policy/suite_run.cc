// Runs suites: each case against a fresh policy and its own inventory.

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <re2/re2.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/object.h"
#include "rules/builtins/regex.h"
#include "rules/policy/expansion.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/manifest_file.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"
#include "rules/policy/review_trace.h"
#include "rules/policy/suite.h"
#include "rules/policy/suite_inventory.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::string_view kSchemaError = "schema validation failed";

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

Result<Value> ReadTemplate(const std::filesystem::path& file, document::Arena& arena) {
  const std::string name = Quote(ShownPath(file));
  const std::string text =
      TRY(AddContext(ReadTextFile(file), "reading ConstraintTemplate from " + name));
  const Value object =
      TRY(AddContext(ParseObject(text, arena, document::NumberMode::kExact),
                     "adding template: parsing ConstraintTemplate YAML from " + name));
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  if (type.group != "templates.gatekeeper.sh" || type.kind != "ConstraintTemplate") {
    return Invalid("path " + name + ": not a ConstraintTemplate");
  }
  if (type.version != "v1" && type.version != "v1beta1" && type.version != "v1alpha1") {
    return Invalid("path " + name +
                   ": adding template: no kind \"ConstraintTemplate\" is registered for version " +
                   Quote(type.group_version()) + " in scheme \"pkg/runtime/scheme.go:111\"");
  }
  return object;
}

Result<Value> ReadConstraint(const std::filesystem::path& file, document::Arena& arena) {
  const std::string name = Quote(ShownPath(file));
  const std::string text = TRY(AddContext(ReadTextFile(file), "reading Constraint from " + name));
  const Value object = TRY(AddContext(ParseObject(text, arena, document::NumberMode::kExact),
                                      "adding constraint: parsing Constraint from " + name));
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  if (type.group == "constraints.gatekeeper.sh") {
    return object;
  }
  return Invalid("not a Constraint");
}

Result<Expander> ReadExpansions(const std::filesystem::path& file, document::Arena& arena) {
  const std::string name = Quote(ShownPath(file));
  TRY(AddContext(ReadTextFile(file), "reading ExpansionTemplate from " + name));
  const auto objects = ReadObjects(file, arena, document::NumberMode::kFloat64);
  if (!objects && !objects.error().message.starts_with("missing objects")) {
    return std::unexpected(objects.error());
  }
  const bool good =
      objects && std::ranges::all_of(*objects, [](const Value& object) {
        const document::GroupVersionKind type = document::MakeGroupVersionKind(
            object.GetString({"apiVersion"}), object.GetString({"kind"}));
        return type.group == "expansion.gatekeeper.sh" && type.kind == "ExpansionTemplate";
      });
  if (!good) {
    return Invalid("not an Expansion Template: " + name);
  }
  return Expander::Make(*objects);
}

// The names of members that are not among `known`, as Go's strict decoding lists them.
void AddUnknownFields(const Value& object, std::string_view prefix,
                      std::span<const std::string_view> known, std::string* list) {
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    const std::string_view name = object.KeyAt(i).string();
    if (std::ranges::find(known, name) == known.end()) {
      *list += (list->empty() ? "" : ", ");
      *list += "unknown field " + Quote(std::string(prefix) + std::string(name));
    }
  }
}

Result<void> CheckReviewFields(const Value& review) {
  constexpr std::array<std::string_view, 4> kKnown = {"apiVersion", "kind", "request", "response"};
  constexpr std::array<std::string_view, 15> kKnownInRequest = {"dryRun",
                                                                "kind",
                                                                "name",
                                                                "namespace",
                                                                "object",
                                                                "oldObject",
                                                                "operation",
                                                                "options",
                                                                "requestKind",
                                                                "requestResource",
                                                                "requestSubResource",
                                                                "resource",
                                                                "subResource",
                                                                "uid",
                                                                "userInfo"};
  std::string unknown;
  AddUnknownFields(review.Find("request"), "request.", kKnownInRequest, &unknown);
  AddUnknownFields(review, "", kKnown, &unknown);
  if (unknown.empty()) {
    return {};
  }
  return Invalid(
      "not a valid AdmissionReview object: unable to convert to an AdmissionReview object, error: "
      "strict decoding error: " +
      unknown);
}

bool IsAdmissionReview(const Value& object) {
  return object.GetString({"kind"}) == "AdmissionReview" &&
         object.GetString({"apiVersion"}).starts_with("admission.k8s.io/");
}

// The request of an AdmissionReview, or the one that stands for any other object.
Result<Value> RequestOf(const Value& object, document::Arena& arena) {
  if (!IsAdmissionReview(object)) {
    return MakeRequest(object, arena);
  }
  TRY(CheckReviewFields(object));
  const Value request = object.Find("request");
  if (!request.is_object()) {
    return Invalid(
        "missing an AdmissionRequest object: request did not actually pass in an AdmissionRequest");
  }
  bool any = false;
  for (const std::string_view name : {"object", "oldObject"}) {
    const Value part = request.Find(name);
    if (part.is_undefined() || part.is_null()) {
      continue;
    }
    any = true;
    if (part.GetString({"kind"}).empty()) {
      return Invalid("object or oldObject cannot be unmarshalled: Object 'Kind' is missing in '" +
                     document::ToJson(part) + "'");
    }
  }
  if (any) {
    return request;
  }
  return Invalid(
      "no object or oldObject found to review: AdmissionRequest does not contain an \"object\" or "
      "\"oldObject\" to "
      "review");
}

// What gator puts before the error of a review.
std::string ReviewContext(std::string_view doing, const Value& object) {
  if (IsAdmissionReview(object)) {
    return "";
  }
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  return std::string(doing) + " " + GoTypeText(type) + " " +
         std::string(object.GetString({"metadata", "namespace"})) + "/" +
         std::string(object.GetString({"metadata", "name"})) + ": ";
}

std::string CountProblem(const SuiteAssertion& assertion, std::int64_t count) {
  std::string wanted;
  if (assertion.count) {
    if (*assertion.count < 0) {
      return "invalid yaml: assertion.violation, if set, must be a nonnegative integer, \"yes\", "
             "or \"no\"";
    }
    if (count == *assertion.count) {
      return "";
    }
    wanted = "exactly " + std::to_string(*assertion.count);
  } else if (assertion.words == "yes") {
    if (count > 0) {
      return "";
    }
    wanted = "at least 1";
  } else if (assertion.words == "no") {
    if (count == 0) {
      return "";
    }
    wanted = "none";
  } else {
    return "invalid yaml: assertion.violation, if set, must be a nonnegative integer, \"yes\", or "
           "\"no\"";
  }
  const std::string containing =
      assertion.message ? " containing " + Quote(*assertion.message) : "";
  return "unexpected number of violations: got " + std::to_string(count) + " violations" +
         containing + " but want " + wanted;
}

// What a constraint says of an object.
struct Complaint {
  std::string action;  // The constraint's.
  std::string message;
  friend auto operator<=>(const Complaint&, const Complaint&) = default;
};

// What is wrong; empty: the assertion holds.
std::string Check(const SuiteAssertion& assertion, const std::vector<Complaint>& complaints) {
  const auto regex = builtins::CompileRegex(assertion.message.value_or(""));
  std::int64_t count = 0;
  std::vector<std::string> messages;
  for (const Complaint& complaint : complaints) {
    if (!regex) {
      return "message contains invalid regular expression: " + regex.error();
    }
    messages.push_back(complaint.message);
    if (!assertion.message || re2::RE2::PartialMatch(complaint.message, **regex)) {
      ++count;
    }
  }
  const std::string problem = CountProblem(assertion, count);
  return problem.empty() ? "" : problem + ": got messages " + GoList(messages);
}

}  // namespace

struct SuiteRunner::State {
  std::shared_ptr<const builtins::Catalog> catalog;
  SuiteOptions options;
  Clock& clock;
  std::unique_ptr<SuiteStore> store;  // Opened by the first case that has an inventory.

  // The template and constraint of a test.
  struct Policy {
    std::unique_ptr<PolicyStore> store;
    std::shared_ptr<const PolicySet> set;
    Expander expander;
  };

  TestResult RunTest(const Suite& suite, const SuiteTest& test, const SuiteFilter& filter);
  CaseResult RunCase(const Suite& suite, const Policy& policy, const SuiteCase& of);
  Result<Policy> MakePolicy(const Suite& suite, const SuiteTest& test);
  Result<void> CheckCase(const Suite& suite, const Policy& policy, const SuiteCase& of,
                         CaseResult* result);
  // What the constraint says of the object, and of what its expansion makes of it.
  Result<std::vector<Complaint>> ReviewAll(const Policy& policy, const Value& object,
                                           index::InventoryView* view, ReviewOptions options,
                                           document::Arena& arena);
};

Result<SuiteRunner::State::Policy> SuiteRunner::State::MakePolicy(const Suite& suite,
                                                                  const SuiteTest& test) {
  const std::filesystem::path folder = suite.file.parent_path();
  if (test.template_file.empty()) {
    return Invalid("invalid Suite: missing template");
  }
  document::Arena arena;
  const Value object = TRY(ReadTemplate(folder / test.template_file, arena));
  Policy policy;
  policy.store = std::make_unique<PolicyStore>(
      catalog,
      PolicyStoreOptions{.templates = {.keep_prints = true}, .check_enforcement_actions = false});
  if (const Result<void> added = policy.store->PutTemplate(object); !added) {
    return Invalid("adding template: " + added.error().message);
  }
  if (test.constraint_file.empty()) {
    return Invalid("invalid Suite: missing constraint");
  }
  const Value constraint = TRY(ReadConstraint(folder / test.constraint_file, arena));
  TRY(policy.store->PutConstraint(constraint));
  if (!test.expansion_file.empty() && !test.invalid) {
    policy.expander = TRY(ReadExpansions(folder / test.expansion_file, arena));
  }
  policy.set = policy.store->current();
  return policy;
}

Result<std::vector<Complaint>> SuiteRunner::State::ReviewAll(const Policy& policy,
                                                             const Value& object,
                                                             index::InventoryView* view,
                                                             ReviewOptions review,
                                                             document::Arena& arena) {
  std::vector<Complaint> complaints;
  ReviewInput input;
  input.request = TRY(RequestOf(object, arena));
  Result<Verdict> verdict = Review(*policy.set, input, view, review, clock, arena);
  if (!verdict) {
    return Invalid(ReviewContext("reviewing", object) + verdict.error().message);
  }
  const std::string name(object.GetString({"metadata", "name"}));
  std::vector<Resultant> resultants;
  if (!IsAdmissionReview(object)) {
    resultants =
        TRY(AddContext(policy.expander.Expand(object, arena),
                       "expanding resource " + name + ": error expanding resource " + name));
  }
  for (const Resultant& each : resultants) {
    review.source = "Generated";
    review.trace = nullptr;
    input.request = MakeRequest(each.object, arena);
    Result<Verdict> implied = Review(*policy.set, input, view, review, clock, arena);
    if (!implied) {
      return Invalid(ReviewContext("reviewing expanded resource", each.object) +
                     implied.error().message);
    }
    AddImplied(each, *std::move(implied), arena, &*verdict);
  }
  for (const Violation& violation : verdict->violations) {
    complaints.push_back(
        {std::string(violation.enforcement_action), std::string(violation.message)});
  }
  std::ranges::sort(complaints);
  return complaints;
}

Result<void> SuiteRunner::State::CheckCase(const Suite& suite, const Policy& policy,
                                           const SuiteCase& of, CaseResult* result) {
  const std::filesystem::path folder = suite.file.parent_path();
  if (of.object.empty()) {
    return Invalid("invalid Case: must define object");
  }
  if (of.assertions.empty()) {
    return Invalid("invalid Case: assertions must be non-empty");
  }
  document::Arena arena;
  const std::vector<Value> reviewed =
      TRY(ReadObjects(folder / of.object, arena, document::NumberMode::kFloat64));
  if (reviewed.size() != 1) {
    return Invalid(
        "object file must contain exactly one object: " + Quote(ShownPath(folder / of.object)) +
        " defines " + std::to_string(reviewed.size()) + " objects");
  }
  std::vector<Value> inventory;
  for (const std::string& file : of.inventory) {
    for (const Value& object :
         TRY(ReadObjects(folder / file, arena, document::NumberMode::kFloat64))) {
      inventory.push_back(object);
    }
  }

  ReviewOptions review;
  review.enforcement_point = kGatorEnforcementPoint;
  review.index_use = options.index_use;
  review.prints = &result->prints;
  std::unique_ptr<index::InventoryView> view;
  if (options.store.empty()) {
    review.inventory_document = TRY(MakeInventoryDocument(inventory, arena));
  } else {
    if (store == nullptr) {
      store = TRY(SuiteStore::Open(options.store, clock));
    }
    view = TRY(store->Load(inventory, policy.set->templates().front()->plan->wanted_indexes()));
  }
  std::string trace;
  review.trace = options.trace ? &trace : nullptr;
  const std::vector<Complaint> complaints =
      TRY(ReviewAll(policy, reviewed.front(), view.get(), review, arena));
  if (options.trace) {
    std::vector<TracedResult> results;
    for (const Complaint& complaint : complaints) {
      results.push_back({complaint.action, complaint.message});
    }
    result->trace = TraceDump(trace, results);
  }
  for (const SuiteAssertion& assertion : of.assertions) {
    if (std::string problem = Check(assertion, complaints); !problem.empty()) {
      return Invalid(std::move(problem));
    }
  }
  return {};
}

CaseResult SuiteRunner::State::RunCase(const Suite& suite, const Policy& policy,
                                       const SuiteCase& of) {
  CaseResult result;
  result.name = of.name;
  const auto start = clock.Now();
  const Result<void> passed = CheckCase(suite, policy, of, &result);
  result.runtime = clock.Now() - start;
  if (!passed) {
    result.error = passed.error().message;
  }
  return result;
}

TestResult SuiteRunner::State::RunTest(const Suite& suite, const SuiteTest& test,
                                       const SuiteFilter& filter) {
  TestResult result;
  result.name = test.name;
  if (test.skip || !filter.MatchesTest(test)) {
    result.skipped = true;
    return result;
  }
  const auto start = clock.Now();
  const Result<Policy> policy = MakePolicy(suite, test);
  const std::string problem = policy ? "" : policy.error().message;
  if (test.invalid) {
    if (!problem.starts_with(kSchemaError)) {
      result.error = "constraint should have failed schema validation: got error " +
                     (problem.empty() ? std::string("%!w(<nil>)") : problem) + " but want " +
                     std::string(kSchemaError);
    }
  } else if (!policy) {
    result.error = problem;
  } else {
    for (const SuiteCase& of : test.cases) {
      if (of.skip || !filter.MatchesCase(test, of)) {
        result.cases.emplace_back();
        result.cases.back().name = of.name;
        result.cases.back().skipped = true;
      } else {
        result.cases.push_back(RunCase(suite, *policy, of));
      }
    }
  }
  result.runtime = clock.Now() - start;
  return result;
}

SuiteRunner::SuiteRunner(std::shared_ptr<const builtins::Catalog> catalog, SuiteOptions options,
                         Clock& clock)
    : state_(new State{std::move(catalog), std::move(options), clock, nullptr}) {}

SuiteRunner::~SuiteRunner() = default;

SuiteResult SuiteRunner::Run(const Suite& suite, const SuiteFilter& filter) {
  SuiteResult result;
  result.path = suite.shown_path;
  result.skipped = suite.skip;
  if (suite.skip) {
    return result;
  }
  const auto start = state_->clock.Now();
  for (const SuiteTest& test : suite.tests) {
    result.tests.push_back(state_->RunTest(suite, test, filter));
  }
  result.runtime = state_->clock.Now() - start;
  return result;
}

}  // namespace portcullis::policy
