// /v1/admit without the HTTP: the bytes of an AdmissionReview in, Gatekeeper's reply out (gatekeeper.md section 4).

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// Finds the Namespace object that a review's object lies in. THREADS: any.
class NamespaceFinder {
 public:
  virtual ~NamespaceFinder() = default;
  // ERRORS: kNotFound, with the text `namespaces "x" not found`; kUnavailable.
  virtual Result<document::Value> Find(std::string_view name, document::Arena& arena) = 0;
};

// Namespaces that Config excludes for the process `webhook` (gatekeeper.md 1.4). THREADS: any.
class NamespaceExcluder {
 public:
  virtual ~NamespaceExcluder() = default;
  [[nodiscard]] virtual bool IsExcluded(std::string_view group, std::string_view kind,
                                        std::string_view name_space, std::string_view name) const = 0;
};

struct AdmissionOptions {
  std::chrono::milliseconds evaluation_timeout{2500};
  std::size_t arena_limit_bytes = std::size_t{256} << 20;
  std::string gatekeeper_namespace = "gatekeeper-system";
  rego::IndexUse index_use = rego::IndexUse::kUse;
};

struct AdmissionOutcome {
  std::string body;      // The AdmissionReview reply as JSON.
  bool allowed = false;
  std::int32_t code = 0;  // status.code
  rego::EvaluationStatistics statistics;
};

// THREADS: Admit may be called in parallel. LIFETIME: collaborators outlive it.
class AdmissionHandler {
 public:
  AdmissionHandler(policy::PolicyStore& policies, index::Inventory& inventory, NamespaceFinder& namespaces,
                   const NamespaceExcluder& excluder, Clock& clock, std::shared_ptr<Logger> logger,
                   Metrics& metrics, AdmissionOptions options);
  ~AdmissionHandler();

  // Never fails: what goes wrong is in the reply.
  AdmissionOutcome Admit(std::string_view content_type, std::string_view body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::webhook
