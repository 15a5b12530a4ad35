#include "tools/admission_events.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"

namespace portcullis::tools {
namespace {

class Recorded {
 public:
  explicit Recorded(controller::EventPlace place)
      : events_(std::move(place),
                [this](controller::Event event) { all.push_back(std::move(event)); }) {}

  // As a review would tell of it.
  void Tell(const std::string& action, std::vector<std::string> actions) {
    document::Arena arena;
    policy::Constraint constraint;
    constraint.kind = "OneHost";
    constraint.name = "one";
    constraint.enforcement_action = action;
    constraint.object =
        document::ParseJson(R"({"apiVersion":"constraints.gatekeeper.sh/v1beta1"})", arena).value();
    const document::Value request = document::ParseJson(R"({"operation":"UPDATE",
      "kind":{"group":"networking.k8s.io","version":"v1","kind":"Ingress"},"name":"web","namespace":"shop",
      "userInfo":{"username":"alice"},
      "object":{"metadata":{"name":"web","namespace":"shop","uid":"u-1","resourceVersion":"7"}}})",
                                                        arena)
                                        .value();
    policy::Verdict verdict;
    verdict.violations.push_back({.constraint = &constraint,
                                  .message = "host taken",
                                  .enforcement_action = action,
                                  .details = {},
                                  .actions = std::move(actions)});
    webhook::TellViolations(request, verdict, nullptr, &events_);
  }

  std::vector<controller::Event> all;

 private:
  AdmissionEvents events_;
};

TEST(AdmissionEvents, SayWhatGatekeepersSay) {
  Recorded recorded({});
  recorded.Tell("deny", {"deny"});
  ASSERT_EQ(recorded.all.size(), 1U);
  const controller::Event& event = recorded.all.front();
  EXPECT_EQ(event.component, "gatekeeper-webhook");
  EXPECT_EQ(event.reason, "FailedAdmission");
  EXPECT_EQ(
      event.message,
      "Admission webhook \"validation.gatekeeper.sh\" denied request, Resource Namespace: shop, "
      "Constraint: one, Message: host taken");
  EXPECT_EQ(event.name_space, "gatekeeper-system");
  EXPECT_EQ(event.uid, "Ingress/shop/web/OneHost//one");
  EXPECT_EQ(
      (std::map<std::string, std::string>(event.annotations.begin(), event.annotations.end())),
      (std::map<std::string, std::string>{{"process", "admission"},
                                          {"event_type", "violation"},
                                          {"constraint_name", "one"},
                                          {"constraint_group", "constraints.gatekeeper.sh"},
                                          {"constraint_api_version", "v1beta1"},
                                          {"constraint_kind", "OneHost"},
                                          {"constraint_action", "deny"},
                                          {"constraint_enforcement_actions", ""},
                                          {"resource_group", "networking.k8s.io"},
                                          {"resource_api_version", "v1"},
                                          {"resource_kind", "Ingress"},
                                          {"resource_namespace", "shop"},
                                          {"resource_name", "web"},
                                          {"request_username", "alice"}}));
}

TEST(AdmissionEvents, EachActionOfAScopedConstraintHasItsOwn) {
  Recorded recorded({.gatekeeper_namespace = "gk", .beside_objects = true});
  recorded.Tell("scoped", {"warn", "dryrun"});
  recorded.Tell("warn", {"warn"});
  ASSERT_EQ(recorded.all.size(), 3U);
  EXPECT_EQ(recorded.all[0].reason, "WarningAdmission");
  EXPECT_EQ(recorded.all[0].message,
            "Admission webhook \"validation.gatekeeper.sh\" raised a warning for this request, "
            "Constraint: one, Message: host taken");
  EXPECT_EQ(recorded.all[0].name_space, "shop");
  EXPECT_EQ(recorded.all[0].uid, "u-1");
  EXPECT_EQ(recorded.all[0].resource_version, "7");
  EXPECT_EQ(recorded.all[1].reason, "DryrunViolation");
  EXPECT_EQ(recorded.all[1].message, "Dryrun violation, Constraint: one, Message: host taken");
  EXPECT_EQ(recorded.all[2].reason, "WarningAdmission");
  recorded.all.clear();
  recorded.Tell("allow", {"allow"});
  EXPECT_TRUE(recorded.all.empty());
}

}  // namespace
}  // namespace portcullis::tools
