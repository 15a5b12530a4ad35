#include "rules/policy/review.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "document/json.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/catalog.h"
#include "tests/policy/manifests.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReviewTest : public ::testing::Test {
 protected:
  // A template of this kind whose Rego is `rules`.
  Result<void> PutTemplate(const std::string& kind, const std::string& rules,
                           const std::string& operations = "[]") {
    const std::string text =
        TemplateManifest(kind, rules, {.version = "v1beta1", .operations = operations});
    return store_.PutTemplate(documents_.Yaml(text));
  }

  Result<void> PutConstraint(const std::string& kind, const std::string& name,
                             const std::string& spec = "{}") {
    return store_.PutConstraint(
        documents_.Yaml("{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: " + kind +
                        ", metadata: {name: " + name + "}, spec: " + spec + "}"));
  }

  Result<Verdict> Run(const std::string& request, const ReviewOptions& options = {}) {
    set_ = store_.current();
    ReviewInput input;
    input.request = documents_.Yaml(request);
    return Review(*set_, input, nullptr, options, clock_, documents_.arena());
  }

  // "[constraint] action: message", in order.
  std::vector<std::string> Lines(const std::string& request, const ReviewOptions& options = {}) {
    const auto verdict = Run(request, options);
    if (!verdict) {
      return {"error: " + verdict.error().message};
    }
    std::vector<std::string> lines;
    for (const Violation& violation : verdict->violations) {
      std::string actions;
      for (const std::string& action : violation.actions) {
        actions += (actions.empty() ? "" : "+") + action;
      }
      lines.push_back("[" + violation.constraint->name + "] " + actions + ": " +
                      std::string(violation.message));
    }
    return lines;
  }

  static constexpr const char* kPod =
      "{operation: CREATE, kind: {group: '', version: v1, kind: Pod}, name: a, namespace: shop, "
      "object: {apiVersion: v1, "
      "kind: Pod, metadata: {name: a, namespace: shop}}}";

  Documents documents_;
  PolicyStore store_{rego::CreateCatalog()};
  SystemClock clock_;
  std::shared_ptr<const PolicySet> set_;
};

TEST_F(ReviewTest, AViolationHasItsMessageDetailsAndActions) {
  ASSERT_TRUE(PutTemplate(
      "Probe",
      "violation[{\"msg\": msg, \"details\": {\"p\": input.parameters.p}}] {\n  msg := "
      "sprintf(\"%v in %v\", [input.review.object.metadata.name, input.review.namespace])\n}"));
  ASSERT_TRUE(PutConstraint("Probe", "one", "{parameters: {p: 10000000}}"));
  const auto verdict = Run(kPod);
  ASSERT_TRUE(verdict.has_value()) << verdict.error().message;
  ASSERT_EQ(verdict->violations.size(), 1U);
  EXPECT_EQ(verdict->violations[0].message, "a in shop");
  EXPECT_EQ(document::ToJson(verdict->violations[0].details), R"({"p":10000000})");
  EXPECT_THAT(verdict->violations[0].actions, ElementsAre("deny"));
}

TEST_F(ReviewTest, ResultsAreOrderedByActionThenMessageThenConstraint) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": msg}] { msg := input.parameters.m[_] }"));
  ASSERT_TRUE(PutConstraint("Probe", "w", "{enforcementAction: warn, parameters: {m: [a]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "z", "{parameters: {m: [c, a]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "k", "{parameters: {m: [b, a]}}"));
  ASSERT_TRUE(PutConstraint(
      "Probe", "s",
      "{enforcementAction: scoped, parameters: {m: [a]}, scopedEnforcementActions: [{action: deny, "
      "enforcementPoints: [{name: '*'}]}, {action: warn, enforcementPoints: [{name: '*'}]}]}"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[k] deny: a", "[z] deny: a", "[k] deny: b", "[z] deny: c",
                                       "[s] deny+warn: a", "[w] warn: a"));
}

TEST_F(ReviewTest, EqualResultsOfOneConstraintCountOnce) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\", \"extra\": e}] { e := [1, 2][_] }"));
  ASSERT_TRUE(PutConstraint("Probe", "a"));
  ASSERT_TRUE(PutConstraint("Probe", "b"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: x", "[b] deny: x"));
}

TEST_F(ReviewTest, AConstraintThatDoesNotMatchIsNotEvaluated) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\"}] { true }"));
  ASSERT_TRUE(
      PutConstraint("Probe", "pods", "{match: {kinds: [{apiGroups: [''], kinds: [Pod]}]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "apps",
                            "{match: {kinds: [{apiGroups: [apps], kinds: [Pod, Deployment]}]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "any", "{match: {namespaces: [shop]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "elsewhere", "{match: {namespaces: [other]}}"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[any] deny: x", "[pods] deny: x"));
}

TEST_F(ReviewTest, AConstraintThatCannotBeMatchedRejects) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\"}] { false }"));
  ASSERT_TRUE(PutConstraint(
      "Probe", "a",
      "{enforcementAction: warn, match: {namespaceSelector: {matchLabels: {x: z}}}}"));
  EXPECT_THAT(
      Lines(kPod),
      ElementsAre(
          "[a] warn: unable to match constraints: error matching the requested object: a :failed "
          "to run "
          "Match criteria: namespace selector for namespace-scoped object but missing Namespace"));
  ReviewOptions options;
  options.inventory_document = documents_.Yaml(
      "{cluster: {v1: {Namespace: {shop: {apiVersion: v1, kind: Namespace, metadata: {name: shop, "
      "labels: {x: z}}}}}}}");
  EXPECT_THAT(Lines(kPod, options), IsEmpty());
  EXPECT_THAT(Lines("{operation: CREATE, object: null}"),
              ElementsAre("[a] warn: unable to match constraints: invalid request object: neither "
                          "object nor old object "
                          "are defined"));
}

TEST_F(ReviewTest, ARunTimeErrorIsTheAnswerOfEveryConstraintOfItsKind) {
  ASSERT_TRUE(
      PutTemplate("Probe",
                  "f(x) = 1 { x }\nf(x) = 2 { x }\nviolation[{\"msg\": \"x\"}] { "
                  "f(input.parameters.conflict) }\nviolation[{\"msg\": \"other\"}] { true }"));
  ASSERT_TRUE(PutConstraint("Probe", "a", "{parameters: {conflict: false}}"));
  ASSERT_TRUE(PutConstraint("Probe", "b", "{parameters: {conflict: true}}"));
  constexpr const char* kText =
      "eval_conflict_error: functions must not produce multiple outputs for same inputs";
  const auto lines = Lines(kPod);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("[a] deny: template:") && lines[0].ends_with(kText)) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("[b] deny: template:") && lines[1].ends_with(kText)) << lines[1];
  const auto verdict = Run(kPod);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_TRUE(verdict->violations[0].details.is_null());
}

TEST_F(ReviewTest, AMessageThatIsNoStringFailsTheReview) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": m}] { m := input.parameters.m }"));
  ASSERT_TRUE(PutConstraint("Probe", "a", "{parameters: {m: 5}}"));
  constexpr const char* kPlace =
      "error: admission.k8s.gatekeeper.sh: Rego: extracting message binding: .msg accessor error: ";
  EXPECT_THAT(Lines(kPod), ElementsAre(std::string(kPlace) +
                                       "5 is of the type json.Number, expected string\n\n"));
  static_cast<void>(PutConstraint("Probe", "a", "{parameters: {m: {b: [1, c]}}}"));
  EXPECT_THAT(
      Lines(kPod),
      ElementsAre(std::string(kPlace) +
                  "map[b:[1 c]] is of the type map[string]interface {}, expected string\n\n"));
}

TEST_F(ReviewTest, ADeleteNeedsTheOldObject) {
  ASSERT_TRUE(PutTemplate(
      "Probe", "violation[{\"msg\": \"x\"}] { input.review.object == input.review.oldObject }"));
  ASSERT_TRUE(PutConstraint("Probe", "a"));
  EXPECT_THAT(Lines("{operation: DELETE, object: null, oldObject: {apiVersion: v1, kind: Pod, "
                    "metadata: {name: a}}}"),
              ElementsAre("[a] deny: x"));
  EXPECT_THAT(
      Lines("{operation: DELETE, object: null}"),
      ElementsAre(
          "error: admission.k8s.gatekeeper.sh: target.HandleReview failed for target "
          "\"admission.k8s.gatekeeper.sh\": oldObject cannot be nil for DELETE operations\n"));
}

TEST_F(ReviewTest, OperationsOfATemplateCountAtTheWebhookOnly) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\"}] { true }", "[UPDATE]"));
  ASSERT_TRUE(PutConstraint("Probe", "a"));
  EXPECT_THAT(Lines(kPod), IsEmpty());
  ReviewOptions audit;
  audit.enforcement_point = kAuditEnforcementPoint;
  EXPECT_THAT(Lines(kPod, audit), ElementsAre("[a] deny: x"));
}

TEST_F(ReviewTest, AScopedConstraintIsEvaluatedWhereItHasAnAction) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\"}] { true }"));
  ASSERT_TRUE(PutConstraint(
      "Probe", "a",
      "{enforcementAction: scoped, scopedEnforcementActions: [{action: warn, enforcementPoints: "
      "[{name: audit.gatekeeper.sh}]}]}"));
  EXPECT_THAT(Lines(kPod), IsEmpty());
  ReviewOptions audit;
  audit.enforcement_point = kAuditEnforcementPoint;
  EXPECT_THAT(Lines(kPod, audit), ElementsAre("[a] warn: x"));
}

TEST_F(ReviewTest, TheInventoryDocumentIsWhatPoliciesRead) {
  ASSERT_TRUE(PutTemplate("Probe",
                          "violation[{\"msg\": n}] { data.inventory.cluster.v1.Node[n] }\n"
                          "violation[{\"msg\": \"empty\"}] { data.inventory == {} }"));
  ASSERT_TRUE(PutConstraint("Probe", "a"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: empty"));
  ReviewOptions options;
  options.inventory_document = documents_.Yaml("{cluster: {v1: {Node: {n1: {}, n2: {}}}}}");
  EXPECT_THAT(Lines(kPod, options), ElementsAre("[a] deny: n1", "[a] deny: n2"));
}

TEST_F(ReviewTest, PoliciesComeAndGoInAnyOrder) {
  const auto early = PutConstraint("Probe", "a");
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(early.error().message, "missing ConstraintTemplate: template \"probe\" not found");
  EXPECT_THAT(Lines(kPod), IsEmpty());

  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"first\"}] { true }"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: first"));
  EXPECT_FALSE(PutTemplate("Probe", "violation[{\"msg\": msg}] { true }"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: first"));
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"second\"}] { true }"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: second"));
  store_.RemoveTemplate("probe");
  EXPECT_THAT(Lines(kPod), IsEmpty());
  EXPECT_EQ(store_.ConstraintProblem("Probe", "a"), early.error().message);
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"third\"}] { true }"));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: third"));
  store_.RemoveConstraint("Probe", "a");
  EXPECT_THAT(Lines(kPod), IsEmpty());
}

TEST_F(ReviewTest, AConstraintThatFailsANewSchemaStaysInForceAsItWas) {
  const auto with_schema = [](const char* type) {
    return std::string(
               "apiVersion: templates.gatekeeper.sh/v1\nmetadata: {name: probe}\nspec:\n  crd: "
               "{spec: {names: "
               "{kind: Probe}, validation: {openAPIV3Schema: {type: object, properties: {m: "
               "{type: ") +
           type +
           "}}}}}}\n  targets:\n  - target: admission.k8s.gatekeeper.sh\n    rego: |\n      "
           "package x\n      "
           "violation[{\"msg\": sprintf(\"%v\", [input.parameters.m])}] { true }\n";
  };
  ASSERT_TRUE(store_.PutTemplate(documents_.Yaml(with_schema("string"))));
  ASSERT_TRUE(PutConstraint("Probe", "a", "{parameters: {m: text}}"));
  ASSERT_TRUE(store_.PutTemplate(documents_.Yaml(with_schema("integer"))));
  EXPECT_THAT(Lines(kPod), ElementsAre("[a] deny: text"));
  EXPECT_TRUE(store_.ConstraintProblem("Probe", "a").starts_with("schema validation failed: "));
  EXPECT_FALSE(store_.CheckConstraint(
      documents_.Yaml("{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Probe, metadata: "
                      "{name: b}, spec: {parameters: {m: text}}}")));
}

TEST_F(ReviewTest, CandidatesAreFoundByKind) {
  ASSERT_TRUE(PutTemplate("Probe", "violation[{\"msg\": \"x\"}] { true }"));
  ASSERT_TRUE(
      PutConstraint("Probe", "pods", "{match: {kinds: [{apiGroups: [''], kinds: [Pod]}]}}"));
  ASSERT_TRUE(PutConstraint("Probe", "any"));
  const auto set = store_.current();
  EXPECT_EQ(set->Candidates("", "Pod").size(), 2U);
  EXPECT_EQ(set->Candidates("apps", "Pod").size(), 1U);
  EXPECT_EQ(set->Candidates("", "Node").size(), 1U);
  EXPECT_EQ(set->BoundTo("Pod")[0].constraint->name, "any");
  EXPECT_EQ(set->ConstraintsOf("Probe").size(), 2U);
}

}  // namespace
}  // namespace portcullis::policy
