// /v1/mutate without the HTTP: the bytes of an AdmissionReview in, Gatekeeper's reply out (gatekeeper.md 4.7).

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "mutation/external_data.h"
#include "mutation/mutation_system.h"
#include "webhook/admission.h"

namespace portcullis::webhook {

struct MutationOptions {
  std::chrono::milliseconds timeout{2500};
  std::size_t arena_limit_bytes = std::size_t{256} << 20;
  std::string gatekeeper_namespace = "gatekeeper-system";
  bool log_mutations = false;  // A line for each object that was changed.
  bool annotate = false;       // Mutated objects name their mutators.
};

// THREADS: Mutate may be called in parallel. LIFETIME: collaborators outlive it.
class MutationHandler {
 public:
  // `excluder` is that of the process `mutation-webhook`. `external_data` may be null: then no provider can be asked.
  MutationHandler(mutation::MutationStore& mutators, NamespaceFinder& namespaces,
                  const NamespaceExcluder& excluder, mutation::ExternalDataClient* external_data,
                  Clock& clock, std::shared_ptr<Logger> logger, Metrics& metrics,
                  MutationOptions options);
  ~MutationHandler();

  // Appends the reply; `code` gets its status.code. Never fails: what goes wrong is in the reply. On Stage::kLoop an object that
  // may need external data is not mutated: kNeedWorker. On Stage::kOverloaded it is refused with code 500.
  Handling Mutate(std::string_view content_type, std::string_view body,
                  const AdmissionContext& context, std::string* reply,
                  std::int32_t* code = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::webhook
