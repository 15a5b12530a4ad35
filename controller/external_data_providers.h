// The Providers of external data (gatekeeper.md 1.7) that a source has, and the requests to them: HTTPS with the provider's own
// authorities, all keys in one request.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/pod_statuses.h"
#include "controller/policy_follower.h"
#include "document/value.h"
#include "mutation/external_data.h"
#include "mutation/provider.h"
#include "replicator/source.h"

namespace portcullis::controller {

// What is shown to providers that ask who calls, both PEM.
struct ClientCertificate {
  std::string certificate;
  std::string key;
};

// THREADS: any.
class ExternalDataProviders final : public mutation::ExternalDataClient {
 public:
  // `certificate` is asked for each request, since it may change; null: none is shown. THREADS of it: any.
  ExternalDataProviders(Clock& clock, const std::shared_ptr<Logger>& logger, Metrics& metrics,
                        std::function<Result<ClientCertificate>()> certificate);

  // Begins to follow the Providers of `source`, which outlives this, as `statuses` does: null where there is no API server to
  // have them.
  void Follow(replicator::Source& source, PodStatuses* statuses);
  // ERRORS: kInvalidArgument with Gatekeeper's text; one of that name that was good before stays.
  Result<void> Put(const document::Value& object);
  void Remove(const std::string& name);

  // COST: waits for the answer, for the provider's timeout at most. ERRORS: kNotFound; kUnavailable.
  Result<mutation::ExternalDataAnswer> Ask(const std::string& provider,
                                           const std::set<std::string>& keys,
                                           document::Arena& arena) override;

 private:
  // What was found of a Provider last.
  struct Found {
    std::string error;
    std::string changed_at;
  };
  void Meet(const ObjectName& name, const document::Value& object);
  void Forget(const std::string& name);
  void CountProviders();

  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  const std::function<Result<ClientCertificate>()> certificate_;
  PodStatuses* statuses_ = nullptr;
  std::map<std::string, Found> found_;  // By name; of the source's thread.
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const mutation::Provider>>
      providers_;  // Guarded by mutex_.
  std::optional<PolicyFollower> follower_;
};

}  // namespace portcullis::controller
