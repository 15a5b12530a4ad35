// Which namespaces the Config object keeps from which process (gatekeeper.md 1.4).

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "replicator/inventory_sink.h"
#include "rules/policy/wildcard.h"

namespace portcullis::controller {

// Immutable. THREADS: any.
class Exclusions {
 public:
  // Nothing is excluded.
  Exclusions() = default;
  // From a Config's spec.match. What has not the form of an entry is passed over: the API server's schema refuses it.
  explicit Exclusions(const document::Value& match);

  // A Namespace object is excluded by its own name, all else by its namespace; objects of the cluster have namespace "", which
  // only "*" excludes. `process` is one of audit, sync, webhook, mutation-webhook.
  [[nodiscard]] bool IsExcluded(std::string_view process, std::string_view group,
                                std::string_view kind, std::string_view name_space,
                                std::string_view name) const;
  // The patterns of a process, a line each, sorted: equal for exclusions that exclude the same.
  [[nodiscard]] std::string PatternsOf(std::string_view process) const;

 private:
  friend class SyncFilter;
  struct Entry {
    std::vector<std::string> processes;
    std::vector<std::string> patterns;
    std::vector<policy::Wildcard> wildcards;
    [[nodiscard]] bool Concerns(std::string_view process) const;
  };
  std::vector<Entry> entries_;
};

// What the process `sync` leaves out, for the inventory; null if that is nothing.
[[nodiscard]] std::shared_ptr<const replicator::ObjectFilter> MakeSyncFilter(
    std::shared_ptr<const Exclusions> exclusions);

}  // namespace portcullis::controller
