// What lies behind each path of a listener: reviews, health, readiness, metrics.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "webhook/admission.h"
#include "webhook/http_server.h"

namespace portcullis::webhook {

// Why the process is not ready; empty: it is.
using ReadinessCheck = std::function<std::vector<std::string>()>;

// POST /v1/admit, GET /healthz, /readyz and /metrics. THREADS: called in parallel. LIFETIME: collaborators outlive it.
class Service final : public HttpHandler {
 public:
  // Without `admission` there is no /v1/admit: for a listener of metrics and probes alone.
  Service(AdmissionHandler* admission, ReadinessCheck readiness, const Metrics& metrics);

  Handling Handle(const HttpRequest& request, Stage stage, HttpResponse* response) override;
  void HandleTooLarge(const HttpRequest& request, HttpResponse* response) override;

 private:
  Handling Admit(const HttpRequest& request, Stage stage, HttpResponse* response);
  void Ready(HttpResponse* response) const;

  AdmissionHandler* const admission_;
  const ReadinessCheck readiness_;
  const Metrics& metrics_;
};

}  // namespace portcullis::webhook
