#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/json.h"
#include "tests/rules/builtins_support.h"
#include "tests/rules/http_test_server.h"

namespace portcullis::builtins {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Json(const std::string& text) {
  std::string quoted;
  document::AppendJsonString(text, document::JsonStyle::kCompact, &quoted);
  return quoted;
}

class HttpSend : public testing::Test {
 protected:
  // The members of the operand beside the URL, each after a comma.
  std::string Send(const std::string& path, const std::string& more = {}) {
    return SendTo(server.url() + path, more);
  }
  std::string SendTo(const std::string& url, const std::string& more = {}) {
    const std::string method = more.contains("\"method\"") ? "" : R"("method": "get", )";
    return caller.Call("http.send", "[{" + method + "\"url\": " + Json(url) + more + "}]");
  }

  HttpTestServer server{HttpTestServer::Scheme::kHttp};
  BuiltinCaller caller;
};

TEST_F(HttpSend, JsonIsDecodedAndNumbersKeepTheirSpelling) {
  const std::string reply = Send("/json");
  EXPECT_THAT(reply, StartsWith(R"({"body": {"a": [1, 2.50], "b": null}, "headers": {)"));
  EXPECT_THAT(reply, HasSubstr(R"("content-type": ["application/json; charset=utf-8"])"));
  EXPECT_THAT(reply, HasSubstr(R"("status": "200 OK", "status_code": 200})"));
  EXPECT_THAT(reply, HasSubstr(R"("raw_body": "{\"a\": [1, 2.50], \"b\": null}")"));
}

TEST_F(HttpSend, OtherBodiesAreNullUnlessTheyAreToBeDecoded) {
  EXPECT_THAT(Send("/yaml"), HasSubstr(R"("body": {"a": [1, 2]})"));
  EXPECT_THAT(Send("/bad-json"), HasSubstr(R"("body": null)"));
  EXPECT_THAT(Send("/echo"), HasSubstr(R"("body": null)"));
  EXPECT_THAT(Send("/yaml", R"(, "force_json_decode": true)"), HasSubstr(R"("body": null)"));
  EXPECT_THAT(Send("/bad-json", R"(, "force_yaml_decode": true)"), HasSubstr(R"("body": null)"));
}

TEST_F(HttpSend, MethodHeadersAndBodyAreSent) {
  const std::string reply = Send(
      "/echo?x=1",
      R"(, "method": "post", "body": {"a": "<"}, "headers": {"x-one": "1", "Host": "other", "User-Agent": "me"})");
  EXPECT_THAT(reply, HasSubstr(R"(POST /echo?x=1\n)"));
  EXPECT_THAT(reply, HasSubstr(R"(X-One: 1\n)"));
  EXPECT_THAT(reply, HasSubstr(R"(Host: other\n)"));
  EXPECT_THAT(reply, HasSubstr(R"(User-Agent: me\n)"));
  EXPECT_THAT(reply, HasSubstr(R"(\n\n{\"a\":\"\\u003c\"}")"));
  EXPECT_THAT(reply, Not(HasSubstr("Content-Type: ")));
  EXPECT_THAT(Send("/echo", R"(, "method": "put", "body": 1, "raw_body": "raw")"),
              HasSubstr(R"(\n\nraw")"));
}

TEST_F(HttpSend, HeadersThatComeTwiceAreAList) {
  EXPECT_THAT(Send("/twice"), HasSubstr(R"("x-many": ["1", "2"])"));
}

TEST_F(HttpSend, RedirectsAreFollowedOnlyOnDemand) {
  EXPECT_THAT(Send("/redirect"), HasSubstr(R"("status_code": 302)"));
  EXPECT_THAT(Send("/redirect", R"(, "enable_redirect": true, "method": "post", "body": 1)"),
              HasSubstr(R"(GET /echo?from=redirect\n)"));
  EXPECT_THAT(Send("/keep-method", R"(, "enable_redirect": true, "method": "post", "body": 1)"),
              HasSubstr(R"(POST /echo\n)"));
  EXPECT_THAT(Send("/loop", R"(, "enable_redirect": true)"), HasSubstr("redirects"));
  EXPECT_THAT(Send("/away", R"(, "enable_redirect": true)"),
              HasSubstr(R"(unsupported protocol scheme "file")"));
}

TEST_F(HttpSend, OnlyHttpIsSpoken) {
  EXPECT_EQ(SendTo("file:///etc/hostname"),
            R"(error: Get "file:///etc/hostname": unsupported protocol scheme "file")");
  EXPECT_EQ(SendTo("gopher://127.0.0.1/"),
            R"(error: Get "gopher://127.0.0.1/": unsupported protocol scheme "gopher")");
  EXPECT_EQ(SendTo("x"), R"(error: Get "x": unsupported protocol scheme "")");
  EXPECT_EQ(SendTo("http://"), R"(error: Get "http:": http: no Host in request URL)");
}

TEST_F(HttpSend, HeadersCannotCarryOthers) {
  EXPECT_THAT(Send("/echo", R"(, "headers": {"a": "b\r\nEvil: 1"})"),
              HasSubstr(R"(net/http: invalid header field value for "A")"));
  EXPECT_THAT(Send("/echo", R"(, "headers": {"a b": "c"})"),
              HasSubstr(R"(net/http: invalid header field name "a b")"));
  EXPECT_EQ(Send("/echo", R"(, "headers": {"a": 1})"),
            R"(error: invalid type for headers value "1")");
}

TEST_F(HttpSend, TheTimeoutEndsTheWait) {
  EXPECT_EQ(Send("/slow", R"(, "timeout": "50ms")"),
            "error: Get " + server.url() + "/slow: request timed out");
  EXPECT_THAT(Send("/slow", R"(, "timeout": 50000000, "raise_error": false)"),
              HasSubstr(R"("code": "eval_http_send_network_error")"));
}

TEST_F(HttpSend, TheDeadlineOfTheEvaluationEndsTheWait) {
  caller.deadline = caller.clock.Now() + std::chrono::milliseconds(50);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Send("/slow"), "error: http.send: timed out (context deadline exceeded)");
  EXPECT_EQ(Send("/slow", R"(, "raise_error": false)"),
            "error: http.send: timed out (context deadline exceeded)");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(HttpSend, LargeBodiesAreRefused) {
  caller.limit_bytes = std::size_t{1} << 19;
  EXPECT_THAT(Send("/large"), HasSubstr("response body larger than 524288 bytes"));
}

TEST_F(HttpSend, FailuresCanBeValues) {
  const std::string closed = "http://127.0.0.1:1/";
  EXPECT_EQ(
      SendTo(closed),
      R"(error: Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused)");
  EXPECT_EQ(
      SendTo(closed, R"(, "raise_error": false)"),
      R"({"error": {"code": "eval_http_send_network_error", "message": "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"}, "status_code": 0})");
  EXPECT_THAT(SendTo(closed, R"(, "raise_error": false, "timeout": true)"),
              HasSubstr(R"("code": "eval_http_send_internal_error")"));
}

TEST_F(HttpSend, AttemptsAreRepeated) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(SendTo("http://127.0.0.1:1/", R"(, "max_retry_attempts": 1)"), HasSubstr("refused"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(90));
}

TEST_F(HttpSend, ParametersAreChecked) {
  const auto call = [&](const std::string& operand) {
    return caller.Call("http.send", "[" + operand + "]");
  };
  EXPECT_EQ(call("1"), "error: operand 1 must be object but got number");
  EXPECT_EQ(call(R"({"method": "get"})"),
            R"(error: operand 1 missing required request parameters(s): {"url"})");
  EXPECT_EQ(call(R"({"method": "get", "url": "x", "bad": 1, "more": 2})"),
            R"(error: operand 1 invalid request parameters(s): {"bad", "more"})");
  EXPECT_EQ(call(R"({"method": 1, "url": "x"})"), R"(error: "method" must be a string)");
  EXPECT_EQ(Send("/", R"(, "raise_error": 1)"), "error: invalid value for raise_error field");
  EXPECT_EQ(Send("/", R"(, "cache": 1)"), R"(error: invalid value for "cache" field)");
  EXPECT_EQ(Send("/", R"(, "force_cache": true)"),
            "error: 'force_cache' set but 'force_cache_duration_seconds' parameter is missing");
  EXPECT_EQ(Send("/", R"(, "timeout": "5x")"),
            R"(error: invalid timeout value "5x": time: unknown unit "x" in duration "5x")");
  EXPECT_EQ(Send("/", R"(, "timeout": 1.5)"),
            "error: invalid timeout number value 1.5, must be int64");
  EXPECT_EQ(Send("/", R"(, "timeout": true)"),
            "error: operand 1 'timeout' must be one of {string, number} but got boolean");
  EXPECT_EQ(Send("/", R"(, "enable_redirect": "x")"),
            R"(error: strconv.ParseBool: parsing "\"x\"": invalid syntax)");
  EXPECT_EQ(Send("/", R"(, "headers": 1)"), "error: invalid type for headers key");
  EXPECT_EQ(Send("/", R"(, "max_retry_attempts": -1)"),
            R"(error: invalid value -1 for field "max_retry_attempts")");
  EXPECT_EQ(Send("/", R"(, "cache_ignored_headers": 1, "headers": {})"),
            "error: cache_ignored_headers must be an array of strings");
  EXPECT_EQ(Send("/", R"(, "tls_ca_cert": "x")"), "error: could not append certificates");
  EXPECT_EQ(Send("/", R"(, "tls_ca_cert_file": "/nowhere")"),
            "error: open /nowhere: no such file or directory");
  EXPECT_EQ(
      Send("/", R"(, "tls_ca_cert_env_variable": "PORTCULLIS_NO_SUCH")"),
      R"(error: could not add CA certificates from envvar "PORTCULLIS_NO_SUCH": could not append certificates)");
  EXPECT_EQ(Send("/", R"(, "tls_client_cert": "x", "tls_client_key": "y")"),
            "error: tls: failed to find any PEM data in certificate input");
}

class HttpsSend : public HttpSend {
 protected:
  HttpTestServer secure{HttpTestServer::Scheme::kHttps};
  std::string authority = R"(, "tls_ca_cert": )" + Json(HttpTestServer::Certificate());
};

TEST_F(HttpsSend, AnUnknownAuthorityIsRefused) {
  EXPECT_THAT(SendTo(secure.url() + "/json"),
              HasSubstr("x509: certificate signed by unknown authority"));
  EXPECT_EQ(secure.requests(), 0);
}

TEST_F(HttpsSend, AuthoritiesComeInlineFromFilesAndFromTheEnvironment) {
  EXPECT_THAT(SendTo(secure.url() + "/json", authority), HasSubstr(R"("status_code": 200)"));
  const auto path = std::filesystem::temp_directory_path() /
                    ("portcullis-http-" + std::to_string(::getpid()) + ".pem");
  std::ofstream(path) << HttpTestServer::Certificate();
  EXPECT_THAT(SendTo(secure.url() + "/json", R"(, "tls_ca_cert_file": )" + Json(path.string())),
              HasSubstr(R"("status_code": 200)"));
  std::filesystem::remove(path);
  ::setenv("PORTCULLIS_TEST_CA", HttpTestServer::Certificate().c_str(), 1);
  EXPECT_THAT(
      SendTo(secure.url() + "/json", R"(, "tls_ca_cert_env_variable": "PORTCULLIS_TEST_CA")"),
      HasSubstr(R"("status_code": 200)"));
  ::unsetenv("PORTCULLIS_TEST_CA");
}

TEST_F(HttpsSend, TheNameIsVerified) {
  EXPECT_THAT(SendTo(secure.url() + "/echo", authority + R"(, "tls_server_name": "named.test")"),
              HasSubstr(R"("status_code": 200)"));
  EXPECT_THAT(SendTo(secure.url() + "/echo", authority + R"(, "tls_server_name": "wrong.test")"),
              HasSubstr("tls: failed to verify certificate"));
}

TEST_F(HttpsSend, VerificationCanBeLeftOut) {
  EXPECT_THAT(SendTo(secure.url() + "/json", R"(, "tls_insecure_skip_verify": true)"),
              HasSubstr(R"("status_code": 200)"));
}

TEST_F(HttpsSend, AClientCanShowItsCertificate) {
  EXPECT_THAT(SendTo(secure.url() + "/json",
                     authority + R"(, "tls_client_cert": )" + Json(HttpTestServer::Certificate()) +
                         R"(, "tls_client_key": )" + Json(HttpTestServer::Key())),
              HasSubstr(R"("status_code": 200)"));
}

TEST(HttpSendCatalog, TheFunctionCanBeTakenAwayAndIsNotDeterministic) {
  const auto all = Catalog::Create();
  ASSERT_NE(all->Find("http.send"), nullptr);
  EXPECT_TRUE(all->Find("http.send")->nondeterministic);
  const std::string disabled[] = {"http.send"};
  EXPECT_EQ(Catalog::Create(disabled)->Find("http.send"), nullptr);
}

TEST(NetLookup, AnswersAndKeepsTheDeadline) {
  BuiltinCaller caller;
  EXPECT_THAT(caller.Call("net.lookup_ip_addr", R"(["localhost"])"), HasSubstr("127.0.0.1"));
  EXPECT_EQ(caller.Call("net.lookup_ip_addr", R"(["a..b"])"), "error: lookup a..b: no such host");
  caller.deadline = caller.clock.Now();
  EXPECT_EQ(caller.Call("net.lookup_ip_addr", R"(["portcullis.invalid"])"),
            "error: caller cancelled query execution");
}

}  // namespace
}  // namespace portcullis::builtins
