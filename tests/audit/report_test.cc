#include "audit/report.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/audit/audit_world.h"
#include "tests/policy/manifests.h"

namespace portcullis::audit {
namespace {

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    world_.PutTemplate(policy::TemplateManifest(
        "Says", R"(violation[{"msg": input.review.object.words[_]}] { true })"));
  }
  void Constrain(std::string_view spec) {
    world_.PutConstraint(fmt::format(
        "{{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Says, metadata: {{name: it}}, "
        "spec: {}}}",
        spec));
    world_.TellPolicies();
  }
  void Put(std::string_view kind, std::string_view place, std::string_view words) {
    world_.PutObject(fmt::format("{{apiVersion: apps/v1, kind: {}, metadata: {{{}}}, words: {}}}",
                                 kind, place, words));
    world_.Settle();
  }
  std::string Patch(std::size_t limit) {
    const Result<ConstraintStatus> status =
        ReadStatus(world_.inventory().store(), *world_.policies().constraints().at(0), limit, {});
    return status ? StatusPatch(*status, "2026-08-01T10:00:00Z", limit) : status.error().message;
  }
  AuditWorld world_;
};

TEST_F(ReportTest, TheSmallestAreShownTheLargestFirst) {
  Constrain("{}");
  Put("Web", "namespace: b, name: x", "[two, one]");
  Put("Web", "name: w", "[three]");
  Put("App", "namespace: z, name: x", "[four]");
  EXPECT_EQ(
      Patch(3),
      R"({"status":{"auditTimestamp":"2026-08-01T10:00:00Z","totalViolations":4,"violations":[)"
      R"({"group":"apps","version":"v1","kind":"Web","name":"x","namespace":"b","message":"one","enforcementAction":"deny"},)"
      R"({"group":"apps","version":"v1","kind":"Web","name":"w","message":"three","enforcementAction":"deny"},)"
      R"({"group":"apps","version":"v1","kind":"App","name":"x","namespace":"z","message":"four","enforcementAction":"deny"}]}})");
}

TEST_F(ReportTest, WithoutViolationsOrALimitThereIsNoList) {
  Constrain("{}");
  const std::string none =
      R"({"status":{"auditTimestamp":"2026-08-01T10:00:00Z","totalViolations":0,"violations":null}})";
  EXPECT_EQ(Patch(20), none);
  Put("Web", "name: w", "[one]");
  EXPECT_EQ(
      Patch(0),
      R"({"status":{"auditTimestamp":"2026-08-01T10:00:00Z","totalViolations":1,"violations":null}})");
}

TEST_F(ReportTest, ScopedActionsAreThoseOfTheAudit) {
  Constrain(
      "{enforcementAction: scoped, scopedEnforcementActions: [{action: warn, enforcementPoints: "
      "[{name: audit.gatekeeper.sh}]}, {action: deny, enforcementPoints: [{name: "
      "validation.gatekeeper.sh}]}]}");
  Put("Web", "name: w", "[one]");
  EXPECT_NE(Patch(20).find(R"("enforcementAction":"scoped","enforcementActions":["warn"])"),
            std::string::npos)
      << Patch(20);
}

TEST_F(ReportTest, AConstraintThatIsNotForTheAuditHasNone) {
  Constrain(
      "{enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: "
      "[{name: validation.gatekeeper.sh}]}]}");
  Put("Web", "name: w", "[one]");
  EXPECT_NE(Patch(20).find(R"("totalViolations":0)"), std::string::npos);
}

TEST(Report, AMessageIsCutAt256Bytes) {
  EXPECT_EQ(CutMessage(std::string(256, 'a')), std::string(256, 'a'));
  EXPECT_EQ(CutMessage(std::string(257, 'a')), std::string(253, 'a') + "...");
}

TEST(Report, AnUnknownActionIsCalledSo) {
  EXPECT_EQ(KnownAction("dryrun"), "dryrun");
  EXPECT_EQ(KnownAction("Deny"), "unrecognized");
  EXPECT_EQ(KnownAction(""), "unrecognized");
}

}  // namespace
}  // namespace portcullis::audit
