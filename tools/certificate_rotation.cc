#include "tools/certificate_rotation.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "document/json.h"
#include "replicator/files.h"
#include "rules/builtins/codec.h"

namespace portcullis::tools {
namespace {

using document::Value;
using replicator::EscapeForUrl;
using replicator::KubernetesClient;

constexpr std::chrono::milliseconds kAfterError{1000};
constexpr const char* kAuthorityName = "gatekeeper-ca";

std::string Encode(std::string_view bytes) {
  return builtins::EncodeBase64(bytes, builtins::Base64::kStandard, builtins::Padding::kRequired);
}

// What cannot be read is as good as absent: it is made anew.
std::string Decoded(const Value& secret, std::string_view field) {
  return replicator::DecodeBase64(secret.Find("data").GetString({field})).value_or("");
}

KeptCertificates ReadSecret(const Value& secret) {
  KeptCertificates kept;
  kept.authority.certificate = Decoded(secret, "ca.crt");
  kept.authority.key = Decoded(secret, "ca.key");
  kept.server.certificate = Decoded(secret, "tls.crt");
  kept.server.key = Decoded(secret, "tls.key");
  return kept;
}

nlohmann::json SecretData(const KeptCertificates& kept) {
  return {{"ca.crt", Encode(kept.authority.certificate)},
          {"ca.key", Encode(kept.authority.key)},
          {"tls.crt", Encode(kept.server.certificate)},
          {"tls.key", Encode(kept.server.key)}};
}

}  // namespace

Result<KeptCertificates> Renew(const KeptCertificates& kept, const std::string& dns_name,
                               Clock& clock) {
  KeptCertificates good = kept;
  const bool same_authority = IsGood(kept.authority, kept.authority.certificate, "", clock);
  if (!same_authority) {
    good.authority = TRY(webhook::MakeAuthority(kAuthorityName, clock));
  }
  if (!same_authority || !IsGood(kept.server, kept.authority.certificate, dns_name, clock)) {
    webhook::CertificateNames names;
    names.common_name = dns_name;
    names.dns_names = {dns_name, "localhost"};
    good.server = TRY(webhook::MakeSigned(names, good.authority, clock));
  }
  return good;
}

Value WithAuthority(const Value& configuration, std::string_view bundle, document::Arena& arena) {
  const Value webhooks = configuration.Find("webhooks");
  if (!webhooks.is_array()) {
    return {};
  }
  bool differs = false;
  document::ArrayBuilder changed(arena);
  for (std::uint32_t i = 0; i < webhooks.size(); ++i) {
    const Value hook = webhooks.ItemAt(i);
    differs = differs || hook.GetString({"clientConfig", "caBundle"}) != bundle;
    document::ObjectBuilder config(arena);
    const Value old = hook.Find("clientConfig");
    for (std::uint32_t j = 0; old.is_object() && j < old.size(); ++j) {
      config.Add(old.KeyAt(j), old.ValueAt(j));
    }
    config.Add("caBundle", Value::String(bundle));
    document::ObjectBuilder with(arena);
    for (std::uint32_t j = 0; hook.is_object() && j < hook.size(); ++j) {
      with.Add(hook.KeyAt(j), hook.ValueAt(j));
    }
    with.Add("clientConfig", config.Finish());
    changed.Add(with.Finish());
  }
  return differs ? changed.Finish() : Value();
}

CertificateRotation::CertificateRotation(RotationOptions options, KubernetesClient& client,
                                         Clock& clock, std::shared_ptr<Logger> logger)
    : options_(std::move(options)),
      client_(client),
      clock_(clock),
      logger_(std::move(logger)),
      thread_([this] { Loop(); }) {}

CertificateRotation::~CertificateRotation() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::string CertificateRotation::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void CertificateRotation::Loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const Result<void> looked = Look();
    lock.lock();
    problem_ = looked ? "" : looked.error().message;
    wake_.wait_for(lock, looked ? options_.interval : kAfterError, [this] { return stop_; });
  }
}

Result<void> CertificateRotation::Look() {
  const KeptCertificates kept = TRY(SecretNow());
  if (!(kept == stored_)) {
    TRY(StoreCertificate(options_.directory, kept.server, kept.authority.certificate));
    logger_->Info("certificate taken from the Secret",
                  {{"secret", std::string_view(options_.secret)}});
    stored_ = kept;
  }
  const std::string group =
      replicator::GroupVersionPath("admissionregistration.k8s.io", "v1") + "/";
  for (const std::string& name : options_.validating_configurations) {
    TRY(Inject(group + "validatingwebhookconfigurations/" + EscapeForUrl(name),
               kept.authority.certificate));
  }
  for (const std::string& name : options_.mutating_configurations) {
    TRY(Inject(group + "mutatingwebhookconfigurations/" + EscapeForUrl(name),
               kept.authority.certificate));
  }
  return {};
}

// What the Secret holds once it is good. Of two replicas that write at once one has a conflict, and looks again.
Result<KeptCertificates> CertificateRotation::SecretNow() {
  const std::string secrets = replicator::GroupVersionPath("", "v1") + "/namespaces/" +
                              EscapeForUrl(options_.name_space) + "/secrets";
  const std::string path = secrets + "/" + EscapeForUrl(options_.secret);
  const Result<std::string> reply = client_.Call(KubernetesClient::Get(path));
  const bool is_absent = !reply && reply.error().code == ErrorCode::kNotFound;
  if (!reply && !is_absent) {
    return std::unexpected(reply.error());
  }
  document::Arena arena;
  Value secret;
  if (reply) {
    secret = TRY(document::ParseJson(*reply, arena));
  }
  const KeptCertificates kept = ReadSecret(secret);
  const std::string dns_name = options_.service + "." + options_.name_space + ".svc";
  KeptCertificates good = TRY(Renew(kept, dns_name, clock_));
  if (good == kept) {
    return good;
  }
  nlohmann::json object = {{"data", SecretData(good)}};
  if (is_absent) {
    object["apiVersion"] = "v1";
    object["kind"] = "Secret";
    object["metadata"] = {{"name", options_.secret}, {"labels", {{"gatekeeper.sh/system", "yes"}}}};
    TRY(client_.Call(KubernetesClient::Create(secrets, object.dump())));
  } else {
    object["metadata"]["resourceVersion"] = secret.GetString({"metadata", "resourceVersion"});
    TRY(client_.Call(KubernetesClient::MergePatch(path, object.dump())));
  }
  logger_->Info(good.authority.certificate == kept.authority.certificate
                    ? "server certificate made anew"
                    : "authority and server certificate made anew",
                {{"secret", std::string_view(options_.secret)}});
  return good;
}

Result<void> CertificateRotation::Inject(const std::string& path, const std::string& authority) {
  const Result<std::string> reply = client_.Call(KubernetesClient::Get(path));
  if (!reply && reply.error().code == ErrorCode::kNotFound) {
    return {};  // It may come.
  }
  if (!reply) {
    return std::unexpected(reply.error());
  }
  document::Arena arena;
  const Value configuration = TRY(document::ParseJson(*reply, arena));
  const std::string bundle = Encode(authority);
  const Value webhooks = WithAuthority(configuration, bundle, arena);
  if (webhooks.is_undefined()) {
    return {};
  }
  document::ObjectBuilder metadata(arena);
  metadata.Add("resourceVersion",
               Value::String(configuration.GetString({"metadata", "resourceVersion"})));
  document::ObjectBuilder patch(arena);
  patch.Add("metadata", metadata.Finish());
  patch.Add("webhooks", webhooks);
  TRY(client_.Call(KubernetesClient::MergePatch(path, document::ToJson(patch.Finish()))));
  logger_->Info("caBundle written", {{"path", std::string_view(path)}});
  return {};
}

}  // namespace portcullis::tools
