// Traces of reviews in the log, as Config's spec.validation.traces asks for them (gatekeeper.md 4.8).

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"

namespace portcullis::webhook {

// What a request is about, as it says itself.
struct TraceSubject {
  std::string_view user;
  std::string_view group;
  std::string_view version;
  std::string_view kind;
};

struct TraceWish {
  bool trace = false;
  bool dump = false;  // With it all that the engine holds.
};

// THREADS: any. Asked at every review: cheap where nothing is traced.
class TraceChooser {
 public:
  virtual ~TraceChooser() = default;
  [[nodiscard]] virtual TraceWish WishFor(const TraceSubject& subject) const = 0;
};

// A review that is traced. LIFETIME: the call that takes it.
struct TracedReview {
  const policy::PolicySet& policies;
  index::Inventory& inventory;
  index::InventoryView& view;
  Clock& clock;
  const Logger& logger;
  TraceWish wish;
  std::size_t arena_limit_bytes = 0;
};

// Reviews once more, in memory of its own, because what a trace takes must not change the answer, and logs the steps.
// COST: see policy::ReviewOptions::trace.
void LogTrace(const TracedReview& review, const policy::ReviewInput& input,
              policy::ReviewOptions options);

// The templates, the parameters of their constraints, and how many objects of each kind there are, as one JSON text. Gatekeeper
// has the objects themselves there.
[[nodiscard]] std::string DumpEngine(const policy::PolicySet& policies,
                                     index::Inventory& inventory);

}  // namespace portcullis::webhook
