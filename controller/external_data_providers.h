// The Providers of external data (gatekeeper.md 1.7) that a source has, and the requests to them: HTTPS with the provider's own
// authorities, all keys in one request.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "controller/object_sink.h"
#include "document/object.h"
#include "mutation/external_data.h"
#include "mutation/provider.h"
#include "replicator/source.h"

namespace portcullis::controller {

// THREADS: any.
class ExternalDataProviders final : public mutation::ExternalDataClient {
 public:
  ExternalDataProviders(Clock& clock, const std::shared_ptr<Logger>& logger);
  ~ExternalDataProviders() override;

  // Begins to follow the Providers of `source`, which outlives this.
  void Follow(replicator::Source& source);
  // ERRORS: kInvalidArgument with Gatekeeper's text; one of that name that was good before stays.
  Result<void> Put(const document::Value& object);
  void Remove(const std::string& name);

  // COST: waits for the answer, for the provider's timeout at most. ERRORS: kNotFound; kUnavailable.
  Result<mutation::ExternalDataAnswer> Ask(const std::string& provider,
                                           const std::set<std::string>& keys,
                                           document::Arena& arena) override;

 private:
  struct Followed {
    document::GroupVersionKind type;
    std::unique_ptr<ObjectSink> sink;
  };

  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  replicator::Source* source_ = nullptr;
  std::vector<Followed> followed_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const mutation::Provider>>
      providers_;  // Guarded by mutex_.
};

}  // namespace portcullis::controller
