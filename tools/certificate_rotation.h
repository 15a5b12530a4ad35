// The webhook's certificate in a cluster, as Gatekeeper's rotator keeps it: an authority and a certificate signed by it in a Secret
// that all replicas share, the authority in the caBundle of the webhook configurations, both made anew before they expire.
// The pair is written into a folder, from which the server takes it (webhook/http_server.h).
// SOURCE: open-policy-agent/cert-controller, pkg/rotator.

#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "document/arena.h"
#include "document/value.h"
#include "replicator/kubernetes_client.h"
#include "webhook/certificate.h"

namespace portcullis::tools {

struct RotationOptions {
  std::filesystem::path directory;
  std::string name_space = "gatekeeper-system";
  std::string secret = "gatekeeper-webhook-server-cert";
  std::string service = "gatekeeper-webhook-service";
  std::vector<std::string> validating_configurations;
  std::vector<std::string> mutating_configurations;
  std::chrono::milliseconds interval{10'000};  // Between looks; a second after one that failed.
};

// What the Secret holds, and what it should. PEM.
struct KeptCertificates {
  webhook::CertificatePair authority;
  webhook::CertificatePair server;
  friend bool operator==(const KeptCertificates& a, const KeptCertificates& b) {
    return a.authority.certificate == b.authority.certificate &&
           a.authority.key == b.authority.key && a.server.certificate == b.server.certificate &&
           a.server.key == b.server.key;
  }
};
// Keeps what is good for `dns_name`. ERRORS: OpenSSL's.
[[nodiscard]] Result<KeptCertificates> Renew(const KeptCertificates& kept,
                                             const std::string& dns_name, Clock& clock);

// `webhooks` of a configuration, each with this caBundle (base64); undefined: they have it already.
[[nodiscard]] document::Value WithAuthority(const document::Value& configuration,
                                            std::string_view bundle, document::Arena& arena);

class CertificateRotation {
 public:
  // LIFETIME: client and clock outlive it.
  CertificateRotation(RotationOptions options, replicator::KubernetesClient& client, Clock& clock,
                      std::shared_ptr<Logger> logger);
  // Ends the thread, within the time of one request.
  ~CertificateRotation();
  CertificateRotation(const CertificateRotation&) = delete;
  CertificateRotation& operator=(const CertificateRotation&) = delete;

  // What the last look could not do; empty: nothing. THREADS: any.
  [[nodiscard]] std::string problem() const;

 private:
  void Loop();
  Result<void> Look();
  Result<KeptCertificates> SecretNow();
  Result<void> Inject(const std::string& path, const std::string& authority);

  const RotationOptions options_;
  replicator::KubernetesClient& client_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  KeptCertificates stored_;  // In the folder. Of the thread.

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_:
  bool stop_ = false;
  std::string problem_;
  std::thread thread_;
};

}  // namespace portcullis::tools
