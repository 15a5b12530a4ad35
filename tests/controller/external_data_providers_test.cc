#include "controller/external_data_providers.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/controller/scripted_source.h"

namespace portcullis::controller {
namespace {

// A certificate of nobody's, valid until 2126.
constexpr const char* kAuthority =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJnakNDQVNtZ0F3SUJBZ0lVSlB0bjdPOEpMeW5iUFVzbW8w"
    "NWlUcnc2RnhNd0NnWUlLb1pJemowRUF3SXcKRmpFVU1CSUdBMVVFQXd3TGNISnZkbWxrWlhJdFkyRXdJQmNOTWpZ"
    "eE1USTBNREUwT1RVeFdoZ1BNakV5TmpFdwpNekV3TVRRNU5URmFNQll4RkRBU0JnTlZCQU1NQzNCeWIzWnBaR1Z5"
    "TFdOaE1Ga3dFd1lIS29aSXpqMENBUVlJCktvWkl6ajBEQVFjRFFnQUVLS3o0NUQvZDBHTUpMVkFhVjRIZE1YRlZW"
    "Zm83VVROblBEYk1IYjJ5bFNKSktYYnUKL0dBOTZieThUNkM1cFpjaGlOOEwrbzJKeG0xV0tWS1R6Qlh4QXFOVE1G"
    "RXdIUVlEVlIwT0JCWUVGQWt3eVVQYQozZ0lJd1M3TEZ5Vk1YY1ZrTDNGZU1COEdBMVVkSXdRWU1CYUFGQWt3eVVQ"
    "YTNnSUl3UzdMRnlWTVhjVmtMM0ZlCk1BOEdBMVVkRXdFQi93UUZNQU1CQWY4d0NnWUlLb1pJemowRUF3SURSd0F3"
    "UkFJZ2Y5c3ZjcTRaNlBOUXdmTlIKS2p6L2Z0aldCZStYTWJ1S2Y3Nmd4cGg0TWVBQ0lET283ZGZVbCtkOXVCNzNM"
    "MzFDWUVOdnFkZ2lxNk5YcDdaWApnb2YzbFhhdgotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";

std::string Provider(const std::string& name, const std::string& url,
                     const std::string& version = "v1beta1") {
  return "{apiVersion: externaldata.gatekeeper.sh/" + version +
         ", kind: Provider, metadata: {name: " + name + "}, spec: {url: '" + url +
         "', timeout: 1, caBundle: " + kAuthority + "}}\n";
}

class ExternalDataProvidersTest : public testing::Test {
 protected:
  ExternalDataProvidersTest()
      : providers_(clock_, Logger::Silent(), metrics_, [this]() -> Result<ClientCertificate> {
          ++asked_;
          return Fail(ErrorCode::kNotFound, "tls.crt is not there");
        }) {
    providers_.Follow(source_, nullptr);
  }
  Result<mutation::ExternalDataAnswer> Ask(const std::string& name) {
    return providers_.Ask(name, {"key"}, arena_);
  }

  SystemClock clock_;
  Metrics metrics_;
  document::Arena arena_;
  ScriptedSource source_{true};
  int asked_ = 0;
  ExternalDataProviders providers_;
};

TEST_F(ExternalDataProvidersTest, ProvidersComeAndGoAndAreCounted) {
  source_.Put(Provider("good", "https://127.0.0.1:1/x") + "---\n" +
              Provider("plain", "http://127.0.0.1:1/x"));
  for (const char* line :
       {"gatekeeper_providers{status=\"active\"} 1", "gatekeeper_providers{status=\"error\"} 1",
        "gatekeeper_provider_error_count_total 1"}) {
    EXPECT_NE(metrics_.ToText().find(line), std::string::npos) << line << metrics_.ToText();
  }
  EXPECT_EQ(Ask("plain").error().code, ErrorCode::kNotFound);
  source_.Delete({"externaldata.gatekeeper.sh", "v1beta1", "Provider"}, "good");
  EXPECT_EQ(Ask("good").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(asked_, 0);
}

TEST_F(ExternalDataProvidersTest, OfTwoVersionsOfANameTheFirstCounts) {
  ScriptedSource folder(false);
  ExternalDataProviders providers(clock_, Logger::Silent(), metrics_, nullptr);
  providers.Follow(folder, nullptr);
  folder.Put(Provider("a", "http://127.0.0.1:1/x"));
  folder.Put(Provider("a", "https://127.0.0.1:1/x", "v1alpha1"));
  EXPECT_EQ(providers.Ask("a", {"key"}, arena_).error().code, ErrorCode::kNotFound);
}

// A certificate that is not there is no provider that is not there.
TEST_F(ExternalDataProvidersTest, WithoutItsCertificateNoProviderIsAsked) {
  source_.Put(Provider("good", "https://127.0.0.1:1/x"));
  const auto answer = Ask("good");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(answer.error().message, "failed to get client TLS certificate: tls.crt is not there");
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace portcullis::controller
