// The cases of tests/cases/expansion: replies and statuses equal those of OPA Gatekeeper.

#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "document/json.h"
#include "document/yaml.h"
#include "mutation/mutator.h"
#include "tests/webhook/admission_world.h"
#include "webhook/admission.h"

namespace portcullis::webhook {
namespace {

using document::Value;

class ExpansionCasesTest : public testing::Test {
 protected:
  ExpansionCasesTest() {
    for (const Value& each : Documents("setup.yaml")) {
      const std::string_view kind = each.GetString({"kind"});
      if (kind == "ExpansionTemplate") {
        EXPECT_TRUE(expansions_.Put(each));
      } else if (mutation::FindMutatorKind(kind)) {
        EXPECT_TRUE(mutators_.Put(each));
      } else {
        world_.Load(document::ToJson(each));
      }
    }
    handler_ = MakeHandler(nullptr);
  }

  std::unique_ptr<AdmissionHandler> MakeHandler(mutation::ExternalDataClient* client) {
    AdmissionOptions options;
    options.generators = [this, client] {
      return mutation::Generators{.expander = expansions_.current(),
                                  .mutators = mutators_.current(),
                                  .external_data = client};
    };
    return world_.MakeHandler(options);
  }

  std::vector<Value> Documents(const char* file) {
    std::ifstream in(std::filesystem::path(PORTCULLIS_SOURCE_DIR) / "tests/cases/expansion" / file);
    EXPECT_TRUE(in) << file;
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto documents = document::ParseYaml(text, arena_);
    EXPECT_TRUE(documents) << documents.error().ToString();
    std::vector<Value> values;
    for (const document::YamlDocument& each : *documents) {
      values.push_back(each.value);
    }
    return values;
  }

  void CheckReplies(const char* file) {
    static const std::regex id(
        "(mutation )[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    const Value cases = Documents(file).front();
    for (std::uint32_t i = 0; i < cases.size(); ++i) {
      const Value of = cases.ItemAt(i);
      SCOPED_TRACE(of.GetString({"name"}));
      const AdmissionOutcome outcome = handler_->Admit("application/json", of.GetString({"body"}));
      EXPECT_EQ(nlohmann::json::parse(std::regex_replace(outcome.body, id, "$1UUID")),
                nlohmann::json::parse(of.GetString({"want"})));
    }
    EXPECT_GT(cases.size(), 10U);
  }

  document::Arena arena_;
  AdmissionWorld world_;
  policy::ExpansionStore expansions_;
  mutation::MutationStore mutators_;
  std::unique_ptr<AdmissionHandler> handler_;
};

TEST_F(ExpansionCasesTest, WhatIsMadeOfAnObjectIsReviewedAsGatekeeperDoes) {
  CheckReplies("reviews.yaml");
}

TEST_F(ExpansionCasesTest, ExpansionTemplatesAreCheckedOnTheirWayIn) {
  CheckReplies("admissions.yaml");
}

TEST_F(ExpansionCasesTest, StatusesTellTheCircles) {
  const Value wanted = Documents("statuses.yaml").front();
  std::string want;
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    want += std::string(wanted.ItemAt(i).GetString({"name"})) + ": " +
            std::string(wanted.ItemAt(i).GetString({"message"})) + "\n";
  }
  std::string got;
  for (const policy::ExpansionStatus& each : expansions_.Statuses()) {
    got += each.error.empty() ? "" : each.name + ": " + each.error + "\n";
  }
  EXPECT_EQ(got, want);
}

std::string Deployment() {
  return R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",)"
         R"("kind":{"group":"apps","version":"v1","kind":"Deployment"},"operation":"CREATE",)"
         R"("name":"web","namespace":"default","userInfo":{"username":"alice"},"object":{)"
         R"("apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{)"
         R"("template":{"metadata":{},"spec":{"team":"t"}}}}}})";
}

TEST_F(ExpansionCasesTest, AChildThatMayAskAProviderIsLeftToAWorker) {
  std::string reply;
  const AdmissionContext on_loop{.received = {}, .timeout = {}, .stage = Stage::kLoop};
  EXPECT_EQ(handler_->Admit("application/json", Deployment(), on_loop, &reply), Handling::kDone);
  const auto asks = document::ParseYaml(
      "{apiVersion: mutations.gatekeeper.sh/v1, kind: Assign, metadata: {name: asks}, spec: "
      "{applyTo: "
      "[{groups: [''], versions: [v1], kinds: [Pod]}], location: spec.team, parameters: {assign: "
      "{externalData: {provider: p}}}}}",
      arena_);
  ASSERT_TRUE(mutators_.Put(asks.value().front().value));
  EXPECT_EQ(handler_->Admit("application/json", Deployment(), on_loop, &reply),
            Handling::kNeedWorker);
  const AdmissionContext overloaded{.received = {}, .timeout = {}, .stage = Stage::kOverloaded};
  reply.clear();
  EXPECT_EQ(handler_->Admit("application/json", Deployment(), overloaded, &reply), Handling::kDone);
  EXPECT_NE(reply.find("overloaded: too many reviews"), std::string::npos);
  // There is nobody to ask.
  const AdmissionOutcome outcome = handler_->Admit("application/json", Deployment());
  EXPECT_EQ(outcome.code, 500);
  EXPECT_NE(outcome.body.find("unable to expand object: failed to mutate resultant resource"),
            std::string::npos)
      << outcome.body;
}

TEST_F(ExpansionCasesTest, AnUpdateThatIsRefusedLeavesTheLastGoodTemplate) {
  const auto before = expansions_.current();
  const auto bad = document::ParseYaml("{metadata: {name: controllers}, spec: {}}", arena_);
  EXPECT_FALSE(expansions_.Put(bad.value().front().value));
  EXPECT_EQ(expansions_.current(), before);
  expansions_.Remove("cycle-b");
  for (const policy::ExpansionStatus& each : expansions_.Statuses()) {
    EXPECT_EQ(each.error, each.name == "controllers"
                              ? "ExpansionTemplate controllers has empty source field"
                              : "");
  }
  expansions_.Remove("controllers");
  EXPECT_FALSE(expansions_.current()->AppliesTo({"apps", "v1", "Deployment"}));
}

}  // namespace
}  // namespace portcullis::webhook
