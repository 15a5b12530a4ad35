// All objects that there are, kind by kind: what the audit reviews beside the inventory.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/log.h"
#include "document/object.h"
#include "document/value.h"
#include "replicator/kubernetes_client.h"

namespace portcullis::audit {

// Whether objects of this kind are wanted.
using WantKind = std::function<bool(const document::GroupVersionKind& type)>;
// Takes an object with numbers as float64. LIFETIME: of the object, the call. False: no more.
using TakeObject = std::function<Result<bool>(const document::Value& object)>;

// THREADS: one.
class Listing {
 public:
  virtual ~Listing() = default;
  // ERRORS: what `take` returns; kUnavailable: nothing can be listed. A single kind or file that cannot is logged and passed over.
  // COST: memory for a page.
  virtual Result<void> Visit(const WantKind& want, const TakeObject& take) = 0;
};

// Every kind that can be listed, in the version that the API server prefers, in pages of `page_size` objects (0: all at once).
// LIFETIME: the client outlives it. REQUIRES: Visit is not called on the client's thread.
[[nodiscard]] std::unique_ptr<Listing> ListCluster(replicator::KubernetesClient& client,
                                                   std::size_t page_size,
                                                   std::shared_ptr<Logger> logger);

// Every manifest in a folder and below.
[[nodiscard]] std::unique_ptr<Listing> ListFolder(std::filesystem::path folder,
                                                  std::shared_ptr<Logger> logger);

}  // namespace portcullis::audit
