#include "webhook/service.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/webhook/admission_world.h"
#include "tests/webhook/http_client.h"
#include "webhook/certificate.h"

namespace portcullis::webhook {
namespace {

constexpr std::string_view kReview =
    R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",)"
    R"("kind":{"group":"","version":"v1","kind":"Pod"},"operation":"CREATE",)"
    R"("object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}}})";

class ServiceTest : public testing::Test {
 protected:
  ServiceTest()
      : admission_(world_.MakeHandler()),
        mutation_(mutators_, world_.namespaces, world_.excluder, nullptr, world_.clock,
                  Logger::Silent(), world_.metrics, {}),
        service_(
            {.admission = admission_.get(), .mutation = &mutation_, .namespace_label = nullptr},
            [this] { return unready_; }, world_.metrics) {}

  void Start(HttpHandler& handler) {
    TlsOptions tls;
    tls.pair = MakeSelfSigned({}, world_.clock).value();
    auto server = HttpServer::Start("test", {}, &tls, handler, world_.clock, Logger::Silent(),
                                    world_.metrics);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    client_ = std::make_unique<HttpClient>(server_->port());
  }

  AdmissionWorld world_;
  std::vector<std::string> unready_;
  std::unique_ptr<AdmissionHandler> admission_;
  mutation::MutationStore mutators_;
  MutationHandler mutation_;
  Service service_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(ServiceTest, ReviewsComeOverHttps) {
  Start(service_);
  for (const char* path : {"/v1/admit", "/v1/admit?timeout=3s"}) {
    const auto response = client_->Post(path, kReview);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body,
              R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":)"
              R"({"uid":"u-1","allowed":true,"status":{"metadata":{},"code":200}}})"
              "\n");
    EXPECT_NE(response->head.find("Content-Type: application/json\r\n"), std::string::npos);
  }
}

TEST_F(ServiceTest, MutationsComeOverHttps) {
  Start(service_);
  const auto response = client_->Post("/v1/mutate", kReview);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_NE(response->body.find("Resource was not mutated"), std::string::npos) << response->body;
}

TEST_F(ServiceTest, ABodyOf7MibIsRefusedInGatekeepersWords) {
  Start(service_);
  const std::string space(7'340'032 - kReview.size(), ' ');
  const auto refused = client_->Post("/v1/admit", std::string(kReview) + space);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 200);
  EXPECT_EQ(
      refused->body,
      R"({"response":{"uid":"","allowed":false,"status":{"metadata":{},"message":"request entity )"
      R"(is too large; limit is 7340032 bytes","code":413}}})"
      "\n");
  HttpClient next(server_->port());
  EXPECT_EQ(next.Post("/metrics", space + space)->status, 413);
  HttpClient below(server_->port());
  const auto taken = below.Post("/v1/admit", std::string(kReview) + space.substr(1));
  ASSERT_TRUE(taken);
  EXPECT_NE(taken->body.find(R"("allowed":true)"), std::string::npos);
}

TEST_F(ServiceTest, AnEmptyBodyGetsGatekeepersWords) {
  Start(service_);
  EXPECT_NE(client_->Post("/v1/admit", "")->body.find("request body is empty"), std::string::npos);
}

TEST_F(ServiceTest, ReadinessFollowsTheReasons) {
  Start(service_);
  EXPECT_EQ(client_->Get("/healthz")->body, "ok");
  EXPECT_EQ(client_->Get("/readyz")->body, "ok");
  unready_ = {"networking.k8s.io/v1/Ingress: not listed yet", "index 3: building"};
  const auto unready = client_->Get("/readyz");
  EXPECT_EQ(unready->status, 500);
  EXPECT_EQ(unready->body,
            "[-]networking.k8s.io/v1/Ingress: not listed yet\n[-]index 3: building\n"
            "readyz check failed\n");
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  unready_.clear();
  EXPECT_EQ(client_->Get("/readyz")->status, 200);
}

TEST_F(ServiceTest, MetricsAreServed) {
  Start(service_);
  client_->Post("/v1/admit", kReview);
  const auto metrics = client_->Get("/metrics");
  EXPECT_NE(metrics->head.find("version=0.0.4"), std::string::npos);
  EXPECT_NE(metrics->body.find("gatekeeper_validation_request_count_total"), std::string::npos);
  EXPECT_NE(metrics->body.find("portcullis_http_connections{listener=\"test\"} 1"),
            std::string::npos);
}

TEST_F(ServiceTest, UnknownPathsAndWrongMethodsAreRefused) {
  Start(service_);
  EXPECT_EQ(client_->Get("/")->status, 404);
  EXPECT_EQ(client_->Get("/v1/admit/")->status, 404);
  const auto wrong = client_->Get("/v1/admit");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_NE(wrong->head.find("Allow: POST\r\n"), std::string::npos);
  EXPECT_EQ(client_->Post("/healthz", "x")->status, 405);
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
}

TEST_F(ServiceTest, AListenerOfProbesHasNoReviews) {
  Service probes({}, [this] { return unready_; }, world_.metrics);
  Start(probes);
  EXPECT_EQ(client_->Post("/v1/admit", kReview)->status, 404);
  EXPECT_EQ(client_->Get("/readyz")->status, 200);
}

}  // namespace
}  // namespace portcullis::webhook
