#include "tools/certificate_rotation.h"

#include <string>

#include <gtest/gtest.h>

#include "document/json.h"

namespace portcullis::tools {
namespace {

constexpr const char* kName = "gatekeeper-webhook-service.gatekeeper-system.svc";

// A clock that can be set.
class CalendarClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() override { return {}; }
  std::chrono::system_clock::time_point WallNow() override { return now; }
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
};

class Rotation : public testing::Test {
 protected:
  KeptCertificates Renewed(const KeptCertificates& kept, const std::string& name = kName) {
    const auto good = Renew(kept, name, clock_);
    EXPECT_TRUE(good) << good.error().message;
    return *good;
  }
  CalendarClock clock_;
};

TEST_F(Rotation, MakesWhatIsNotThereAndKeepsWhatIsGood) {
  const KeptCertificates made = Renewed({});
  EXPECT_TRUE(webhook::IsGood(made.server, made.authority.certificate, kName, clock_));
  EXPECT_TRUE(webhook::IsGood(made.server, made.authority.certificate, "localhost", clock_));
  EXPECT_FALSE(webhook::IsGood(made.server, made.authority.certificate, "other.svc", clock_));
  EXPECT_TRUE(made.authority.key.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_EQ(webhook::ReadCertificate(made.authority.certificate)->common_name, "gatekeeper-ca");
  EXPECT_TRUE(Renewed(made) == made);
}

TEST_F(Rotation, RenewsEachBeforeItExpires) {
  const KeptCertificates first = Renewed({});
  clock_.now += webhook::kSelfSignedLifetime - webhook::kRenewBefore - std::chrono::hours(2);
  EXPECT_TRUE(Renewed(first) == first);
  clock_.now += std::chrono::hours(4);
  const KeptCertificates second = Renewed(first);
  EXPECT_EQ(second.authority.certificate, first.authority.certificate);
  EXPECT_NE(second.server.certificate, first.server.certificate);
  EXPECT_TRUE(webhook::IsGood(second.server, first.authority.certificate, kName, clock_));
  clock_.now += webhook::kAuthorityLifetime;
  const KeptCertificates third = Renewed(second);
  EXPECT_NE(third.authority.certificate, first.authority.certificate);
  EXPECT_TRUE(webhook::IsGood(third.server, third.authority.certificate, kName, clock_));
}

TEST_F(Rotation, MakesAnewWhatDoesNotFitTogether) {
  const KeptCertificates one = Renewed({});
  const KeptCertificates other = Renewed({});
  KeptCertificates mixed = one;
  mixed.server = other.server;
  EXPECT_EQ(Renewed(mixed).authority.certificate, one.authority.certificate);
  EXPECT_NE(Renewed(mixed).server.certificate, other.server.certificate);
  mixed = one;
  mixed.server.key = other.server.key;
  EXPECT_NE(Renewed(mixed).server.key, other.server.key);
  mixed = one;
  mixed.authority.key = "not a key";
  EXPECT_NE(Renewed(mixed).authority.certificate, one.authority.certificate);
  EXPECT_NE(Renewed(one, "renamed.svc").server.certificate, one.server.certificate);
}

TEST(WithAuthority, WritesIntoEachWebhookAndNothingElse) {
  document::Arena arena;
  const auto read = [&arena](const char* text) { return document::ParseJson(text, arena).value(); };
  const document::Value changed = WithAuthority(
      read(R"({"webhooks":[{"name":"a","clientConfig":{"url":"u","caBundle":"x"},"rules":[1]},
               {"name":"b","clientConfig":{"caBundle":"new"}},{"name":"c"}]})"),
      "new", arena);
  EXPECT_EQ(document::ToJson(changed),
            R"([{"clientConfig":{"caBundle":"new","url":"u"},"name":"a","rules":[1]},)"
            R"({"clientConfig":{"caBundle":"new"},"name":"b"},)"
            R"({"clientConfig":{"caBundle":"new"},"name":"c"}])");
  EXPECT_TRUE(
      WithAuthority(read(R"({"webhooks":[{"clientConfig":{"caBundle":"new"}}]})"), "new", arena)
          .is_undefined());
  EXPECT_TRUE(WithAuthority(read("{}"), "new", arena).is_undefined());
}

}  // namespace
}  // namespace portcullis::tools
