#include "webhook/namespace_label.h"

#include <string>

#include <gtest/gtest.h>

namespace portcullis::webhook {
namespace {

std::string Review(const std::string& operation, const std::string& kind,
                   const std::string& object) {
  return R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","operation":")" +
         operation + R"(","kind":{"group":"","version":"v1","kind":")" + kind + R"("},"object":)" +
         object + "}}";
}

std::string Namespace(const std::string& name, const std::string& labels) {
  return R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + name + R"(","labels":)" +
         labels + "}}";
}

const char* const kIgnored = R"({"admission.gatekeeper.sh/ignore":""})";

struct Case {
  const char* what;
  std::string body;
  const char* want;  // Within the reply.
};

TEST(NamespaceLabel, IsDecidedAsGatekeeperDecidesIt) {
  const ExemptNamespaces exempt{
      .names = {"kube-system"}, .prefixes = {"infra-"}, .suffixes = {"-ops"}};
  const Case cases[] = {
      {"a delete", Review("DELETE", "Namespace", "null"),
       R"("allowed":true,"status":{"metadata":{},"message":"Delete is always allowed","code":200})"},
      {"another kind", Review("CREATE", "Pod", Namespace("x", kIgnored)),
       R"("message":"Not a namespace","code":200)"},
      {"no object", Review("CREATE", "Namespace", "null"),
       R"("allowed":false,"status":{"metadata":{},"message":"while deserializing resource: )"},
      {"an exempt name", Review("CREATE", "Namespace", Namespace("kube-system", kIgnored)),
       R"("message":"Namespace kube-system is allowed to set admission.gatekeeper.sh/ignore")"},
      {"an exempt prefix", Review("UPDATE", "Namespace", Namespace("infra-a", kIgnored)),
       R"("message":"Namespace infra-a is allowed to set admission.gatekeeper.sh/ignore")"},
      {"an exempt suffix", Review("UPDATE", "Namespace", Namespace("a-ops", "{}")),
       R"("message":"Namespace a-ops is allowed to set admission.gatekeeper.sh/ignore")"},
      {"another name", Review("CREATE", "Namespace", Namespace("shop", kIgnored)),
       R"("allowed":false,"status":{"metadata":{},"message":"Only exempt namespace can have the )"
       R"(admission.gatekeeper.sh/ignore label","reason":"Forbidden","code":403})"},
      {"no label", Review("CREATE", "Namespace", Namespace("shop", R"({"a":"b"})")),
       R"("message":"Namespace is not setting the admission.gatekeeper.sh/ignore label")"},
      {"no review", "{", R"("code":400)"},
  };
  for (const Case& each : cases) {
    std::string reply;
    AdmitNamespaceLabel("application/json", each.body, exempt, &reply);
    EXPECT_NE(reply.find(each.want), std::string::npos) << each.what << ": " << reply;
  }
}

}  // namespace
}  // namespace portcullis::webhook
