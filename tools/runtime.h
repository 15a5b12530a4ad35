// Everything that runs in `portcullis serve`, joined: the inventory, the source of objects, the source of policies, the controller
// between them, and what the webhook asks. `portcullis review --source` uses the same, once.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/auditor.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/external_data_providers.h"
#include "controller/scan_watch.h"
#include "index/inventory.h"
#include "mutation/generation.h"
#include "mutation/mutation_system.h"
#include "replicator/source.h"
#include "rules/policy/policy_set.h"
#include "tools/certificate_rotation.h"
#include "webhook/admission.h"

namespace portcullis::tools {

struct RuntimeOptions {
  index::InventoryOptions inventory;
  // One of: a folder of manifests, or a cluster by kubeconfig or from within.
  std::string source;
  std::string kubeconfig;
  std::string context;
  bool in_cluster = false;
  std::string
      policies;  // A folder of policy objects; empty: they come from where the objects come from.
  std::string gatekeeper_namespace = "gatekeeper-system";
  std::vector<std::string> disabled_builtins;
  controller::ScanLimits scan_limits;
  // Under which name this process writes its statuses; empty: the machine's.
  std::string pod_name;
  // Make the CRDs of the policy kinds that the cluster lacks.
  bool install_crds = false;
  // What this process does, as its statuses name it.
  std::vector<std::string> roles;
  bool generates_crds = true;  // Of constraints.
  bool folds_statuses = true;  // Of all pods, into the policy objects.
  bool any_enforcement_action = false;
  bool referential_rules = true;
  bool expands = true;  // ExpansionTemplates are followed.
  // What is shown to providers of external data; null: nothing. THREADS: any.
  std::function<Result<controller::ClientCertificate>()> client_certificate = {};
  // Keep the verdicts of objects, and audit at each interval; none with an interval of 0.
  audit::AuditOptions audit{.interval = std::chrono::seconds(0)};
  bool emit_admission_events = false;
  bool admission_events_beside_objects = false;
  // Keep the webhook's certificate in the cluster.
  std::optional<RotationOptions> rotation;
  // Templates that read kinds which were not heard of for so long are stale; 0: never.
  std::chrono::seconds max_inventory_lag{0};
  std::size_t audit_chunk_size = 500;  // Objects that are asked of the API server at once; 0: all.
};

// THREADS: any. LIFETIME: clock, logger and metrics outlive it.
class Runtime {
 public:
  // Opens the store, reads the kubeconfig, begins to follow. What comes later (an API server that cannot be reached, a policy
  // that does not compile) shows in NotReady and Problems. ERRORS: the store's, the kubeconfig's.
  static Result<std::unique_ptr<Runtime>> Start(const RuntimeOptions& options, Clock& clock,
                                                std::shared_ptr<Logger> logger, Metrics& metrics);
  virtual ~Runtime() = default;

  [[nodiscard]] virtual index::Inventory& inventory() = 0;
  [[nodiscard]] virtual policy::PolicyStore& policies() = 0;
  [[nodiscard]] virtual webhook::NamespaceFinder& namespaces() = 0;
  [[nodiscard]] virtual const webhook::NamespaceExcluder& excluder() const = 0;
  [[nodiscard]] virtual mutation::MutationStore& mutators() = 0;
  [[nodiscard]] virtual mutation::ExternalDataClient& external_data() = 0;
  // What is to be said of a ConstraintTemplate that comes in.
  [[nodiscard]] virtual std::vector<std::string> TemplateWarnings(
      const document::Value& constraint_template) const = 0;
  // What is made of objects under review, at this moment.
  [[nodiscard]] virtual mutation::Generators generators() = 0;
  [[nodiscard]] virtual const webhook::NamespaceExcluder& mutation_excluder() const = 0;

  [[nodiscard]] virtual const webhook::TraceChooser& traces() const = 0;
  // Which templates read data that is too old, as of the last UpdateMetrics.
  [[nodiscard]] virtual const webhook::StalePolicies& stale_policies() const = 0;
  // Told of what reviews find; null: nobody wants to know.
  [[nodiscard]] virtual webhook::ViolationListener* violation_listener() = 0;

  // What is still awaited before reviews are answered rightly and fast, a line each; empty: ready.
  [[nodiscard]] virtual std::vector<std::string> NotReady() const = 0;
  // Policy objects that are not in force, files that cannot be read, a cluster that refuses: a line each.
  [[nodiscard]] virtual std::vector<std::string> Problems() const = 0;
  // True if a policy reads data.inventory and nothing is replicated for it.
  [[nodiscard]] virtual bool nothing_to_read() const = 0;
  // Templates whose plans scan too much. Of UpdateMetrics' thread.
  [[nodiscard]] virtual std::vector<controller::ScanWarning> ScanWarnings() const = 0;
  // Brings metrics and warnings up to date, and, once when all is there for the first time, takes templates that scan more than
  // they may out of force. Called now and then by one thread.
  virtual void UpdateMetrics() = 0;
};

}  // namespace portcullis::tools
