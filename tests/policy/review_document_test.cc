#include <string>

#include <gtest/gtest.h>

#include "document/json.h"
#include "rules/policy/review.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

std::string Reviewed(Documents& documents, const char* request, const char* name_space = nullptr) {
  ReviewInput input;
  input.request = documents.Yaml(request);
  if (name_space != nullptr) {
    input.name_space = documents.Yaml(name_space);
  }
  return document::ToJson(MakeReview(input, documents.arena()));
}

TEST(ReviewDocumentTest, AnObjectThatNobodyAskedAboutHasTheFieldsThatAuditShows) {
  Documents documents;
  ReviewInput input;
  input.request = MakeRequest(
      documents.Yaml("{apiVersion: g/v1, kind: Thing, metadata: {name: cr1}}"), documents.arena());
  EXPECT_EQ(
      document::ToJson(MakeReview(input, documents.arena())),
      R"({"kind":{"group":"g","kind":"Thing","version":"v1"},"name":"cr1","namespaceObject":{},)"
      R"("object":{"apiVersion":"g/v1","kind":"Thing","metadata":{"name":"cr1"}},"oldObject":null,)"
      R"("operation":"","options":null,"resource":{"group":"","resource":"","version":""},"uid":"","userInfo":{}})");
}

TEST(ReviewDocumentTest, FieldsThatAreEmptyAreLeftOutAsGoLeavesThemOut) {
  Documents documents;
  EXPECT_EQ(
      Reviewed(documents,
               "{uid: u1, kind: {group: '', version: v1, kind: Pod}, name: '', namespace: shop, "
               "subResource: '', "
               "dryRun: false, requestKind: {group: '', version: v1, kind: Pod}, operation: "
               "CREATE, userInfo: "
               "{username: me, uid: '', groups: [a], extra: {}, more: 1}, object: {kind: Pod}, "
               "extra: 1}",
               "{metadata: {name: shop}}"),
      R"({"dryRun":false,"kind":{"group":"","kind":"Pod","version":"v1"},"namespace":"shop",)"
      R"("namespaceObject":{"metadata":{"name":"shop"}},"object":{"kind":"Pod"},"oldObject":null,)"
      R"("operation":"CREATE","options":null,"requestKind":{"group":"","kind":"Pod","version":"v1"},)"
      R"("resource":{"group":"","resource":"","version":""},"uid":"u1","userInfo":{"groups":["a"],"username":"me"}})");
}

TEST(ReviewDocumentTest, ADeletedObjectIsBothObjectAndOldObject) {
  Documents documents;
  const std::string review =
      Reviewed(documents, "{operation: DELETE, object: null, oldObject: {kind: Pod}}");
  EXPECT_NE(review.find(R"("object":{"kind":"Pod"},"oldObject":{"kind":"Pod"})"), std::string::npos)
      << review;
}

TEST(ReviewDocumentTest, ANamespaceHasNoNamespace) {
  Documents documents;
  const std::string review = Reviewed(
      documents, "{kind: {group: '', version: v1, kind: Namespace}, name: shop, namespace: shop}");
  EXPECT_EQ(review.find("\"namespace\":"), std::string::npos) << review;
}

}  // namespace
}  // namespace portcullis::policy
