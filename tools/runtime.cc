#include "tools/runtime.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "controller/constraint_crds.h"
#include "controller/expansion_controller.h"
#include "controller/external_data_providers.h"
#include "controller/mutator_controller.h"
#include "controller/object_writer.h"
#include "controller/pod_statuses.h"
#include "controller/policy_controller.h"
#include "controller/policy_crds.h"
#include "controller/stale_watch.h"
#include "document/json.h"
#include "replicator/folder_source.h"
#include "replicator/kubeconfig.h"
#include "replicator/kubernetes_client.h"
#include "replicator/kubernetes_source.h"
#include "replicator/namespace_cache.h"
#include "replicator/sync_set.h"
#include "rules/rego/catalog.h"
#include "rules/rego/key_programs.h"
#include "tools/admission_events.h"
#include "tools/runtime_settings.h"
#include "tools/webhook_views.h"

namespace portcullis::tools {
namespace {

// Members in the order in which they are made; destroyed the other way round, so that whoever is called goes last.
class RuntimeParts final : public Runtime {
 public:
  RuntimeParts(const RuntimeOptions& options, Clock& clock, std::shared_ptr<Logger> logger,
               Metrics& metrics)
      : clock_(clock),
        logger_(std::move(logger)),
        metrics_(metrics),
        policy_metrics_(metrics, clock),
        scan_limits_(options.scan_limits),
        scan_watch_(options.scan_limits, logger_->Named("policies"), metrics),
        stale_watch_(options.max_inventory_lag, clock, logger_->Named("policies"), metrics),
        policies_(
            rego::CreateCatalog(BuiltinNames(options.disabled_builtins)),
            {.templates = {.keep_prints = false, .may_read_inventory = options.referential_rules},
             .check_enforcement_actions = !options.any_enforcement_action,
             .admit = [this](const policy::Template& of) {
               return controller::CheckScanLimit(of, *inventory_->View(), scan_limits_);
             }}) {}

  Result<void> Start(const RuntimeOptions& options) {
    index::InventoryOptions inventory = options.inventory;
    inventory.key_programs = std::make_shared<rego::RegoKeyPrograms>();
    inventory.record_changes = options.audit.interval.count() > 0;
    inventory_ =
        TRY(index::Inventory::Open(inventory, clock_, logger_->Named("inventory"), metrics_));
    replicator::MissingNamespace missing = replicator::TakeAsBare();
    if (options.source.empty()) {
      replicator::ClusterAccess access = TRY(FindCluster(options));
      client_ = TRY(replicator::KubernetesClient::Create(std::move(access), clock_));
      auto cluster =
          std::make_unique<replicator::KubernetesSource>(*client_, logger_->Named("replicator"));
      writer_ = std::make_unique<controller::ObjectWriter>(*client_, logger_);
      if (options.install_crds) {
        InstallCrds();
      }
      if (options.policies.empty()) {
        crds_ = std::make_unique<controller::ConstraintCrds>(*writer_, *client_, *cluster, logger_);
        statuses_ = std::make_unique<controller::PodStatuses>(
            *writer_, *cluster, logger_,
            controller::PodStatusOptions{.pod = {.name_space = options.gatekeeper_namespace,
                                                 .name = PodName(options),
                                                 .operations = options.roles},
                                         .fold = options.folds_statuses});
      }
      objects_ = std::move(cluster);
      missing = replicator::AskApiServer(*client_);
    } else {
      objects_ = std::make_unique<replicator::FolderSource>(options.source, clock_,
                                                            logger_->Named("replicator"));
    }
    if (!options.policies.empty()) {
      policy_folder_ = std::make_unique<replicator::FolderSource>(options.policies, clock_,
                                                                  logger_->Named("policies"));
    }
    namespace_cache_ = std::make_unique<replicator::NamespaceCache>(std::move(missing));
    namespaces_ = std::make_unique<CachedNamespaces>(*namespace_cache_);
    sync_set_ =
        std::make_unique<replicator::SyncSet>(*objects_, *inventory_, logger_->Named("sync"));
    controller_ = std::make_unique<controller::PolicyController>(
        policy_folder_ ? *policy_folder_ : *objects_, policies_, *inventory_, *sync_set_,
        crds_.get(), statuses_.get(), logger_->Named("controller"),
        controller::PolicyControllerOptions{.gatekeeper_namespace = options.gatekeeper_namespace,
                                            .metrics = &policy_metrics_});
    excluder_ = std::make_unique<WebhookExclusions>(*controller_, "webhook");
    traces_ = std::make_unique<ConfiguredTraces>(*controller_);
    mutation_excluder_ = std::make_unique<WebhookExclusions>(*controller_, "mutation-webhook");
    providers_ = std::make_unique<controller::ExternalDataProviders>(clock_, logger_, metrics_,
                                                                     options.client_certificate);
    mutator_controller_ = std::make_unique<controller::MutatorController>(
        policy_folder_ ? *policy_folder_ : *objects_, mutators_,
        policy_folder_ ? nullptr : statuses_.get(), clock_, logger_->Named("controller"), metrics_);
    if (options.expands) {
      expansion_controller_ = std::make_unique<controller::ExpansionController>(
          policy_folder_ ? *policy_folder_ : *objects_, expansions_,
          policy_folder_ ? nullptr : statuses_.get(), logger_->Named("controller"), metrics_);
    }
    objects_->Follow(replicator::NamespaceCache::type(), *namespace_cache_);
    if (statuses_) {
      statuses_->Start();
      FindOwnPod(options);
    }
    controller_->Start();
    mutator_controller_->Start();
    if (expansion_controller_) {
      expansion_controller_->Start();
    }
    providers_->Follow(policy_folder_ ? *policy_folder_ : *objects_,
                       policy_folder_ ? nullptr : statuses_.get());
    if (inventory.record_changes) {
      StartAudit(options);
    }
    StartEvents(options);
    if (client_ && options.rotation) {
      rotation_ = std::make_unique<CertificateRotation>(*options.rotation, *client_, clock_,
                                                        logger_->Named("cert-rotation"));
    }
    return {};
  }

  void StartEvents(const RuntimeOptions& options) {
    if (!writer_ && (options.emit_admission_events || options.audit.emit_events)) {
      logger_->Warning("without an API server no Events are recorded");
    }
    if (writer_ && options.emit_admission_events) {
      admission_events_ = std::make_unique<WrittenAdmissionEvents>(
          controller::EventPlace{.gatekeeper_namespace = options.gatekeeper_namespace,
                                 .beside_objects = options.admission_events_beside_objects},
          *writer_, clock_, metrics_);
    }
  }

  void StartAudit(const RuntimeOptions& options) {
    const std::shared_ptr<Logger> logger = logger_->Named("audit");
    listing_ = client_ ? audit::ListCluster(*client_, options.audit_chunk_size, logger)
                       : audit::ListFolder(options.source, logger);
    audit::AuditMeans means;
    means.inventory = inventory_.get();
    // Gatekeeper expands nothing there.
    means.policies = [this, from_cache = options.audit.from_cache] {
      return audit::Policies{.set = policies_.current(),
                             .exclusions = controller_->CurrentExclusions(),
                             .generators = from_cache ? mutation::Generators() : generators()};
    };
    means.ready = [this] { return NotReady().empty(); };
    means.find_namespace = [this](std::string_view name, document::Arena& arena) {
      return namespace_cache_->Find(name, arena);
    };
    means.listing = listing_.get();
    // Constraints of a folder have no status in the cluster.
    means.writer = policy_folder_ ? nullptr : writer_.get();
    means.event_writer = writer_.get();
    audit::AuditOptions audit = options.audit;
    audit.event_place.gatekeeper_namespace = options.gatekeeper_namespace;
    auditor_ = std::make_unique<audit::Auditor>(std::move(means), std::move(audit), clock_, logger,
                                                metrics_);
    namespace_cache_->SetListener(
        [this](const std::string& name) { auditor_->TouchNamespace(name); });
  }

  // Into the statuses of the templates.
  void TellScans() {
    if (statuses_ == nullptr) {
      return;
    }
    std::map<std::string, controller::StatusError> remarks;
    for (const controller::ScanWarning& each : scan_watch_.Warnings()) {
      remarks[each.name] = {
          .code = std::string(controller::kScanWarningCode),
          .message = fmt::format("the plan scans more than the {} objects of --scan-warning: {}",
                                 scan_limits_.warning, each.step),
          .location = {}};
    }
    for (const controller::ScanWarning& each : refused_) {
      if (policies_.current()->FindTemplateByName(each.name) == nullptr) {
        remarks[each.name] = {.code = "ingest_error", .message = each.message, .location = {}};
      }
    }
    if (remarks != scan_remarks_) {
      scan_remarks_ = remarks;
      client_->http().Post(
          [this, remarks = std::move(remarks)] { statuses_->SetRemarks(remarks); });
    }
  }

  void InstallCrds() {
    for (const controller::PolicyCrd& each : controller::PolicyCrds()) {
      writer_->Apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + each.name,
                     each.manifest);
    }
  }

  // Statuses of a pod go with it. Outside of a cluster there is none.
  void FindOwnPod(const RuntimeOptions& options) {
    client_->Send(
        replicator::KubernetesClient::Get(replicator::GroupVersionPath("", "v1") + "/namespaces/" +
                                          replicator::EscapeForUrl(options.gatekeeper_namespace) +
                                          "/pods/" + replicator::EscapeForUrl(PodName(options))),
        [this](const Result<std::string>& reply) {
          document::Arena arena;
          if (const auto pod = reply ? document::ParseJson(*reply, arena)
                                     : Result<document::Value>(document::Value());
              pod && pod->is_object()) {
            statuses_->SetOwner(std::string(pod->GetString({"metadata", "uid"})));
          }
        });
  }

  ~RuntimeParts() override {
    if (namespace_cache_) {
      namespace_cache_->SetListener({});
    }
    auditor_.reset();
    if (objects_ && namespace_cache_) {
      objects_->Unfollow(replicator::NamespaceCache::type(), *namespace_cache_);
    }
  }

  index::Inventory& inventory() override { return *inventory_; }
  policy::PolicyStore& policies() override { return policies_; }
  webhook::NamespaceFinder& namespaces() override { return *namespaces_; }
  [[nodiscard]] const webhook::NamespaceExcluder& excluder() const override { return *excluder_; }
  mutation::MutationStore& mutators() override { return mutators_; }
  mutation::ExternalDataClient& external_data() override { return *providers_; }
  [[nodiscard]] std::vector<std::string> TemplateWarnings(
      const document::Value& constraint_template) const override {
    return controller_->UnmetSyncRequirements(constraint_template);
  }
  mutation::Generators generators() override {
    return {.expander = expansions_.current(),
            .mutators = mutators_.current(),
            .external_data = providers_.get()};
  }
  [[nodiscard]] const webhook::NamespaceExcluder& mutation_excluder() const override {
    return *mutation_excluder_;
  }

  [[nodiscard]] const webhook::TraceChooser& traces() const override { return *traces_; }
  [[nodiscard]] const webhook::StalePolicies& stale_policies() const override {
    return stale_policies_;
  }
  [[nodiscard]] webhook::ViolationListener* violation_listener() override {
    return admission_events_ ? &admission_events_->listener() : nullptr;
  }

  [[nodiscard]] std::vector<std::string> NotReady() const override {
    const controller::PolicyReadiness readiness = controller_->Readiness();
    std::vector<std::string> reasons;
    if (!readiness.ready()) {
      reasons = readiness.waiting_for;
      if (reasons.empty()) {
        reasons.emplace_back("policies are not complete");
      }
    }
    for (std::string& each : mutator_controller_->WaitingFor()) {
      reasons.push_back(std::move(each));
    }
    if (expansion_controller_) {
      for (std::string& each : expansion_controller_->WaitingFor()) {
        reasons.push_back(std::move(each));
      }
    }
    for (const replicator::KindStatus& each : objects_->Status()) {
      if (each.sink == namespace_cache_.get() && !each.synced) {
        reasons.push_back("Namespace: " + (each.last_error.empty() ? std::string("not listed yet")
                                                                   : each.last_error));
      }
    }
    for (const index::IndexStatus& each : inventory_->Indexes()) {
      if (each.state == index::IndexState::kBuilding) {
        reasons.push_back(fmt::format("index {}: building, {} objects done",
                                      each.definition.Summary(), each.built_objects));
      }
    }
    return reasons;
  }

  [[nodiscard]] std::vector<std::string> Problems() const override {
    std::vector<std::string> lines;
    for (const controller::PolicyProblem& each : controller_->Problems()) {
      lines.push_back(fmt::format("{} {}: {}", each.kind, each.name, each.message));
    }
    for (const mutation::MutatorStatus& each : mutators_.Statuses()) {
      for (const mutation::MutatorError& error : each.errors) {
        lines.push_back(
            fmt::format("{} {}: {}", mutation::NameOf(each.id.kind), each.id.name, error.message));
      }
    }
    for (const policy::ExpansionStatus& each : expansions_.Statuses()) {
      if (!each.error.empty()) {
        lines.push_back(fmt::format("ExpansionTemplate {}: {}", each.name, each.error));
      }
    }
    if (const std::string problem = rotation_ ? rotation_->problem() : ""; !problem.empty()) {
      lines.push_back("certificate rotation: " + problem);
    }
    if (writer_) {
      for (const controller::ObjectWriter::Problem& each : writer_->Problems()) {
        lines.push_back(fmt::format("cannot write {}: {}", each.path, each.message));
      }
    }
    const std::shared_ptr<const policy::PolicySet> current = policies_.current();
    for (const controller::ScanWarning& each : refused_) {
      if (current->FindTemplateByName(each.name) == nullptr) {
        lines.push_back(fmt::format("ConstraintTemplate {}: {}", each.name, each.message));
      }
    }
    for (const replicator::Source* source :
         std::initializer_list<const replicator::Source*>{objects_.get(), policy_folder_.get()}) {
      if (source == nullptr) {
        continue;
      }
      for (const Error& each : source->Problems()) {
        lines.push_back(each.ToString());
      }
      for (const replicator::KindStatus& each : source->Status()) {
        if (!each.last_error.empty()) {
          lines.push_back(fmt::format("{}: {}", each.type.ToString(), each.last_error));
        }
      }
    }
    return lines;
  }

  [[nodiscard]] bool nothing_to_read() const override {
    const controller::PolicyReadiness readiness = controller_->Readiness();
    return readiness.policies_complete && readiness.reads_inventory &&
           readiness.inventory_kinds.empty();
  }

  [[nodiscard]] std::vector<controller::ScanWarning> ScanWarnings() const override {
    return scan_watch_.Warnings();
  }

  void UpdateMetrics() override {
    const std::unique_ptr<index::InventoryView> view = inventory_->View();
    if (!was_ready_ && NotReady().empty()) {
      was_ready_ = true;
      refused_ = scan_watch_.Refuse(policies_, *view);
    }
    scan_watch_.Update(policies_.current(), *view);
    TellScans();
    metrics_
        .GetGauge(
            "portcullis_templates_without_data",
            "Templates whose annotation requires-sync-data names kinds that neither Config nor "
            "a SyncSet replicates")
        .Set(static_cast<double>(controller_->TemplatesWithoutData()));
    mutator_controller_->UpdateMetrics();
    if (expansion_controller_) {
      expansion_controller_->UpdateMetrics();
    }
    const std::vector<replicator::KindStatus> replicated = sync_set_->Status();
    stale_policies_.Set(stale_watch_.Update(policies_.current(), replicated));
    for (const replicator::KindStatus& each : replicated) {
      const Labels labels{
          {"group", each.type.group}, {"version", each.type.version}, {"kind", each.type.kind}};
      CountUp("portcullis_replication_lists_total", "Whole lists begun by this process", labels,
              each.lists);
      CountUp("portcullis_replication_changes_total", "Changes applied by this process", labels,
              each.changes);
      metrics_
          .GetGauge("portcullis_replication_synced",
                    "1 once a whole list is stored and changes follow it", labels)
          .Set(each.synced ? 1 : 0);
      if (each.last_contact != std::chrono::steady_clock::time_point{}) {
        metrics_
            .GetGauge("portcullis_replication_lag_seconds",
                      "How long ago the source was last heard of: what is stored is no older. A "
                      "quiet watch is heard of once a minute",
                      labels)
            .Set(std::chrono::duration<double>(clock_.Now() - each.last_contact).count());
      }
    }
    std::set<document::GroupVersionKind> watched;
    std::set<document::GroupVersionKind> intended;
    for (const replicator::KindStatus& each : objects_->Status()) {
      intended.insert(each.type);
      if (each.served && each.synced) {
        watched.insert(each.type);
      }
    }
    metrics_
        .GetGauge("gatekeeper_watch_manager_watched_gvk",
                  "The total number of Group/Version/Kinds currently watched by the watch manager")
        .Set(static_cast<double>(watched.size()));
    metrics_
        .GetGauge("gatekeeper_watch_manager_intended_watch_gvk",
                  "The total number of Group/Version/Kinds that the watch manager has instructions "
                  "to watch")
        .Set(static_cast<double>(intended.size()));
    if (Result<std::vector<index::KindStatistics>> kinds = inventory_->Kinds()) {
      std::map<std::string, std::uint64_t> synced;
      for (const index::KindStatistics& each : *kinds) {
        synced[each.type.kind] += each.objects;
      }
      for (const auto& [kind, objects] : synced) {
        metrics_
            .GetGauge("gatekeeper_sync", "Total number of resources of each kind being cached",
                      {{"kind", kind}, {"status", "active"}})
            .Set(static_cast<double>(objects));
      }
      for (const index::KindStatistics& each : *kinds) {
        const Labels labels{
            {"group", each.type.group}, {"version", each.type.version}, {"kind", each.type.kind}};
        metrics_.GetGauge("portcullis_inventory_objects", "Objects in the inventory", labels)
            .Set(static_cast<double>(each.objects));
        metrics_
            .GetGauge("portcullis_inventory_bytes", "Encoded bytes of these objects, uncompressed",
                      labels)
            .Set(static_cast<double>(each.encoded_bytes));
      }
    }
  }

 private:
  // The counter follows a count that is kept elsewhere and never goes back but when the kind is followed anew.
  void CountUp(const std::string& name, const std::string& help, const Labels& labels,
               std::uint64_t count) {
    std::uint64_t& seen = counted_[{name, labels}];
    if (count < seen) {
      seen = 0;
    }
    metrics_.GetCounter(name, help, labels).Increment(static_cast<double>(count - seen));
    seen = count;
  }

  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  controller::PolicyMetrics policy_metrics_;
  const controller::ScanLimits scan_limits_;
  controller::ScanWatch scan_watch_;
  controller::StaleWatch stale_watch_;
  webhook::StalePolicies stale_policies_;
  std::vector<controller::ScanWarning> refused_;                 // When all was there.
  std::map<std::string, controller::StatusError> scan_remarks_;  // As the statuses have them.
  bool was_ready_ = false;
  policy::PolicyStore policies_;
  mutation::MutationStore mutators_;
  policy::ExpansionStore expansions_;
  std::unique_ptr<index::Inventory> inventory_;
  std::unique_ptr<replicator::KubernetesClient> client_;
  std::unique_ptr<replicator::NamespaceCache> namespace_cache_;
  std::unique_ptr<replicator::Source> objects_;
  std::unique_ptr<replicator::FolderSource> policy_folder_;  // Null: policies come from objects_.
  // Null where there is no API server; the latter two also where policies come from a folder.
  std::unique_ptr<controller::ObjectWriter> writer_;
  std::unique_ptr<controller::ConstraintCrds> crds_;
  std::unique_ptr<controller::PodStatuses> statuses_;
  std::unique_ptr<CachedNamespaces> namespaces_;
  std::unique_ptr<replicator::SyncSet> sync_set_;
  std::unique_ptr<controller::PolicyController> controller_;
  std::unique_ptr<WebhookExclusions> excluder_;
  std::unique_ptr<ConfiguredTraces> traces_;
  std::unique_ptr<WebhookExclusions> mutation_excluder_;
  std::unique_ptr<controller::MutatorController> mutator_controller_;
  std::unique_ptr<controller::ExpansionController>
      expansion_controller_;  // Null: nothing is expanded.
  std::unique_ptr<controller::ExternalDataProviders> providers_;
  std::unique_ptr<CertificateRotation> rotation_;             // Null: it is somebody else's.
  std::unique_ptr<WrittenAdmissionEvents> admission_events_;  // Null: none are recorded.
  std::unique_ptr<audit::Listing> listing_;  // Null, as the next, where nothing is audited.
  std::unique_ptr<audit::Auditor> auditor_;
  // Of UpdateMetrics' thread.
  std::map<std::pair<std::string, Labels>, std::uint64_t> counted_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::Start(const RuntimeOptions& options, Clock& clock,
                                                std::shared_ptr<Logger> logger, Metrics& metrics) {
  auto parts = std::make_unique<RuntimeParts>(options, clock, std::move(logger), metrics);
  TRY(parts->Start(options));
  return parts;
}

}  // namespace portcullis::tools
