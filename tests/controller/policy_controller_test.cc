#include "controller/policy_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/catalog.h"
#include "tests/controller/scripted_source.h"
#include "tests/policy/manifests.h"
#include "tests/replicator/scratch_folder.h"

namespace portcullis::controller {
namespace {

using document::GroupVersionKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const GroupVersionKind kTemplate{"templates.gatekeeper.sh", "v1", "ConstraintTemplate"};
const GroupVersionKind kConfig{"config.gatekeeper.sh", "v1alpha1", "Config"};
const GroupVersionKind kPod{"", "v1", "Pod"};
const GroupVersionKind kIngress{"networking.k8s.io", "v1", "Ingress"};

std::string Template(const std::string& kind, const std::string& body,
                     const std::string& version = "v1") {
  return policy::TemplateManifest(kind, "violation[{\"msg\": \"no\"}] { " + body + " }",
                                  {.version = version});
}
std::string Constraint(const std::string& kind, const std::string& name) {
  return "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: " + kind +
         "\nmetadata: {name: " + name + "}\nspec: {}\n";
}
std::string Config(const std::string& spec, const std::string& name_space = "gatekeeper-system") {
  return "apiVersion: config.gatekeeper.sh/v1alpha1\nkind: Config\nmetadata: {name: config, "
         "namespace: " +
         name_space + "}\nspec: {" + spec + "}\n";
}

constexpr const char* kJoin =
    "host := input.review.object.spec.rules[_].host; "
    "other := data.inventory.namespace[_][_].Ingress[_]; other.spec.rules[_].host == host";

class PolicyControllerTest : public testing::Test {
 protected:
  PolicyControllerTest() : policies_(rego::CreateCatalog()) {
    index::InventoryOptions options;
    options.store.path = folder_.root() / "store";
    inventory_ = index::Inventory::Open(options, clock_, Logger::Silent(), metrics_).value();
  }
  void Start(bool converts = true) {
    source_ = std::make_unique<ScriptedSource>(converts);
    objects_ = std::make_unique<ScriptedSource>(true);
    sync_set_ = std::make_unique<replicator::SyncSet>(*objects_, *inventory_, Logger::Silent());
    controller_ = std::make_unique<PolicyController>(
        *source_, policies_, *inventory_, *sync_set_, nullptr, nullptr, Logger::Silent(),
        PolicyControllerOptions{.metrics = &policy_metrics_});
  }
  double Metric(const std::string& name, const Labels& labels) {
    return metrics_.GetGauge(name, "", labels).value();
  }
  std::vector<std::string> Constraints() const {
    std::vector<std::string> names;
    const auto current = policies_.current();
    for (const policy::Constraint* constraint : current->constraints()) {
      names.push_back(constraint->kind + "/" + constraint->name);
    }
    return names;
  }
  std::vector<std::string> Problems() const {
    std::vector<std::string> texts;
    for (const PolicyProblem& problem : controller_->Problems()) {
      texts.push_back(problem.kind + "/" + problem.name + ": " + problem.message);
    }
    return texts;
  }
  std::vector<std::string> Indexes() const {
    std::vector<std::string> texts;
    for (const index::IndexStatus& index : inventory_->Indexes()) {
      if (index.state != index::IndexState::kDropping) {
        texts.push_back(index.definition.ToString() + " for " +
                        testing::PrintToString(index.users));
      }
    }
    return texts;
  }

  replicator::ScratchFolder folder_;
  ManualClock clock_;
  Metrics metrics_;
  PolicyMetrics policy_metrics_{metrics_, clock_};
  std::unique_ptr<index::Inventory> inventory_;
  policy::PolicyStore policies_;
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<ScriptedSource> objects_;
  std::unique_ptr<replicator::SyncSet> sync_set_;
  std::unique_ptr<PolicyController> controller_;
};

TEST_F(PolicyControllerTest, FollowsTheConstraintsOfEachTemplate) {
  Start();
  source_->Put(Constraint("Never", "early"));
  controller_->Start();
  source_->Put(Template("Never", "true"));
  EXPECT_THAT(Constraints(), ElementsAre("Never/early"));
  source_->Put(Constraint("Never", "late"));
  source_->Delete({"constraints.gatekeeper.sh", "v1beta1", "Never"}, "early");
  EXPECT_THAT(Constraints(), ElementsAre("Never/late"));
  source_->Delete(kTemplate, "never");
  EXPECT_THAT(Constraints(), IsEmpty());
  EXPECT_FALSE(source_->follows({"constraints.gatekeeper.sh", "v1beta1", "Never"}));
  source_->Put(Template("Never", "true"));
  EXPECT_THAT(Constraints(), ElementsAre("Never/late"));
}

TEST_F(PolicyControllerTest, KeepsTheLastGoodTemplateWhenAnUpdateIsBroken) {
  Start();
  controller_->Start();
  source_->Put(Template("Never", "true"));
  source_->Put(Constraint("Never", "one"));
  source_->Put(Template("Never", "nonsense("));
  EXPECT_NE(policies_.current()->FindTemplate("Never"), nullptr);
  EXPECT_THAT(Constraints(), ElementsAre("Never/one"));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("ConstraintTemplate/never: ")));
  source_->Put(Template("Never", "false"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PolicyControllerTest, ABrokenNewTemplateFollowsNothing) {
  Start();
  controller_->Start();
  source_->Put(Template("Broken", "nonsense("));
  EXPECT_FALSE(source_->follows({"constraints.gatekeeper.sh", "v1beta1", "Broken"}));
  source_->Delete(kTemplate, "broken");
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PolicyControllerTest, PoliciesAreCountedAsGatekeeperCountsThem) {
  Start();
  controller_->Start();
  source_->Put(Template("Never", "true"));
  source_->Put(Template("Broken", "nonsense("));
  source_->Put(Constraint("Never", "one"));
  source_->Put(Constraint("Never", "two"));
  EXPECT_EQ(Metric("gatekeeper_constraint_templates", {{"status", "active"}}), 1);
  EXPECT_EQ(Metric("gatekeeper_constraint_templates", {{"status", "error"}}), 1);
  EXPECT_EQ(
      Metric("gatekeeper_constraints", {{"enforcement_action", "deny"}, {"status", "active"}}), 2);
  EXPECT_EQ(metrics_
                .GetCounter("gatekeeper_constraint_template_ingestion_count_total", "",
                            {{"status", "error"}})
                .value(),
            1);
  source_->Delete({"constraints.gatekeeper.sh", "v1beta1", "Never"}, "two");
  EXPECT_EQ(
      Metric("gatekeeper_constraints", {{"enforcement_action", "deny"}, {"status", "active"}}), 1);
}

TEST_F(PolicyControllerTest, AsksForTheIndexesThatThePlansWant) {
  Start();
  source_->Put(Template("Unique", kJoin) + "---\n" + Template("Never", "true"));
  controller_->Start();
  EXPECT_THAT(Indexes(),
              ElementsAre("namespace/*/*/Ingress: spec.rules[_].host for { \"Unique\" }"));
  EXPECT_TRUE(controller_->Readiness().reads_inventory);
  source_->Delete(kTemplate, "unique");
  EXPECT_THAT(Indexes(), IsEmpty());
  EXPECT_FALSE(controller_->Readiness().reads_inventory);
}

TEST_F(PolicyControllerTest, TheSyncSetIsTheUnionOfConfigAndSyncSets) {
  Start();
  controller_->Start();
  source_->Put(Config("sync: {syncOnly: [{group: '', version: v1, kind: Pod}]}"));
  source_->Put(
      "apiVersion: syncset.gatekeeper.sh/v1alpha1\nkind: SyncSet\nmetadata: {name: s}\n"
      "spec: {gvks: [{group: networking.k8s.io, version: v1, kind: Ingress}, {kind: Half}]}\n");
  EXPECT_TRUE(objects_->follows(kPod));
  EXPECT_TRUE(objects_->follows(kIngress));
  EXPECT_EQ(controller_->Readiness().inventory_kinds, (std::set{kPod, kIngress}));
  source_->Put(Config("sync: {}"));
  EXPECT_FALSE(objects_->follows(kPod));
  EXPECT_TRUE(objects_->follows(kIngress));
  source_->Delete({"syncset.gatekeeper.sh", "v1alpha1", "SyncSet"}, "s");
  EXPECT_FALSE(objects_->follows(kIngress));
}

TEST_F(PolicyControllerTest, TemplatesThatAskForDataThatIsNotReplicatedAreKnown) {
  Start();
  std::string needy = Template("Needy", "true");
  needy.insert(needy.find("name: needy") + 11,
               R"(, annotations: {metadata.gatekeeper.sh/requires-sync-data: '[[{"groups": )"
               R"(["networking.k8s.io"], "versions": ["v1"], "kinds": ["Ingress"]}]]'})");
  source_->Put(needy);
  controller_->Start();
  EXPECT_EQ(controller_->TemplatesWithoutData(), 1U);
  document::Arena arena;
  const auto parsed = document::ParseYaml(needy, arena);
  EXPECT_THAT(controller_->UnmetSyncRequirements(parsed.value().front().value),
              ElementsAre(HasSubstr("networking.k8s.io/v1:Ingress")));
  source_->Put(
      Config("sync: {syncOnly: [{group: networking.k8s.io, version: v1, kind: Ingress}]}"));
  EXPECT_EQ(controller_->TemplatesWithoutData(), 0U);
  source_->Delete(kConfig, "config", "gatekeeper-system");
  EXPECT_EQ(controller_->TemplatesWithoutData(), 1U);
  source_->Delete(kTemplate, "needy");
  EXPECT_EQ(controller_->TemplatesWithoutData(), 0U);
}

TEST_F(PolicyControllerTest, OnlyTheConfigInGatekeepersNamespaceCounts) {
  Start();
  controller_->Start();
  source_->Put(Config("sync: {syncOnly: [{group: '', version: v1, kind: Pod}]}", "elsewhere"));
  EXPECT_FALSE(objects_->follows(kPod));
  source_->Put(Config("match: [{processes: [webhook], excludedNamespaces: [kube-*]}]"));
  EXPECT_TRUE(controller_->IsExcluded("webhook", "", "Pod", "kube-system", "p"));
  source_->Delete(kConfig, "config", "elsewhere");
  EXPECT_TRUE(controller_->IsExcluded("webhook", "", "Pod", "kube-system", "p"));
  source_->Delete(kConfig, "config", "gatekeeper-system");
  EXPECT_FALSE(controller_->IsExcluded("webhook", "", "Pod", "kube-system", "p"));
}

TEST_F(PolicyControllerTest, SyncExclusionsKeepObjectsOutOfTheInventory) {
  Start();
  objects_->Put(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: kube-system, resourceVersion: "
      "'1'}\n"
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, resourceVersion: "
      "'2'}\n");
  controller_->Start();
  const std::string pods = "sync: {syncOnly: [{group: '', version: v1, kind: Pod}]}";
  source_->Put(Config(pods));
  EXPECT_EQ(inventory_->Kinds()->at(0).objects, 2U);
  source_->Put(Config(pods + ", match: [{processes: ['*'], excludedNamespaces: [kube-*]}]"));
  EXPECT_EQ(inventory_->Kinds()->at(0).objects, 1U);
  source_->Put(Config(pods));
  EXPECT_EQ(inventory_->Kinds()->at(0).objects, 2U);
}

TEST_F(PolicyControllerTest, NothingIsWipedBeforeConfigAndSyncSetsAreKnown) {
  Start();
  objects_->Put(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, resourceVersion: '2'}\n");
  {
    replicator::InventorySink earlier(*inventory_, kPod, nullptr);
    objects_->Follow(kPod, earlier);
    objects_->Unfollow(kPod, earlier);
  }
  source_->Put(Config("sync: {syncOnly: [{group: '', version: v1, kind: Pod}]}"));
  source_->Hold();
  controller_->Start();
  EXPECT_FALSE(controller_->Readiness().ready());
  EXPECT_FALSE(controller_->Readiness().waiting_for.empty());
  EXPECT_EQ(inventory_->Kinds()->size(), 1U);
  source_->Release();
  EXPECT_TRUE(controller_->Readiness().ready());
  EXPECT_EQ(inventory_->Kinds()->size(), 1U);
}

TEST_F(PolicyControllerTest, IsNotReadyWhileAPolicyReadsAnIncompleteInventory) {
  Start();
  objects_->Hold();
  source_->Put(
      Config("sync: {syncOnly: [{group: networking.k8s.io, version: v1, kind: Ingress}]}"));
  controller_->Start();
  EXPECT_TRUE(controller_->Readiness().ready());  // No policy reads it.
  source_->Put(Template("Unique", kJoin));
  EXPECT_FALSE(controller_->Readiness().ready());
  EXPECT_THAT(controller_->Readiness().waiting_for,
              ElementsAre("inventory: networking.k8s.io/v1/Ingress"));
  objects_->Release();
  EXPECT_TRUE(controller_->Readiness().ready());
}

TEST_F(PolicyControllerTest, AFolderHasEachVersionByItself) {
  Start(/*converts=*/false);
  controller_->Start();
  source_->Put(Template("Old", "true", "v1beta1"));
  source_->Put("apiVersion: constraints.gatekeeper.sh/v1alpha1\nkind: Old\nmetadata: {name: o}\n");
  EXPECT_THAT(Constraints(), ElementsAre("Old/o"));
  source_->Put(Template("Old", "true", "v1"));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("there is another of this name")));
}

}  // namespace
}  // namespace portcullis::controller
