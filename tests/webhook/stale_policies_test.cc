#include "webhook/stale_policies.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "document/yaml.h"
#include "rules/policy/expansion.h"
#include "tests/webhook/admission_fixture.h"

namespace portcullis::webhook {
namespace {

class StaleData : public Admission {
 protected:
  StaleData() {
    world_.BuildIndexes();
    stale_.Set({{"OneHost", "Ingress was last heard of 400 s ago"}});
  }
  AdmissionOutcome Ask(StaleAction action, std::string_view host = "taken.example.com") {
    AdmissionOptions options;
    options.stale = &stale_;
    options.stale_action = action;
    return world_.MakeHandler(options)->Admit(kJson, Ingress(host));
  }
  // Of a Site, of which a template with this action makes an Ingress.
  AdmissionOutcome AskOfMade(const std::string& action) {
    document::Arena arena;
    policy::ExpansionStore templates;
    const std::string made =
        "{apiVersion: expansion.gatekeeper.sh/v1beta1, kind: ExpansionTemplate, metadata: {name: "
        "sites}, spec: {applyTo: [{groups: [example.com], versions: [v1], kinds: [Site]}], "
        "templateSource: spec.template, generatedGVK: {group: networking.k8s.io, version: v1, "
        "kind: Ingress}, enforcementAction: \"" +
        action + "\"}}";
    EXPECT_TRUE(templates.Put(document::ParseYaml(made, arena).value().front().value));
    AdmissionOptions options;
    options.stale = &stale_;
    options.generators = [&templates] {
      return mutation::Generators{.expander = templates.current(), .mutators = nullptr};
    };
    return world_.MakeHandler(options)->Admit(
        kJson, ReviewOf("example.com", "Site",
                        R"({"template":{"spec":{"rules":[{"host":"taken.example.com"}]}}})"));
  }
  double SetAsideCount() {
    return world_.metrics.GetCounter("portcullis_review_stale_constraints_total", "").value();
  }
  void Constrain(const std::string& name, const std::string& kind, const std::string& action) {
    world_.Load("{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: " + kind +
                ", metadata: {name: " + name + "}, spec: {enforcementAction: " + action +
                ", match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}}}");
  }
  StalePolicies stale_;
};

TEST_F(StaleData, MakesTheAnswerAnErrorOrAWarning) {
  const AdmissionOutcome failed = Ask(StaleAction::kError, "free.example.com");
  EXPECT_EQ(failed.code, 500);
  EXPECT_FALSE(failed.allowed);
  EXPECT_NE(failed.body.find("error reviewing resource new: [one-host] not evaluated: Ingress was "
                             "last heard of 400 s ago"),
            std::string::npos)
      << failed.body;
  EXPECT_EQ(Requests("error"), 1);
  const AdmissionOutcome warned = Ask(StaleAction::kWarn);
  EXPECT_EQ(warned.code, 299);
  EXPECT_TRUE(warned.allowed);
  EXPECT_NE(warned.body.find(R"("warnings":["[one-host] not evaluated: Ingress was last heard)"),
            std::string::npos)
      << warned.body;
  EXPECT_EQ(warned.body.find("is taken by"), std::string::npos) << warned.body;
  EXPECT_EQ(SetAsideCount(), 2);
  stale_.Set({});
  EXPECT_EQ(Ask(StaleAction::kError).code, 403);
  EXPECT_EQ(Ask(StaleAction::kError, "free.example.com").code, 200);
  EXPECT_EQ(SetAsideCount(), 2);
}

TEST_F(StaleData, LeavesOtherPoliciesTheirSay) {
  world_.Load(policy::TemplateManifest("Never", R"(violation[{"msg": "never"}] { true })"));
  Constrain("never", "Never", "deny");
  const AdmissionOutcome denied = Ask(StaleAction::kError);
  EXPECT_EQ(denied.code, 403);
  EXPECT_NE(denied.body.find(R"("message":"[never] never")"), std::string::npos) << denied.body;
  EXPECT_NE(denied.body.find("[one-host] not evaluated"), std::string::npos) << denied.body;
}

TEST_F(StaleData, AsksNoMoreOfAPolicyThanItsActionDoes) {
  world_.policies.RemoveConstraint("OneHost", "one-host");
  Constrain("tries", "OneHost", "dryrun");
  EXPECT_EQ(Ask(StaleAction::kError).code, 200);
  Constrain("warns", "OneHost", "warn");
  const AdmissionOutcome warned = Ask(StaleAction::kError);
  EXPECT_EQ(warned.code, 299);
  EXPECT_NE(warned.body.find("[warns] not evaluated"), std::string::npos) << warned.body;
  EXPECT_EQ(warned.body.find("[tries]"), std::string::npos) << warned.body;
}

TEST_F(StaleData, AsksOfWhatIsMadeNoMoreThanTheTemplatesActionDoes) {
  for (const char* action : {"", "deny"}) {
    const AdmissionOutcome failed = AskOfMade(action);
    EXPECT_EQ(failed.code, 500) << failed.body;
  }
  const AdmissionOutcome warned = AskOfMade("warn");
  EXPECT_EQ(warned.code, 299) << warned.body;
  EXPECT_NE(warned.body.find(R"("warnings":["[one-host] not evaluated: Ingress was last heard)"),
            std::string::npos)
      << warned.body;
  EXPECT_EQ(AskOfMade("dryrun").code, 200);
  world_.policies.RemoveConstraint("OneHost", "one-host");
  Constrain("tries", "OneHost", "dryrun");
  EXPECT_EQ(AskOfMade("").code, 200);
  const AdmissionOutcome denying = AskOfMade("deny");
  EXPECT_EQ(denying.code, 500) << denying.body;
}

}  // namespace
}  // namespace portcullis::webhook
