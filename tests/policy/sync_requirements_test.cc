#include "rules/policy/sync_requirements.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace portcullis::policy {
namespace {

const std::set<document::GroupVersionKind> kSynced = {{"networking.k8s.io", "v1", "Ingress"},
                                                      {"", "v1", "Service"}};

std::vector<std::string> Unmet(std::string_view annotation) {
  return UnmetSyncRequirements(annotation, kSynced);
}

TEST(SyncRequirements, AllMustBeMetByOneOfTheirAlternatives) {
  EXPECT_TRUE(Unmet("[]").empty());
  EXPECT_TRUE(Unmet(R"(
"[[{"groups": ["extensions", "networking.k8s.io"], "versions": ["v1beta1", "v1"], "kinds": ["Ingress"]}],
   [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}, {"Groups": [""], "versions": ["v1"], "kinds": ["Service"]}]]"
)")
                  .empty());
  EXPECT_EQ(
      Unmet(R"([[{"groups": ["apps", ""], "versions": ["v1"], "kinds": ["Pod"]}],
                      [{"groups": [""], "versions": ["v1"], "kinds": ["Service"]}], []])"),
      (std::vector<std::string>{
          "the template asks for data that neither Config nor a SyncSet replicates: /v1:Pod OR "
          "apps/v1:Pod",
          "the template asks for data that neither Config nor a SyncSet replicates: nothing "
          "could meet one of its requirements"}));
}

TEST(SyncRequirements, WhatCannotBeReadIsToldOf) {
  const std::string head =
      "the annotation metadata.gatekeeper.sh/requires-sync-data cannot be read: ";
  EXPECT_EQ(Unmet(""), std::vector{head + "EOF"});
  EXPECT_EQ(Unmet("\"\n\""), std::vector{head + "EOF"});
  EXPECT_EQ(Unmet(R"([[{"group": ["x"]}]])"), std::vector{head + R"(json: unknown field "group")"});
  EXPECT_EQ(Unmet(R"({"groups": []})"), std::vector{head + "it is no list"});
  EXPECT_EQ(Unmet(R"([{"groups": []}])"), std::vector{head + "a requirement is no list"});
  EXPECT_EQ(Unmet(R"([["x"]])"), std::vector{head + "an alternative is no object"});
  EXPECT_EQ(Unmet(R"([[{"kinds": "Pod"}]])"), std::vector{head + "kinds is no list"});
  EXPECT_EQ(Unmet(R"([[{"kinds": [1]}]])"), std::vector{head + "kinds holds what is no text"});
  EXPECT_TRUE(Unmet("[[").front().starts_with(head));
}

}  // namespace
}  // namespace portcullis::policy
