#include "audit/verdict_keeper.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/yaml.h"
#include "tests/audit/audit_world.h"
#include "tests/policy/manifests.h"

namespace portcullis::audit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kUniqueHost = R"(violation[{"msg": msg}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[ns][_]["Ingress"][name]
  other.spec.rules[_].host == host
  [ns, name] != [input.review.object.metadata.namespace, input.review.object.metadata.name]
  msg := sprintf("%v is taken by %v/%v", [host, ns, name])
})";
constexpr std::string_view kConstraint =
    "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: UniqueHost, metadata: {name: hosts}}";

std::string Ingress(std::string_view name, std::string_view host, int version = 1) {
  return fmt::format(
      "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{namespace: a, name: {}, "
      "resourceVersion: '{}'}}, spec: {{rules: [{{host: {}}}]}}}}",
      name, version, host);
}

class VerdictKeeperTest : public testing::Test {
 protected:
  VerdictKeeperTest() {
    world_.PutTemplate(policy::TemplateManifest("UniqueHost", kUniqueHost));
    world_.PutConstraint(kConstraint);
    world_.TellPolicies();
    EXPECT_TRUE(world_.inventory().WaitUntilIndexesReady(std::chrono::seconds(10)));
    world_.Settle();
  }
  double Evaluations() {
    return world_.metrics()
        .GetCounter("portcullis_audit_evaluations_total",
                    "Objects whose verdict the audit worked out")
        .value();
  }
  AuditWorld world_;
};

TEST_F(VerdictKeeperTest, AChangeReachesTheVerdictsThatReadIt) {
  world_.PutObject(Ingress("one", "h"));
  world_.PutObject(Ingress("two", "h"));
  world_.Settle();
  EXPECT_EQ(world_.Kept(),
            "UniqueHost/hosts a/networking.k8s.io/v1/Ingress/one [deny] h is taken by a/two {}\n"
            "UniqueHost/hosts a/networking.k8s.io/v1/Ingress/two [deny] h is taken by a/one {}\n");
  world_.DeleteObject(Ingress("one", "h"));
  world_.Settle();
  EXPECT_EQ(world_.Kept(), "");
}

TEST_F(VerdictKeeperTest, WhatTemplatesMakeIsJudgedAsMutatorsLeaveIt) {
  document::Arena arena;
  const auto read = [&arena](std::string_view yaml) {
    return document::ParseYaml(yaml, arena).value().front().value;
  };
  world_.PutTemplate(policy::TemplateManifest(
      "Owned",
      R"(violation[{"msg": "no owner"}] { not input.review.object.metadata.labels.owner })"));
  world_.PutConstraint(
      "{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Owned, metadata: {name: owned}, spec: "
      "{match: {kinds: [{apiGroups: [''], kinds: [Pod]}]}}}");
  world_.PutObject(
      "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {namespace: a, name: one, "
      "resourceVersion: '1'}, spec: {template: {spec: {}}}}");
  policy::ExpansionStore expansions;
  ASSERT_TRUE(expansions.Put(read(
      "{metadata: {name: makes}, spec: {applyTo: [{groups: [networking.k8s.io], versions: [v1], "
      "kinds: [Ingress]}], templateSource: spec.template, generatedGVK: {version: v1, kind: "
      "Pod}, enforcementAction: warn}}")));
  mutation::MutationStore mutators;
  world_.generators = {.expander = expansions.current(), .mutators = mutators.current()};
  world_.TellPolicies();
  world_.Settle();
  const std::string found =
      "Owned/owned a/networking.k8s.io/v1/Ingress/one [warn] [Implied by makes] no owner {}\n";
  EXPECT_EQ(world_.Kept(), found);
  EXPECT_EQ(world_.FullPass(), found);
  ASSERT_TRUE(mutators.Put(read(
      "{apiVersion: mutations.gatekeeper.sh/v1, kind: AssignMetadata, metadata: {name: m}, spec: "
      "{match: {source: Generated}, location: metadata.labels.owner, parameters: {assign: "
      "{value: x}}}}")));
  world_.generators.mutators = mutators.current();
  world_.TellPolicies();
  world_.Settle();
  EXPECT_EQ(world_.Kept(), "");
  EXPECT_EQ(world_.FullPass(), "");
}

TEST_F(VerdictKeeperTest, AChangeEvaluatesOnlyWhatReadIt) {
  for (int i = 0; i < 500; ++i) {
    world_.PutObject(Ingress(fmt::format("n{}", i), fmt::format("h{}", i / 2)));
  }
  world_.Settle();
  const double before = Evaluations();
  world_.PutObject(Ingress("n7", "h100", 2));
  world_.Settle();
  // Itself, the one that shared its old host, the two that share its new one.
  EXPECT_EQ(Evaluations() - before, 4);
  EXPECT_EQ(world_.Kept(), world_.FullPass());
}

TEST_F(VerdictKeeperTest, WhatWasNotDoneWhenTheProcessEndedIsDoneByTheNext) {
  world_.PutObject(Ingress("one", "h"));
  world_.Settle();
  world_.PutObject(Ingress("two", "h"));
  world_.Restart();
  const double before = Evaluations();
  world_.Settle();
  EXPECT_THAT(world_.Kept(), HasSubstr("Ingress/one"));
  EXPECT_EQ(world_.Kept(), world_.FullPass());
  // The policies are as before: nothing else is evaluated.
  EXPECT_EQ(Evaluations() - before, 2);
}

TEST_F(VerdictKeeperTest, AnInventoryThatRecordsNoChangesForgetsTheVerdicts) {
  world_.PutObject(Ingress("one", "h"));
  world_.PutObject(Ingress("two", "h"));
  world_.Settle();
  EXPECT_NE(world_.Kept(), "");
  world_.RestartWithoutAudit();
  EXPECT_EQ(world_.Kept(), "");
  world_.Restart();
  world_.Settle();
  EXPECT_EQ(world_.Kept(), world_.FullPass());
  EXPECT_NE(world_.Kept(), "");
}

TEST_F(VerdictKeeperTest, AFullPassCorrectsAndCounts) {
  world_.PutObject(Ingress("one", "h"));
  world_.PutObject(Ingress("two", "h"));
  world_.Settle();
  const std::string right = world_.Kept();
  world_.keeper().BeginFullPass();
  world_.Settle();
  EXPECT_EQ(world_.keeper().corrections(), 0U);
  // A verdict is damaged behind the keeper's back.
  store::Store& store = world_.inventory().store();
  const auto it = store.NewIterator(store::Family::kVerdicts, store::Reading::kOrdered, nullptr);
  it->Seek("v");
  ASSERT_TRUE(it->Valid());
  const auto batch = store.NewBatch();
  batch->Delete(store::Family::kVerdicts, it->key());
  ASSERT_TRUE(store.Write(*batch));
  EXPECT_NE(world_.Kept(), right);
  world_.keeper().BeginFullPass();
  world_.Settle();
  EXPECT_EQ(world_.Kept(), right);
  EXPECT_EQ(world_.keeper().corrections(), 1U);
}

TEST_F(VerdictKeeperTest, ObjectsOutsideStayUntilAnotherAuditEnds) {
  document::Arena arena;
  world_.PutObject(Ingress("one", "h"));
  world_.Settle();
  const std::string outside = Ingress("far", "h");
  world_.ReviewOutside(outside, "first");
  EXPECT_THAT(world_.Kept(), HasSubstr("Ingress/far"));
  ASSERT_TRUE(world_.keeper().EndOutside("first"));
  EXPECT_THAT(world_.Kept(), HasSubstr("Ingress/far"));
  ASSERT_TRUE(world_.keeper().EndOutside("second"));
  EXPECT_EQ(world_.Kept(), "");
}

TEST_F(VerdictKeeperTest, AnObjectThatComesIntoTheInventoryIsOutsideNoMore) {
  world_.PutObject(Ingress("one", "h"));
  world_.ReviewOutside(Ingress("far", "h"), "first");
  world_.PutObject(Ingress("far", "other"));
  world_.Settle();
  EXPECT_EQ(world_.Kept(), "");
  ASSERT_TRUE(world_.keeper().EndOutside("second"));
  EXPECT_EQ(world_.Kept(), world_.FullPass());
}

}  // namespace
}  // namespace portcullis::audit
