#include "document/object.h"

#include <string>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"

namespace portcullis::document {
namespace {

Result<ObjectIdentity> IdentityOfText(std::string_view json) {
  Arena arena;
  return IdentityOf(ParseJson(json, arena).value());
}

TEST(ObjectTest, SplitsAnApiVersion) {
  const GroupVersionKind deployment = MakeGroupVersionKind("apps/v1", "Deployment");
  EXPECT_EQ(deployment.group, "apps");
  EXPECT_EQ(deployment.version, "v1");
  EXPECT_EQ(deployment.ToString(), "apps/v1/Deployment");
  const GroupVersionKind pod = MakeGroupVersionKind("v1", "Pod");
  EXPECT_EQ(pod.group, "");
  EXPECT_EQ(pod.group_version(), "v1");
  EXPECT_EQ(pod.ToString(), "v1/Pod");
}

TEST(ObjectTest, ReadsAnIdentity) {
  const ObjectIdentity identity =
      IdentityOfText(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a",
        "namespace":"b","uid":"c","resourceVersion":"4"}})")
          .value();
  EXPECT_EQ(identity.type.ToString(), "apps/v1/Deployment");
  EXPECT_EQ(identity.name, "a");
  EXPECT_EQ(identity.name_space, "b");
  EXPECT_EQ(identity.uid, "c");
  EXPECT_EQ(identity.resource_version, "4");
}

TEST(ObjectTest, SaysWhatIsMissing) {
  EXPECT_EQ(IdentityOfText("[]").error().message, "not a Kubernetes object: not a JSON object");
  EXPECT_EQ(IdentityOfText("{}").error().message, "not a Kubernetes object: no apiVersion");
  EXPECT_EQ(IdentityOfText(R"({"apiVersion":"v1"})").error().message,
            "not a Kubernetes object: no kind");
  EXPECT_EQ(
      IdentityOfText(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":1}})").error().message,
      "not a Kubernetes object: no metadata.name");
}

}  // namespace
}  // namespace portcullis::document
