#include "webhook/service.h"

#include <utility>

namespace portcullis::webhook {
namespace {

constexpr std::string_view kAdmit = "/v1/admit";
constexpr std::string_view kAdmitLabel = "/v1/admitlabel";
constexpr std::string_view kMutate = "/v1/mutate";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

Service::Service(const ServiceRoutes& routes, ReadinessCheck readiness, const Metrics& metrics)
    : routes_(routes), readiness_(std::move(readiness)), metrics_(metrics) {}

bool Service::IsReview(std::string_view path) const {
  return (path == kAdmit && routes_.admission != nullptr) ||
         (path == kMutate && routes_.mutation != nullptr) ||
         (path == kAdmitLabel && routes_.namespace_label != nullptr);
}

Handling Service::Handle(const HttpRequest& request, Stage stage, HttpResponse* response) {
  const bool review = IsReview(request.path);
  const bool probe =
      request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics";
  if (!review && !probe) {
    response->status = 404;
    response->body = "404 page not found\n";
    return Handling::kDone;
  }
  const bool read = request.method == "GET" || request.method == "HEAD";
  if (review ? request.method != "POST" : !read) {
    response->status = 405;
    response->allow = review ? "POST" : "GET, HEAD";
    response->body = "405 method not allowed\n";
    return Handling::kDone;
  }
  if (review) {
    return Admit(request, stage, response);
  }
  if (request.path == "/metrics") {
    response->content_type = kMetricsType;
    response->body = metrics_.ToText();
  } else if (request.path == "/readyz") {
    Ready(response);
  } else {
    response->body = "ok";
  }
  return Handling::kDone;
}

Handling Service::Admit(const HttpRequest& request, Stage stage, HttpResponse* response) {
  response->content_type = "application/json";
  if (request.path == kAdmitLabel) {
    AdmitNamespaceLabel(request.content_type, request.body, *routes_.namespace_label,
                        &response->body);
    return Handling::kDone;
  }
  const AdmissionContext context{
      .received = request.received, .timeout = TimeoutOf(request.query), .stage = stage};
  if (request.path == kMutate) {
    return routes_.mutation->Mutate(request.content_type, request.body, context, &response->body);
  }
  return routes_.admission->Admit(request.content_type, request.body, context, &response->body);
}

// As Kubernetes' own servers write it: the list of checks that failed.
void Service::Ready(HttpResponse* response) const {
  const std::vector<std::string> reasons = readiness_();
  if (reasons.empty()) {
    response->body = "ok";
    return;
  }
  response->status = 500;
  for (const std::string& reason : reasons) {
    response->body += "[-]" + reason + "\n";
  }
  response->body += "readyz check failed\n";
}

void Service::HandleTooLarge(const HttpRequest& request, HttpResponse* response) {
  if (IsReview(request.path)) {
    // With status 200, as Gatekeeper: kube-apiserver reads it as a denial, whatever the failure policy.
    response->content_type = "application/json";
    response->body = TooLargeReply();
    return;
  }
  response->status = 413;
  response->body = "request entity is too large\n";
}

}  // namespace portcullis::webhook
