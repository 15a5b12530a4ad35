#include "mutation/image.h"

#include <gtest/gtest.h>

namespace portcullis::mutation {
namespace {

std::string Complaint(const ImageParts& parts) {
  const auto checked = CheckImageParts(parts);
  return checked ? "" : checked.error().message;
}

TEST(ImageTest, PartsAreSetAndTheRestStays) {
  EXPECT_EQ(WithImageParts("nginx", {.domain = "r.io", .path = "", .tag = ""}), "r.io/nginx");
  EXPECT_EQ(WithImageParts("docker.io/a/b:1", {.domain = "r.io", .path = "", .tag = ""}),
            "r.io/a/b:1");
  EXPECT_EQ(WithImageParts("a/b:1", {.domain = "", .path = "c", .tag = ""}), "c:1");
  EXPECT_EQ(WithImageParts("a/b@sha256:00", {.domain = "", .path = "", .tag = ":2"}), "a/b:2");
  EXPECT_EQ(WithImageParts("localhost/b", {.domain = "", .path = "", .tag = ":2"}),
            "localhost/b:2");
  EXPECT_EQ(WithImageParts("", {.domain = "", .path = "", .tag = ":2"}), ":2");
}

TEST(ImageTest, SettingTwiceIsSettingOnce) {
  const ImageParts parts{.domain = "r.io:80", .path = "a/b", .tag = ":v1"};
  for (const char* image : {"", "x", "x/y", "a.b/x:y", "h:80/x@sha256:1", "/x", "x//y", ":", "@"}) {
    const std::string once = WithImageParts(image, parts);
    EXPECT_EQ(WithImageParts(once, parts), once) << image;
  }
}

TEST(ImageTest, PartsThatWouldLeakIntoOthersAreRefused) {
  EXPECT_EQ(Complaint({}), "at least one of [assignDomain, assignPath, assignTag] must be set");
  EXPECT_EQ(Complaint({.domain = "registry", .path = "", .tag = ""}),
            R"(assignDomain "registry" must be a fully-qualified domain name or localhost)");
  EXPECT_EQ(Complaint({.domain = "a.b/c", .path = "", .tag = ""}),
            R"(assignDomain "a.b/c" must be a fully-qualified domain name or localhost)");
  EXPECT_EQ(Complaint({.domain = "", .path = "A", .tag = ""}),
            R"(assignPath "A" must be a valid docker image path)");
  EXPECT_EQ(Complaint({.domain = "", .path = "a:b", .tag = ""}),
            R"(assignPath "a:b" must be a valid docker image path)");
  EXPECT_EQ(
      Complaint({.domain = "", .path = "", .tag = "v1"}),
      R"(assignTag "v1" must be a valid docker image tag or digest starting with ':' or '@')");
  EXPECT_EQ(Complaint({.domain = "", .path = "gcr.io/a", .tag = ""}),
            R"(assignDomain must be set if the first part of assignPath "gcr.io/a" can be )"
            "interpretted as part of a domain");
  EXPECT_EQ(Complaint({.domain = "localhost:5000", .path = "a__b/c-d.e", .tag = ":v1"}), "");
  EXPECT_EQ(Complaint({.domain = "", .path = "", .tag = "@sha256:" + std::string(64, 'a')}), "");
}

}  // namespace
}  // namespace portcullis::mutation
