// What lies behind each path of a listener: reviews, health, readiness, metrics.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "webhook/admission.h"
#include "webhook/http_server.h"
#include "webhook/mutation.h"
#include "webhook/namespace_label.h"

namespace portcullis::webhook {

// Why the process is not ready; empty: it is.
using ReadinessCheck = std::function<std::vector<std::string>()>;

// What a listener answers beside health, readiness and metrics. LIFETIME: what is pointed to outlives the service.
struct ServiceRoutes {
  AdmissionHandler* admission = nullptr;              // /v1/admit
  MutationHandler* mutation = nullptr;                // /v1/mutate
  const ExemptNamespaces* namespace_label = nullptr;  // /v1/admitlabel
};

// POST to the routes, GET /healthz, /readyz and /metrics. THREADS: called in parallel. LIFETIME: collaborators outlive it.
class Service final : public HttpHandler {
 public:
  // Without routes it is a listener of metrics and probes alone.
  Service(const ServiceRoutes& routes, ReadinessCheck readiness, const Metrics& metrics);

  Handling Handle(const HttpRequest& request, Stage stage, HttpResponse* response) override;
  void HandleTooLarge(const HttpRequest& request, HttpResponse* response) override;

 private:
  Handling Admit(const HttpRequest& request, Stage stage, HttpResponse* response);
  void Ready(HttpResponse* response) const;

  [[nodiscard]] bool IsReview(std::string_view path) const;

  const ServiceRoutes routes_;
  const ReadinessCheck readiness_;
  const Metrics& metrics_;
};

}  // namespace portcullis::webhook
