#include "controller/expansion_controller.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "controller/pod_status.h"
#include "tests/controller/scripted_source.h"

namespace portcullis::controller {
namespace {

std::string Template(const std::string& name, const std::string& applies_to,
                     const std::string& makes, const std::string& version = "v1beta1") {
  return "{apiVersion: expansion.gatekeeper.sh/" + version +
         ", kind: ExpansionTemplate, metadata: {name: " + name +
         "}, spec: {applyTo: [{groups: [''], versions: [v1], kinds: [" + applies_to +
         "]}], templateSource: spec, generatedGVK: {version: v1, kind: " + makes + "}}}\n";
}

class ExpansionControllerTest : public testing::Test {
 protected:
  void Start(bool converts = false) {
    controller_.reset();
    source_ = std::make_unique<ScriptedSource>(converts);
    controller_ = std::make_unique<ExpansionController>(*source_, templates_, nullptr,
                                                        Logger::Silent(), metrics_);
    controller_->Start();
  }
  [[nodiscard]] bool AppliesTo(const std::string& kind) const {
    const auto current = templates_.current();
    return current != nullptr && current->AppliesTo({"", "v1", kind});
  }

  Metrics metrics_;
  policy::ExpansionStore templates_;
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<ExpansionController> controller_;
};

TEST_F(ExpansionControllerTest, TemplatesComeAndGo) {
  Start();
  source_->Put(Template("a", "A", "Pod"));
  EXPECT_TRUE(AppliesTo("A"));
  EXPECT_TRUE(controller_->WaitingFor().empty());
  source_->Delete({"expansion.gatekeeper.sh", "v1beta1", "ExpansionTemplate"}, "a");
  EXPECT_FALSE(AppliesTo("A"));
}

TEST_F(ExpansionControllerTest, OfTwoVersionsOfANameTheFirstCounts) {
  Start();
  source_->Put(Template("a", "A", "Pod"));
  source_->Put(Template("a", "B", "Pod", "v1alpha1"));
  EXPECT_TRUE(AppliesTo("A"));
  EXPECT_FALSE(AppliesTo("B"));
  Start(true);
  EXPECT_FALSE(source_->follows({"expansion.gatekeeper.sh", "v1alpha1", "ExpansionTemplate"}));
}

TEST_F(ExpansionControllerTest, WhatFormsACircleIsOutOfForceUntilItIsBroken) {
  Start();
  source_->Put(Template("a", "A", "B") + "---\n" + Template("b", "B", "A") + "---\n" +
               Template("c", "C", "A"));
  EXPECT_FALSE(AppliesTo("A"));
  EXPECT_FALSE(AppliesTo("B"));
  EXPECT_TRUE(AppliesTo("C"));
  controller_->UpdateMetrics();
  EXPECT_NE(metrics_.ToText().find("gatekeeper_expansion_templates{status=\"error\"} 2"),
            std::string::npos);
  source_->Delete({"expansion.gatekeeper.sh", "v1beta1", "ExpansionTemplate"}, "b");
  EXPECT_TRUE(AppliesTo("A"));
}

TEST(PodStatusTest, ExpansionTemplatesAndProvidersAreToldAsGatekeeperTellsThem) {
  const PodIdentity pod{.name = "pod-1", .operations = {"webhook"}};
  const SubjectKey expansion{.subject = StatusSubject::kExpansion, .name = "a-b"};
  EXPECT_EQ(
      PodStatusManifest(
          pod, expansion,
          {.uid = "u", .generation = 2, .errors = {{.code = "", .message = "bad", .location = ""}}})
          .value(),
      R"({"apiVersion":"status.gatekeeper.sh/v1beta1","kind":"ExpansionTemplatePodStatus",)"
      R"("metadata":{"labels":{"internal.gatekeeper.sh/expansiontemplate-name":"a-b",)"
      R"("internal.gatekeeper.sh/pod":"pod-1"},"name":"pod--1-a--b","namespace":"gatekeeper-system"},)"
      R"("status":{"errors":[{"message":"bad"}],"id":"pod-1","observedGeneration":2,)"
      R"("operations":["webhook"],"templateUID":"u"}})");
  EXPECT_EQ(StatusPath(expansion),
            "/apis/expansion.gatekeeper.sh/v1beta1/expansiontemplate/a-b/status");

  const SubjectKey provider{.subject = StatusSubject::kProvider, .name = "p"};
  const std::string now = "2026-11-24T01:02:03Z";
  EXPECT_NE(PodStatusManifest(pod, provider, {.uid = "u", .generation = 1, .found_at = now})
                .value()
                .find(R"("status":{"active":true,"id":"pod-1","lastCacheUpdateTime":)"
                      R"("2026-11-24T01:02:03Z","observedGeneration":1,)"
                      R"("operations":["webhook"],"providerUID":"u"})"),
            std::string::npos);
  EXPECT_NE(
      PodStatusManifest(pod, provider,
                        {.uid = "u",
                         .errors = {{.code = "UpsertCache", .message = "bad", .location = ""}},
                         .found_at = now,
                         .changed_at = now})
          .value()
          .find(R"("status":{"errors":[{"errorTimestamp":"2026-11-24T01:02:03Z","message":"bad",)"
                R"("retryable":true,"type":"UpsertCache"}],"id":"pod-1",)"
                R"("lastTransitionTime":"2026-11-24T01:02:03Z",)"),
      std::string::npos);
  EXPECT_EQ(StatusPath(provider), "/apis/externaldata.gatekeeper.sh/v1beta1/providers/p/status");
}

}  // namespace
}  // namespace portcullis::controller
