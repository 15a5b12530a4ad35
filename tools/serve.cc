// portcullis serve: the webhook, from a replica that follows a cluster or a folder.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/admin_server.h"
#include "tools/audit_flags.h"
#include "tools/command.h"
#include "tools/explain_text.h"
#include "tools/gatekeeper_flags.h"
#include "tools/inventory_access.h"
#include "tools/policy_folder.h"
#include "tools/runtime.h"
#include "tools/scan_options.h"
#include "webhook/admission.h"
#include "webhook/certificate.h"
#include "webhook/http_server.h"
#include "webhook/mutation.h"
#include "webhook/service.h"

namespace portcullis::tools {
namespace {

struct ServeOptions {
  RuntimeOptions runtime;
  GatekeeperFlags gatekeeper;
  bool lenient_templates = false;
  std::string data;
  std::string listen = "127.0.0.1:8443";
  std::string metrics_address;
  std::string certificates;
  std::string client_authorities;
  std::string client_name = "kube-apiserver";
  std::string tls_minimum = "1.3";
  std::string log_level = "INFO";
  std::string log_file;
  std::size_t block_cache_mib = 128;
  std::size_t memtable_mib = 64;
  std::size_t threads = 0;
  std::size_t evaluation_timeout_ms = 2500;
  std::size_t evaluation_memory_mib = 256;
  std::size_t shutdown_delay_s = 10;
  std::string stale_inventory = "error";
  bool log_mutations = false;
  bool mutation_annotations = false;
  AuditFlags audit;
};

// "127.0.0.1:8443", "[::1]:8443", ":8443"
Result<webhook::HttpServerOptions> ParseAddress(const std::string& text) {
  webhook::HttpServerOptions options;
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }) ||
      std::stoul(port) > 65535) {
    return Fail(ErrorCode::kInvalidArgument,
                text + " is no address: write ADDRESS:PORT, e.g. 127.0.0.1:8443");
  }
  options.port = static_cast<std::uint16_t>(std::stoul(port));
  options.address = text.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']')) {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  return options;
}

std::string ShowAddress(const webhook::HttpServerOptions& options, std::uint16_t port) {
  const bool v6 = options.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "",
                     options.address.empty() ? "0.0.0.0" : options.address, v6 ? "]" : "", port);
}

LogLevel ParseLogLevel(const std::string& text) {
  return text == "DEBUG"     ? LogLevel::kDebug
         : text == "WARNING" ? LogLevel::kWarning
         : text == "ERROR"   ? LogLevel::kError
                             : LogLevel::kInfo;
}

// Blocks the signals that end the program, for every thread made after it, until Wait takes one.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    // A peer that goes away is an error of a write, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
  }
  // The signal, or 0 after `timeout`.
  int Wait(std::chrono::milliseconds timeout) {
    const timespec limit{.tv_sec = timeout.count() / 1000,
                         .tv_nsec = (timeout.count() % 1000) * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &limit);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_;
};

// Logs each problem once, when it comes, and when all is well again.
class ProblemLog {
 public:
  explicit ProblemLog(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}
  void Update(std::vector<std::string> problems) {
    for (const std::string& each : problems) {
      if (std::ranges::find(seen_, each) == seen_.end()) {
        logger_->Warning(each);
      }
    }
    if (problems.empty() && !seen_.empty()) {
      logger_->Info("no problems any more");
    }
    seen_ = std::move(problems);
  }

 private:
  std::shared_ptr<Logger> logger_;
  std::vector<std::string> seen_;
};

// Whether the certificate is kept in the cluster: where nobody gives another, for the process that the API server calls.
bool Rotates(const ServeOptions& options) {
  return options.certificates.empty() && options.gatekeeper.rotate_certificates &&
         options.runtime.source.empty() &&
         (options.gatekeeper.Has(Role::kWebhook) || options.gatekeeper.Has(Role::kMutationWebhook));
}

RotationOptions MakeRotation(const ServeOptions& options) {
  RotationOptions rotation;
  rotation.directory = std::filesystem::path(options.data) / "certificates";
  rotation.name_space = options.runtime.gatekeeper_namespace;
  rotation.service = options.gatekeeper.certificate_service;
  rotation.validating_configurations = options.gatekeeper.ValidatingConfigurations();
  rotation.mutating_configurations = options.gatekeeper.MutatingConfigurations();
  return rotation;
}

Result<webhook::TlsOptions> MakeTls(const ServeOptions& options, Clock& clock,
                                    const Logger& logger) {
  webhook::TlsOptions tls;
  tls.minimum =
      options.tls_minimum == "1.2" ? webhook::TlsVersion::kTls12 : webhook::TlsVersion::kTls13;
  tls.client_name = options.client_name;
  if (options.certificates.empty()) {
    webhook::CertificateNames names;
    names.dns_names.push_back(options.gatekeeper.certificate_service + "." +
                              options.runtime.gatekeeper_namespace + ".svc");
    if (options.runtime.rotation) {
      // Until the cluster's comes, that of the last run, or one of our making.
      tls.directory = options.runtime.rotation->directory;
      TRY(webhook::EnsureCertificate(tls.directory, names, clock));
      return tls;
    }
    tls.pair = TRY(webhook::MakeSelfSigned(names, clock));
    logger.Info("no --cert-dir: serving with a certificate of our own making");
  } else {
    tls.directory = options.certificates;
  }
  if (!options.client_authorities.empty()) {
    tls.client_authorities =
        std::filesystem::path(options.certificates) / options.client_authorities;
  }
  return tls;
}

// Where metrics and probes are answered in plain HTTP, each address once.
std::vector<std::string> PlainAddresses(const ServeOptions& options) {
  std::vector<std::string> addresses;
  const auto add = [&addresses](const std::string& address) {
    // Gatekeeper's "0" is none.
    if (!address.empty() && address != "0" &&
        std::ranges::find(addresses, address) == addresses.end()) {
      addresses.push_back(address);
    }
  };
  add(options.metrics_address);
  add(options.gatekeeper.health_address);
  if (options.gatekeeper.prometheus_port != 0) {
    add(":" + std::to_string(options.gatekeeper.prometheus_port));
  }
  return addresses;
}

Result<int> Serve(ServeOptions options) {
  StopSignals signals;
  SystemClock clock;
  Metrics metrics;
  const std::shared_ptr<Logger> logger =
      Logger::Create(ParseLogLevel(options.log_level), options.log_file);

  const GatekeeperFlags& gatekeeper = options.gatekeeper;
  webhook::HttpServerOptions listen = TRY(ParseAddress(options.listen));
  if (gatekeeper.port != 0) {
    listen.address = gatekeeper.host;
    listen.port = static_cast<std::uint16_t>(gatekeeper.port);
  }
  std::error_code error;
  std::filesystem::create_directories(options.data, error);
  if (error) {
    return Fail(ErrorCode::kUnavailable,
                "cannot make the data folder " + options.data + ": " + error.message());
  }
  if (Rotates(options)) {
    options.runtime.rotation = MakeRotation(options);
  }
  const webhook::TlsOptions tls = TRY(MakeTls(options, clock, *logger));
  options.runtime.inventory.store.path = StorePath(options.data);
  options.runtime.inventory.store.block_cache_bytes = options.block_cache_mib << 20;
  options.runtime.inventory.store.memtable_bytes = options.memtable_mib << 20;
  options.runtime.roles = gatekeeper.RoleNames();
  if (gatekeeper.Has(Role::kAudit)) {
    options.runtime.audit = options.audit.audit;
    options.runtime.audit_chunk_size = options.audit.chunk_size;
  }
  options.runtime.emit_admission_events = gatekeeper.emit_admission_events;
  options.runtime.admission_events_beside_objects = gatekeeper.admission_events_beside_objects;
  options.runtime.generates_crds = gatekeeper.Has(Role::kGenerate);
  options.runtime.folds_statuses = gatekeeper.Has(Role::kStatus);
  options.runtime.any_enforcement_action = gatekeeper.any_enforcement_action;
  options.runtime.referential_rules = gatekeeper.referential_rules;
  options.runtime.expands = gatekeeper.expands;
  // As Gatekeeper does, with what the webhook serves with.
  options.runtime.client_certificate = [tls]() -> Result<controller::ClientCertificate> {
    webhook::CertificatePair pair =
        tls.directory.empty() ? tls.pair : TRY(webhook::LoadCertificate(tls.directory));
    return controller::ClientCertificate{.certificate = std::move(pair.certificate),
                                         .key = std::move(pair.key)};
  };
  const std::unique_ptr<Runtime> runtime =
      TRY(Runtime::Start(options.runtime, clock, logger, metrics));

  webhook::AdmissionOptions admission;
  admission.evaluation_timeout = std::chrono::milliseconds(options.evaluation_timeout_ms);
  admission.arena_limit_bytes = options.evaluation_memory_mib << 20;
  admission.gatekeeper_namespace = options.runtime.gatekeeper_namespace;
  admission.check_enforcement_actions = !gatekeeper.any_enforcement_action;
  admission.compile_templates = !options.lenient_templates;
  admission.log_denies = gatekeeper.log_denies;
  admission.log_stats = gatekeeper.log_stats_admission;
  admission.stale = &runtime->stale_policies();
  admission.stale_action = options.stale_inventory == "warn" ? webhook::StaleAction::kWarn
                                                             : webhook::StaleAction::kError;
  admission.traces = &runtime->traces();
  admission.template_warnings = [&runtime](const document::Value& object) {
    return runtime->TemplateWarnings(object);
  };
  admission.generators = [&runtime] { return runtime->generators(); };
  admission.violations = runtime->violation_listener();
  webhook::AdmissionHandler handler(runtime->policies(), runtime->inventory(),
                                    runtime->namespaces(), runtime->excluder(), clock,
                                    logger->Named("webhook"), metrics, admission);
  webhook::MutationOptions mutation;
  mutation.timeout = admission.evaluation_timeout;
  mutation.arena_limit_bytes = admission.arena_limit_bytes;
  mutation.gatekeeper_namespace = admission.gatekeeper_namespace;
  mutation.log_mutations = options.log_mutations;
  mutation.annotate = options.mutation_annotations;
  webhook::MutationHandler mutator(runtime->mutators(), runtime->namespaces(),
                                   runtime->mutation_excluder(), &runtime->external_data(), clock,
                                   logger->Named("mutation"), metrics, mutation);
  std::atomic<bool> stopping = false;
  const auto readiness = [&runtime, &stopping]() -> std::vector<std::string> {
    return stopping ? std::vector<std::string>{"shutting down"} : runtime->NotReady();
  };
  webhook::ServiceRoutes routes;
  if (gatekeeper.Has(Role::kWebhook)) {
    routes.admission = &handler;
  }
  if (gatekeeper.Has(Role::kMutationWebhook)) {
    routes.mutation = &mutator;
  }
  if (gatekeeper.Has(Role::kWebhook) || gatekeeper.Has(Role::kMutationWebhook)) {
    routes.namespace_label = &gatekeeper.exempt;
  }
  webhook::Service service(routes, readiness, metrics);
  webhook::Service plain_service({}, readiness, metrics);

  const std::unique_ptr<AdminServer> admin = TRY(AdminServer::Start(
      {.socket = AdminSocketPath(options.data)}, runtime->inventory(),
      [&runtime](const std::string& name, bool json) {
        const std::unique_ptr<index::InventoryView> view = runtime->inventory().View();
        return Explain(*runtime->policies().current(),
                       {.name = name, .json = json, .inventory = view.get()});
      },
      logger->Named("admin")));

  std::vector<std::unique_ptr<webhook::HttpServer>> plain;
  for (const std::string& address : PlainAddresses(options)) {
    const webhook::HttpServerOptions where = TRY(ParseAddress(address));
    plain.push_back(TRY(webhook::HttpServer::Start("metrics", where, nullptr, plain_service, clock,
                                                   logger->Named("metrics"), metrics)));
  }
  const std::size_t threads = gatekeeper.max_serving_threads > 0
                                  ? static_cast<std::size_t>(gatekeeper.max_serving_threads)
                                  : options.threads;
  listen.threads = threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  listen.workers = listen.threads;
  const std::unique_ptr<webhook::HttpServer> server = TRY(webhook::HttpServer::Start(
      "webhook", listen, &tls, service, clock, logger->Named("webhook"), metrics));
  const std::string address = ShowAddress(listen, server->port());
  logger->Info("serving", {{"address", std::string_view(address)}});

  // The controller follows the constraints of the templates that it has; of the others only the files tell.
  if (const std::string& folder =
          options.runtime.policies.empty() ? options.runtime.source : options.runtime.policies;
      !folder.empty()) {
    for (const Error& each : TRY(FindOrphans(folder))) {
      logger->Warning(each.ToString());
    }
  }
  ProblemLog problems(logger);
  bool was_ready = false;
  bool warned = false;
  std::chrono::steady_clock::time_point measured;
  while (signals.Wait(std::chrono::milliseconds(200)) == 0) {
    if (clock.Now() - measured >= std::chrono::seconds(1)) {
      measured = clock.Now();
      runtime->UpdateMetrics();
    }
    problems.Update(runtime->Problems());
    const bool ready = runtime->NotReady().empty();
    if (ready != was_ready) {
      logger->Info(ready ? "ready" : "not ready");
      was_ready = ready;
    }
    if (ready && runtime->nothing_to_read() != warned) {
      warned = !warned;
      if (warned) {
        logger->Warning(
            "a policy reads data.inventory, but no Config or SyncSet names kinds to replicate");
      }
    }
  }
  // The cluster may still send reviews until it has seen that this endpoint goes: readiness says so at once, reviews are
  // answered until the delay is over or nobody is connected any more.
  logger->Info("shutting down");
  stopping = true;
  server->Drain(std::chrono::seconds(options.shutdown_delay_s));
  return kExitOk;
}

}  // namespace

void AddServe(CLI::App& program, int* exit_code) {
  auto* command = program.add_subcommand(
      "serve", "Follow a cluster or a folder of manifests and answer admission reviews over HTTPS");
  auto options = std::make_shared<ServeOptions>();
  RuntimeOptions& runtime = options->runtime;
  auto* kubeconfig = command->add_option("--kubeconfig", runtime.kubeconfig,
                                         "The cluster to follow, by kubeconfig");
  command
      ->add_option("--context", runtime.context, "The context in it; without this the current one")
      ->needs(kubeconfig);
  auto* in_cluster =
      command->add_flag("--in-cluster", runtime.in_cluster, "The cluster that this process runs in")
          ->excludes(kubeconfig);
  auto* source = command
                     ->add_option("--source", runtime.source,
                                  "A folder of manifests to follow instead of a cluster")
                     ->excludes(kubeconfig)
                     ->excludes(in_cluster)
                     ->check(CLI::ExistingDirectory);
  command
      ->add_option("--policies", runtime.policies,
                   "A folder with templates, constraints and Config; without it they come from "
                   "where the objects come from")
      ->check(CLI::ExistingDirectory);
  command
      ->add_option("--data", options->data,
                   "The folder for the replica and the admin socket; made if absent")
      ->required();
  command->add_option("--listen", options->listen, "ADDRESS:PORT of the webhook; port 0 takes any")
      ->capture_default_str();
  command->add_option("--metrics-addr", options->metrics_address,
                      "ADDRESS:PORT for /metrics, /healthz and /readyz in plain HTTP; the "
                      "webhook's port has them too");
  auto* certificates = command->add_option(
      "--cert-dir", options->certificates,
      "A folder with tls.crt and tls.key, read again when they change; without it the certificate "
      "is kept in a Secret of the cluster, or, where there is none, made on start");
  command
      ->add_option("--client-ca-name", options->client_authorities,
                   "A file in --cert-dir with the authorities of client certificates, which are "
                   "then required")
      ->needs(certificates);
  command
      ->add_option("--client-cn-name", options->client_name,
                   "The common name that clients must have")
      ->capture_default_str();
  command->add_option("--tls-min-version", options->tls_minimum, "1.3 or 1.2")
      ->check(CLI::IsMember({"1.3", "1.2"}))
      ->capture_default_str();
  command
      ->add_option("--gatekeeper-namespace", runtime.gatekeeper_namespace,
                   "Where the Config object lies")
      ->envname("POD_NAMESPACE")
      ->capture_default_str();
  command
      ->add_option("--pod-name", runtime.pod_name,
                   "The name under which statuses are written; without it the machine's")
      ->envname("POD_NAME");
  command->add_flag("--install-crds", runtime.install_crds,
                    "Make the CRDs of the policy kinds in the cluster, or bring them up to date");
  command->add_option("--disable-opa-builtin", runtime.disabled_builtins,
                      "A builtin function that templates may not call; may be repeated");
  command
      ->add_option("--block-cache-mib", options->block_cache_mib, "Memory for blocks of the store")
      ->capture_default_str();
  command
      ->add_option("--memtable-mib", options->memtable_mib,
                   "Memory for writes that are not in files yet")
      ->capture_default_str();
  command
      ->add_option("--background-threads", runtime.inventory.store.background_threads,
                   "Threads that tidy the store")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that answer reviews; 0: one a core")
      ->capture_default_str();
  command
      ->add_option("--evaluation-timeout-ms", options->evaluation_timeout_ms,
                   "Time for one review's evaluation")
      ->check(CLI::Range(1, 60000))
      ->capture_default_str();
  command
      ->add_option("--evaluation-memory-mib", options->evaluation_memory_mib,
                   "Memory for one review's evaluation")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddScanOptions(*command, &runtime.scan_limits);
  command
      ->add_option_function<std::int64_t>(
          "--max-inventory-lag",
          [&runtime](std::int64_t seconds) {
            runtime.max_inventory_lag = std::chrono::seconds(seconds);
          },
          "Seconds after which data that the cluster was not heard of any more is too old for a "
          "policy to judge by; a quiet cluster is heard of once a minute, 300 is a good value; 0: "
          "never")
      ->check(CLI::Range(0, 1000000000))
      ->default_str("0");
  command
      ->add_option("--stale-inventory", options->stale_inventory,
                   "What becomes of a review to which such a policy applies: error (code 500, so "
                   "that the webhook's failurePolicy decides) or warn (allowed, with a warning)")
      ->check(CLI::IsMember({"error", "warn"}))
      ->capture_default_str();
  command
      ->add_option("--index-build-rate", runtime.inventory.build_objects_per_second,
                   "Objects a second that the build of an index reads; 0: as fast as it goes")
      ->capture_default_str();
  command
      ->add_option("--shutdown-delay", options->shutdown_delay_s,
                   "Seconds for reviews under way after SIGTERM")
      ->capture_default_str();
  command->add_flag("--log-mutations", options->log_mutations,
                    "Log each mutation: the object and the mutators of each pass");
  command->add_flag("--mutation-annotations", options->mutation_annotations,
                    "Write into mutated objects, as annotations, which mutators changed them");
  AddAuditFlags(*command, &options->audit);
  command->add_option("--log-level", options->log_level, "DEBUG, INFO, WARNING or ERROR")
      ->check(CLI::IsMember({"DEBUG", "INFO", "WARNING", "ERROR"}))
      ->capture_default_str();
  command->add_option("--log-file", options->log_file,
                      "A file for the log instead of standard error");
  command->add_flag("--lenient-templates", options->lenient_templates,
                    "Admit templates whose Rego does not compile, as Gatekeeper does: the error is "
                    "in their status");
  AddGatekeeperFlags(*command, &options->gatekeeper);
  command->footer(
      "Examples:\n"
      "  portcullis serve --source ./manifests --policies ./policies --data ./data --listen "
      "127.0.0.1:8443\n"
      "  portcullis serve --kubeconfig ~/.kube/config --data /var/lib/portcullis --listen "
      "0.0.0.0:8443 --cert-dir /certs\n"
      "  portcullis serve --in-cluster --data /var/lib/portcullis --listen :8443 --metrics-addr "
      ":8888");
  command->callback([=] {
    if (kubeconfig->count() + source->count() + in_cluster->count() == 0) {
      *exit_code =
          PrintError("say what to follow: --source DIR, --kubeconfig FILE or --in-cluster");
      return;
    }
    const Result<int> done = Serve(*options);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

}  // namespace portcullis::tools
