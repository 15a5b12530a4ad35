#include "controller/exclusions.h"

#include <gtest/gtest.h>

#include "document/yaml.h"

namespace portcullis::controller {
namespace {

std::shared_ptr<const Exclusions> Parse(const std::string& match) {
  document::Arena arena;
  return std::make_shared<const Exclusions>(document::ParseYaml(match, arena).value().at(0).value);
}

TEST(Exclusions, TakeANamespaceByItsNameAndAllElseByItsNamespace) {
  const auto exclusions =
      Parse("[{processes: [webhook, audit], excludedNamespaces: ['kube-*', '*-test', exact]}]");
  EXPECT_TRUE(exclusions->IsExcluded("webhook", "", "Namespace", "", "kube-system"));
  EXPECT_TRUE(exclusions->IsExcluded("audit", "", "Pod", "my-test", "p"));
  EXPECT_TRUE(exclusions->IsExcluded("audit", "apps", "Deployment", "exact", "p"));
  EXPECT_FALSE(exclusions->IsExcluded("audit", "", "Pod", "exactly", "kube-system"));
  EXPECT_FALSE(exclusions->IsExcluded("sync", "", "Pod", "my-test", "p"));
  EXPECT_FALSE(exclusions->IsExcluded("webhook", "example.com", "Namespace", "", "kube-system"));
}

TEST(Exclusions, ReachObjectsOfTheClusterOnlyByAStar) {
  EXPECT_FALSE(Parse("[{processes: ['*'], excludedNamespaces: ['a*']}]")
                   ->IsExcluded("webhook", "", "Node", "", "a"));
  EXPECT_TRUE(Parse("[{processes: ['*'], excludedNamespaces: ['*']}]")
                  ->IsExcluded("webhook", "", "Node", "", "a"));
}

TEST(Exclusions, PassOverWhatHasNotTheRightForm) {
  EXPECT_FALSE(Parse("[{processes: webhook, excludedNamespaces: [1]}, 3]")
                   ->IsExcluded("webhook", "", "Pod", "x", "y"));
  EXPECT_FALSE(Parse("{a: b}")->IsExcluded("webhook", "", "Pod", "x", "y"));
}

TEST(SyncFilter, HasAFingerprintOfWhatItLeavesOut) {
  EXPECT_EQ(MakeSyncFilter(Parse("[{processes: [webhook], excludedNamespaces: [a]}]")), nullptr);
  const auto one = MakeSyncFilter(Parse("[{processes: [sync], excludedNamespaces: [a, b]}]"));
  const auto same =
      MakeSyncFilter(Parse("[{processes: ['*'], excludedNamespaces: [b]}, {processes: [sync], "
                           "excludedNamespaces: [a]}]"));
  const auto other = MakeSyncFilter(Parse("[{processes: [sync], excludedNamespaces: [a]}]"));
  EXPECT_EQ(one->Fingerprint(), same->Fingerprint());
  EXPECT_NE(one->Fingerprint(), other->Fingerprint());
  document::ObjectIdentity pod;
  pod.type = {"", "v1", "Pod"};
  pod.name_space = "b";
  pod.name = "p";
  EXPECT_TRUE(one->Excludes(pod));
  EXPECT_FALSE(other->Excludes(pod));
}

}  // namespace
}  // namespace portcullis::controller
