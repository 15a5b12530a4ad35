#include "replicator/kubeconfig.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <unistd.h>

#include "replicator/files.h"

namespace portcullis::replicator {
namespace {

using std::filesystem::path;

class KubeconfigTest : public testing::Test {
 protected:
  KubeconfigTest() : folder_(path(testing::TempDir()) / ("kubeconfig" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~KubeconfigTest() override { std::filesystem::remove_all(folder_); }

  path Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  static Result<ClusterAccess> Load(const path& file, std::string_view context = {}) {
    return LoadKubeconfig(std::span(&file, 1), context);
  }

  const path folder_;
};

std::string Config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
         "clusters: [{name: c, cluster: {" +
         cluster +
         "}}]\n"
         "users: [{name: u, user: {" +
         user +
         "}}]\n"
         "contexts: [{name: here, context: {cluster: c, user: u, namespace: shop}}]\n";
}

TEST_F(KubeconfigTest, ReadsServerCertificatesAndTokenOfTheCurrentContext) {
  Write("ca.pem", "the authority");
  const path file = Write(
      "config", Config("server: 'https://10.0.0.1:6443', certificate-authority: ca.pem, "
                       "tls-server-name: kubernetes, proxy-url: 'http://proxy:1'",
                       "client-certificate-data: Y2VydA==, client-key-data: a2V5, token: secret"));
  const Result<ClusterAccess> access = Load(file);
  ASSERT_TRUE(access) << access.error().ToString();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->certificate_authority_pem, "the authority");
  EXPECT_EQ(access->client_certificate_pem, "cert");
  EXPECT_EQ(access->client_key_pem, "key");
  EXPECT_EQ(access->token, "secret");
  EXPECT_EQ(access->tls_server_name, "kubernetes");
  EXPECT_EQ(access->proxy_url, "http://proxy:1");
  EXPECT_EQ(access->name_space, "shop");
  EXPECT_FALSE(access->skip_tls_verify);
}

TEST_F(KubeconfigTest, RefusesUsersThatNeedAPluginAndSaysWhatToDo) {
  for (const std::string user : {"exec: {command: aws}", "auth-provider: {name: gcp}"}) {
    const Result<ClusterAccess> access = Load(Write("config", Config("server: https://a", user)));
    ASSERT_FALSE(access);
    EXPECT_EQ(access.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(access.error().message.find("use a client certificate, a token or a tokenFile"),
              std::string::npos)
        << access.error().message;
  }
}

TEST_F(KubeconfigTest, NamesWhatIsMissing) {
  EXPECT_EQ(Load(folder_ / "absent").error().code, ErrorCode::kNotFound);
  const path file = Write("config", Config("server: https://a", ""));
  EXPECT_NE(Load(file, "elsewhere").error().message.find("context \"elsewhere\" does not exist"),
            std::string::npos);
  EXPECT_NE(Load(Write("none", "{}")).error().message.find("no current-context"),
            std::string::npos);
  EXPECT_NE(Load(Write("half", Config("server: https://a", "client-key-data: a2V5")))
                .error()
                .message.find("must be given together"),
            std::string::npos);
  EXPECT_EQ(Load(Write("bad", "{{{")).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(KubeconfigTest, TheFirstOfSeveralFilesCounts) {
  const path files[] = {
      folder_ / "absent", Write("one", Config("server: https://one", "token: first")),
      Write("two", Config("server: https://two", "token: second") + "preferences: {}\n")};
  const Result<ClusterAccess> access = LoadKubeconfig(files);
  ASSERT_TRUE(access) << access.error().ToString();
  EXPECT_EQ(access->server, "https://one");
  EXPECT_EQ(access->token, "first");
}

TEST_F(KubeconfigTest, DefaultPathsComeFromTheEnvironment) {
  const auto environment = [](std::map<std::string, std::string> values) -> Environment {
    return [values](const std::string& name) -> std::optional<std::string> {
      const auto found = values.find(name);
      return found == values.end() ? std::nullopt : std::optional(found->second);
    };
  };
  EXPECT_EQ(DefaultKubeconfigPaths(environment({{"KUBECONFIG", "/a:/b::"}, {"HOME", "/h"}})),
            (std::vector<path>{"/a", "/b"}));
  EXPECT_EQ(DefaultKubeconfigPaths(environment({{"HOME", "/h"}})),
            (std::vector<path>{"/h/.kube/config"}));
}

TEST_F(KubeconfigTest, TheAccountOfAPodHasATokenFileThatIsReadAgain) {
  Write("token", "abc");
  Write("ca.crt", "authority");
  Write("namespace", "gatekeeper-system");
  const Environment inside = [](const std::string& name) -> std::optional<std::string> {
    return name == "KUBERNETES_SERVICE_HOST"   ? std::optional<std::string>("fd00::1")
           : name == "KUBERNETES_SERVICE_PORT" ? std::optional<std::string>("443")
                                               : std::nullopt;
  };
  const Result<ClusterAccess> access = InClusterAccess(inside, folder_);
  ASSERT_TRUE(access) << access.error().ToString();
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_EQ(access->token_file, folder_ / "token");
  EXPECT_EQ(access->name_space, "gatekeeper-system");
  const Environment outside = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_EQ(InClusterAccess(outside, folder_).error().code, ErrorCode::kNotFound);
}

TEST(Base64, DecodesWhatIsWholeAndRefusesTheRest) {
  EXPECT_EQ(DecodeBase64("aGVs\nbG8=").value(), "hello");
  EXPECT_EQ(DecodeBase64("").value(), "");
  for (const char* bad : {"a", "ab=", "abc", "a*==", "ab==c", "===="}) {
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
  }
}

}  // namespace
}  // namespace portcullis::replicator
