#include "tools/gatekeeper_flags.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

namespace portcullis::tools {
namespace {

constexpr const char* kGroup = "As Gatekeeper's manager has them";
constexpr const char* kFixedGroup =
    "Taken with the value that changes nothing, for Gatekeeper's command lines";

struct RoleName {
  Role role;
  const char* name;
};
constexpr std::array kRoles = {
    RoleName{Role::kAudit, "audit"},
    RoleName{Role::kGenerate, "generate"},
    RoleName{Role::kMutationController, "mutation-controller"},
    RoleName{Role::kMutationStatus, "mutation-status"},
    RoleName{Role::kMutationWebhook, "mutation-webhook"},
    RoleName{Role::kStatus, "status"},
    RoleName{Role::kWebhook, "webhook"},
};

// A flag that is taken for the sake of existing command lines: with `values` it is what Portcullis does anyhow, all else is
// refused with `reason`.
struct FixedFlag {
  const char* name;
  std::vector<std::string> values;
  const char* reason;
};

const std::vector<FixedFlag>& FixedFlags() {
  static const std::vector<FixedFlag> flags = {
      {"enable-tls-healthcheck",
       {"false"},
       "probe the webhook's own port over HTTPS: it answers /healthz and /readyz"},
      {"api-cache-dir", {"/tmp/audit"}, "an audit keeps nothing in files"},
      {"enable-violation-export", {"false"}, "use `portcullis violations` instead"},
      {"enable-admission-violation-export", {"false"}, "use --log-denies instead"},
      {"audit-connection", {"audit-connection"}, "violations are not exported"},
      {"audit-channel", {"audit-channel"}, "violations are not exported"},
      {"enable-k8s-native-validation",
       {"true", "false"},
       "CEL is not run: a template that has Rego too runs its Rego"},
      {"default-k8s-native-validation-failure-policy", {"Fail", "Ignore"}, "CEL is not run"},
      {"default-create-vap-for-templates",
       {"true", "false"},
       "no ValidatingAdmissionPolicy is made"},
      {"default-create-vap-binding-for-constraints",
       {"true", "false"},
       "no ValidatingAdmissionPolicyBinding is made"},
      {"sync-vap-enforcement-scope", {"true", "false"}, "no ValidatingAdmissionPolicy is made"},
      {"default-wait-for-vapb-generation", {"30"}, "no ValidatingAdmissionPolicyBinding is made"},
      {"enable-external-data",
       {"true"},
       "Providers are asked only for mutators that name them: remove those"},
      {"external-data-provider-response-cache-ttl",
       {"3m0s", "3m", "180s", "0", "0s"},
       "answers of providers are not kept: mutators ask each time, as in Gatekeeper"},
      {"enable-mutation", {"true", "false"}, "it has no effect in Gatekeeper either"},
      {"readiness-retries", {"0"}, "a policy object that is refused is never waited for"},
      {"metrics-backend", {"prometheus"}, "metrics are served to Prometheus"},
      {"otlp-endpoint", {""}, "metrics are served to Prometheus"},
      {"otlp-metric-interval", {"10s"}, "metrics are served to Prometheus"},
      {"stackdriver-only-when-available", {"false"}, "metrics are served to Prometheus"},
      {"stackdriver-metric-interval", {"10s"}, "metrics are served to Prometheus"},
      {"log-level-key", {"level"}, "the key is always \"level\""},
      {"log-level-encoder", {"lower"}, "levels are always in lower case"},
      {"enable-pprof", {"false"}, "use perf: the program has frame information"},
      {"pprof-port", {"6060"}, "use perf: the program has frame information"},
      {"debug-use-fake-pod",
       {"true", "false"},
       "a pod that is not found is done without, as Gatekeeper does with this flag"},
      {"enable-remote-cluster", {"false"}, "use --kubeconfig"},
      {"logtostderr", {"true", "false"}, "the log goes to standard error or to --log-file"},
      {"alsologtostderr", {"false"}, "the log goes to standard error or to --log-file"},
      {"v", {"0"}, "use --log-level"},
      {"vmodule", {""}, "use --log-level"},
      {"stderrthreshold", {"2"}, "use --log-level"},
      {"log_dir", {""}, "use --log-file"},
      {"log_link", {""}, "use --log-file"},
      {"log_backtrace_at", {":0"}, "use --log-level DEBUG"},
      {"logbuflevel", {"0"}, "the log is not buffered"},
  };
  return flags;
}

// Of CLI11: "" accepts, all else is the complaint.
std::string CheckFixed(const FixedFlag& flag, const std::string& value) {
  if (std::ranges::find(flag.values, value) != flag.values.end()) {
    return {};
  }
  std::string text = value + " is refused: " + flag.reason;
  for (const std::string& each : flag.values) {
    text += (&each == &flag.values.front() ? "; accepted: " : ", ") + ("\"" + each + "\"");
  }
  return text;
}

void AddFixed(CLI::App& command, const FixedFlag& flag) {
  const bool is_letter = std::string_view(flag.name).size() == 1;
  const std::string name = (is_letter ? "-" + std::string(flag.name) + ",--" : "--") + flag.name;
  const bool is_switch = flag.values.front() == "true" || flag.values.front() == "false";
  const auto check = CLI::Validator([&flag](std::string& value) { return CheckFixed(flag, value); },
                                    "", flag.name);
  CLI::Option* option =
      is_switch ? command.add_flag_function(name, [](std::int64_t) {})
                : command.add_option_function<std::string>(name, [](const std::string&) {});
  option->group(kFixedGroup)->check(check)->description(flag.reason);
}

void AddConfigurations(CLI::App& command, const std::string& which, std::string* name,
                       std::string* additional) {
  command
      .add_option("--" + which + "-webhook-configuration-name", *name,
                  "The " + which + " webhook configuration whose caBundle is written")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--additional-" + which + "-webhook-configs-to-rotate-certs", *additional,
                  "More of them, with commas between")
      ->group(kGroup);
}

std::vector<std::string> ConfigurationNames(const std::string& name, std::string_view additional) {
  std::vector<std::string> names{name};
  for (std::size_t at = 0; at < additional.size();) {
    const std::size_t comma = std::min(additional.find(',', at), additional.size());
    std::string one(additional.substr(at, comma - at));
    if (!one.empty() && std::ranges::find(names, one) == names.end()) {
      names.push_back(std::move(one));
    }
    at = comma + 1;
  }
  return names;
}

// Takes what one --operation says.
std::string TakeRoles(const std::string& text, bool* first, std::set<Role>* roles) {
  if (std::exchange(*first, false)) {
    roles->clear();
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string name = text.substr(at, comma - at);
    const auto* const found =
        std::ranges::find_if(kRoles, [&name](const RoleName& each) { return each.name == name; });
    if (found == kRoles.end()) {
      std::string known;
      for (const RoleName& each : kRoles) {
        known += (known.empty() ? "map[" : " ") + std::string(each.name) + ":true";
      }
      return "operation " + name + " is not a valid operation: " + known + "]";
    }
    roles->insert(found->role);
    at = comma + 1;
  }
  return {};
}

}  // namespace

std::vector<std::string> GatekeeperFlags::RoleNames() const {
  std::vector<std::string> names;
  for (const RoleName& each : kRoles) {
    if (Has(each.role)) {
      names.emplace_back(each.name);
    }
  }
  return names;
}

std::vector<std::string> GatekeeperFlags::ValidatingConfigurations() const {
  return Has(Role::kWebhook)
             ? ConfigurationNames(validating_configuration, additional_validating_configurations)
             : std::vector<std::string>();
}

std::vector<std::string> GatekeeperFlags::MutatingConfigurations() const {
  return Has(Role::kMutationWebhook)
             ? ConfigurationNames(mutating_configuration, additional_mutating_configurations)
             : std::vector<std::string>();
}

void AddGatekeeperFlags(CLI::App& command, GatekeeperFlags* flags) {
  for (const RoleName& each : kRoles) {
    flags->roles.insert(each.role);
  }
  auto first = std::make_shared<bool>(true);
  command
      .add_option_function<std::vector<std::string>>(
          "--operation",
          [flags, first](const std::vector<std::string>& all) {
            for (const std::string& each : all) {
              if (const std::string complaint = TakeRoles(each, first.get(), &flags->roles);
                  !complaint.empty()) {
                throw CLI::ValidationError("--operation", complaint);
              }
            }
          },
          "What this process does: audit, generate (CRDs of constraints), mutation-controller, "
          "mutation-status, mutation-webhook, status, webhook; may be repeated; without it all")
      ->group(kGroup);
  command.add_option("--host", flags->host, "The webhook's address, with --port")->group(kGroup);
  command.add_option("--port", flags->port, "The webhook's port, in place of --listen")
      ->check(CLI::Range(1, 65535))
      ->group(kGroup);
  command
      .add_option("--max-serving-threads", flags->max_serving_threads,
                  "Reviews that are evaluated at a time, as --threads; -1: one a core")
      ->group(kGroup);
  command
      .add_option("--health-addr", flags->health_address,
                  "ADDRESS:PORT for /healthz and /readyz in plain HTTP")
      ->group(kGroup);
  command
      .add_option("--prometheus-port", flags->prometheus_port,
                  "A port for /metrics in plain HTTP, on all addresses")
      ->check(CLI::Range(1, 65535))
      ->group(kGroup);
  command
      .add_option("--cert-service-name", flags->certificate_service,
                  "The service whose name a certificate made here has")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_flag(
          "--disable-cert-rotation{false}", flags->rotate_certificates,
          "Keep no certificate in the Secret gatekeeper-webhook-server-cert and no caBundle in "
          "webhook configurations; without it that is done where there is no --cert-dir")
      ->default_str("false")
      ->group(kGroup);
  AddConfigurations(command, "validating", &flags->validating_configuration,
                    &flags->additional_validating_configurations);
  AddConfigurations(command, "mutating", &flags->mutating_configuration,
                    &flags->additional_mutating_configurations);
  command
      .add_option("--exempt-namespace", flags->exempt.names,
                  "A namespace that may set the label admission.gatekeeper.sh/ignore; may be "
                  "repeated")
      ->group(kGroup);
  command
      .add_option("--exempt-namespace-prefix", flags->exempt.prefixes,
                  "The same for namespaces whose name begins so")
      ->group(kGroup);
  command
      .add_option("--exempt-namespace-suffix", flags->exempt.suffixes,
                  "The same for namespaces whose name ends so")
      ->group(kGroup);
  command
      .add_flag("--disable-enforcementaction-validation", flags->any_enforcement_action,
                "Take constraints whose enforcementAction is none that is known")
      ->group(kGroup);
  command.add_flag("--log-denies", flags->log_denies, "Log each violation of a review")
      ->group(kGroup);
  command
      .add_flag("--log-stats-admission", flags->log_stats_admission,
                "Log what each review took, template by template")
      ->group(kGroup);
  command
      .add_flag("--emit-admission-events", flags->emit_admission_events,
                "Record an Event for each violation of a review")
      ->group(kGroup);
  command
      .add_flag("--admission-events-involved-namespace", flags->admission_events_beside_objects,
                "These Events lie beside their objects, not in Gatekeeper's namespace")
      ->group(kGroup);
  command
      .add_flag("--enable-referential-rules", flags->referential_rules,
                "Whether templates may refer to data.inventory; true if absent")
      ->group(kGroup);
  command
      .add_flag("--enable-generator-resource-expansion", flags->expands,
                "Review what ExpansionTemplates make of objects too; true if absent")
      ->group(kGroup);
  for (const FixedFlag& flag : FixedFlags()) {
    AddFixed(command, flag);
  }
}

}  // namespace portcullis::tools
