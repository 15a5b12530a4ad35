#include "webhook/certificate.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/clock.h"

namespace portcullis::webhook {
namespace {

using std::chrono::hours;

class Certificate : public testing::Test {
 protected:
  Certificate() {
    std::string pattern = (std::filesystem::temp_directory_path() / "certificate.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Certificate() override { std::filesystem::remove_all(directory_); }

  static bool Names(const CertificateInfo& info, const std::string& name) {
    return std::ranges::find(info.dns_names, name) != info.dns_names.end();
  }

  std::filesystem::path directory_;
  SystemClock clock_;
};

TEST_F(Certificate, ASelfSignedOneNamesWhatItWasAskedFor) {
  CertificateNames names;
  names.common_name = "gatekeeper-webhook-service";
  names.dns_names = {"localhost", "gatekeeper-webhook-service.gatekeeper-system.svc"};
  const auto pair = MakeSelfSigned(names, clock_);
  ASSERT_TRUE(pair);
  const auto info = ReadCertificate(pair->certificate);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->common_name, "gatekeeper-webhook-service");
  EXPECT_TRUE(Names(*info, "gatekeeper-webhook-service.gatekeeper-system.svc"));
  EXPECT_EQ(info->ip_addresses.front(), "127.0.0.1");
  EXPECT_TRUE(info->made_here);
  EXPECT_GT(info->not_after, clock_.WallNow() + kSelfSignedLifetime - hours(1));
}

TEST_F(Certificate, ANameThatWouldBecomeTwoIsRefused) {
  CertificateNames names;
  names.dns_names = {"a,DNS:b"};
  EXPECT_EQ(MakeSelfSigned(names, clock_).error().code, ErrorCode::kInvalidArgument);
  names.dns_names = {"a"};
  names.ip_addresses = {"not an address"};
  EXPECT_EQ(MakeSelfSigned(names, clock_).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Certificate, IsMadeOnceAndFoundAgain) {
  const auto first = EnsureCertificate(directory_ / "certs", {}, clock_);
  ASSERT_TRUE(first);
  const auto again = EnsureCertificate(directory_ / "certs", {}, clock_);
  ASSERT_TRUE(again);
  EXPECT_EQ(first->certificate, again->certificate);
  struct stat status{};
  ASSERT_EQ(::stat((directory_ / "certs" / "tls.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "certs" / "ca.crt"));
}

TEST_F(Certificate, IsMadeAnewWhenANameIsMissing) {
  const auto first = EnsureCertificate(directory_, {}, clock_);
  CertificateNames more;
  more.dns_names.push_back("another.name");
  const auto second = EnsureCertificate(directory_, more, clock_);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->certificate, second->certificate);
}

TEST_F(Certificate, IsMadeAnewBeforeItExpires) {
  class Later final : public Clock {
   public:
    std::chrono::steady_clock::time_point Now() override { return {}; }
    std::chrono::system_clock::time_point WallNow() override {
      return std::chrono::system_clock::now() + kSelfSignedLifetime - kRenewBefore + hours(2);
    }
  } later;
  const auto first = EnsureCertificate(directory_, {}, clock_);
  const auto second = EnsureCertificate(directory_, {}, later);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->certificate, second->certificate);
}

TEST_F(Certificate, AMissingHalfIsAnErrorAndStays) {
  ASSERT_TRUE(EnsureCertificate(directory_, {}, clock_));
  std::filesystem::remove(directory_ / "tls.key");
  EXPECT_EQ(LoadCertificate(directory_).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(EnsureCertificate(directory_, {}, clock_));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "tls.key"));
}

TEST_F(Certificate, AForeignKeyIsAnError) {
  ASSERT_TRUE(EnsureCertificate(directory_, {}, clock_));
  const auto other = MakeSelfSigned({}, clock_);
  std::ofstream(directory_ / "tls.key") << other->key;
  const auto loaded = LoadCertificate(directory_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("not the key"), std::string::npos);
}

TEST_F(Certificate, GarbageIsAnErrorThatNamesTheFile) {
  std::ofstream(directory_ / "tls.crt") << "garbage";
  std::ofstream(directory_ / "tls.key") << "garbage";
  const auto loaded = LoadCertificate(directory_);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(loaded.error().message.find("tls.crt"), std::string::npos);
}

TEST_F(Certificate, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(directory_ / "file") << "x";
  EXPECT_FALSE(EnsureCertificate(directory_ / "file" / "certs", {}, clock_));
}

}  // namespace
}  // namespace portcullis::webhook
