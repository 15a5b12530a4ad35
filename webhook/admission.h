// /v1/admit without the HTTP: the bytes of an AdmissionReview in, Gatekeeper's reply out (gatekeeper.md section 4).

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "mutation/generation.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"
#include "webhook/http_server.h"
#include "webhook/stale_policies.h"
#include "webhook/trace_log.h"
#include "webhook/violation_log.h"

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
                                        std::string_view name_space,
                                        std::string_view name) const = 0;
};

struct AdmissionOptions {
  std::chrono::milliseconds evaluation_timeout{2500};
  std::size_t arena_limit_bytes = std::size_t{256} << 20;
  std::string gatekeeper_namespace = "gatekeeper-system";
  rego::IndexUse index_use = rego::IndexUse::kUse;
  bool check_enforcement_actions = true;
  // Compile templates that come in, and refuse those that do not compile. Gatekeeper lets them in and tells it in their status.
  bool compile_templates = true;
  bool log_denies = false;
  bool log_stats = false;
  const StalePolicies* stale = nullptr;  // Null: none is ever. LIFETIME: outlives the handler.
  StaleAction stale_action = StaleAction::kError;
  ViolationListener* violations =
      nullptr;                           // Told of each violation. LIFETIME: outlives the handler.
  const TraceChooser* traces = nullptr;  // Null: nothing is traced. LIFETIME: outlives the handler.
  // What is to be warned of in a template that is let in; null: nothing. THREADS: any.
  std::function<std::vector<std::string>(const document::Value& constraint_template)>
      template_warnings = {};
  // What ExpansionTemplates make of the objects under review; null: nothing is made. THREADS: any.
  std::function<mutation::Generators()> generators = {};
  bool measure_accesses = false;  // AdmissionOutcome::times tells the cost of each access.
};

// How a review came. The defaults are those of a caller that just wants the answer.
struct AdmissionContext {
  std::optional<std::chrono::steady_clock::time_point>
      received;  // The evaluation's time counts from here; else from now.
  std::optional<std::chrono::milliseconds>
      timeout;  // The caller's own: answers later than this are lost.
  Stage stage = Stage::kWorker;
};

struct AdmissionOutcome {
  std::string body;  // The AdmissionReview reply as JSON, and a line feed.
  bool allowed = false;
  std::int32_t code = 0;  // status.code
  rego::EvaluationStatistics statistics;
  std::vector<policy::TemplateTime>
      times;  // Of the templates that were asked. LIFETIME: the policies in force.
};

// THREADS: Admit may be called in parallel. LIFETIME: collaborators outlive it.
class AdmissionHandler {
 public:
  AdmissionHandler(policy::PolicyStore& policies, index::Inventory& inventory,
                   NamespaceFinder& namespaces, const NamespaceExcluder& excluder, Clock& clock,
                   std::shared_ptr<Logger> logger, Metrics& metrics, AdmissionOptions options);
  ~AdmissionHandler();

  // Never fails: what goes wrong is in the reply.
  AdmissionOutcome Admit(std::string_view content_type, std::string_view body);

  // The same for a server: the reply is appended to `reply`. On Stage::kLoop a review that would scan the inventory is not
  // evaluated: kNeedWorker. On Stage::kOverloaded such a review is refused with code 500.
  Handling Admit(std::string_view content_type, std::string_view body,
                 const AdmissionContext& context, std::string* reply);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The reply to a body of 7 MiB or more, which is not read.
[[nodiscard]] std::string TooLargeReply();

}  // namespace portcullis::webhook
