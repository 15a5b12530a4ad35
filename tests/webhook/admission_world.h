// Everything that a review needs, small: an inventory in a temporary folder, policies, and Namespaces from manifests.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "document/arena.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "webhook/admission.h"

namespace portcullis::webhook {

// Knows the Namespaces that it was given; may be told to fail.
class KnownNamespaces final : public NamespaceFinder {
 public:
  Result<document::Value> Find(std::string_view name, document::Arena& arena) override;
  std::map<std::string, document::Value, std::less<>> objects;
  std::optional<Error> failure;
};

// Excludes namespaces by a prefix; Namespace objects by their own name.
class PrefixExcluded final : public NamespaceExcluder {
 public:
  [[nodiscard]] bool IsExcluded(std::string_view group, std::string_view kind,
                                std::string_view name_space, std::string_view name) const override;
  std::string prefix = "ignored-";
};

class AdmissionWorld {
 public:
  AdmissionWorld();
  ~AdmissionWorld();

  // Puts what manifests hold where it belongs: policies, Namespaces, and Ingresses into the inventory.
  void Load(std::string_view manifests);
  void LoadFile(const std::filesystem::path& path);
  // Asks for the indexes that the policies want and waits for them.
  void BuildIndexes();
  std::unique_ptr<AdmissionHandler> MakeHandler(const AdmissionOptions& options = {},
                                                Clock* clock = nullptr);

  SystemClock clock;
  Metrics metrics;
  KnownNamespaces namespaces;
  PrefixExcluded excluder;
  policy::PolicyStore policies;
  std::unique_ptr<index::Inventory> inventory;

 private:
  std::filesystem::path directory_;
  document::Arena arena_;
};

// The folder tests/cases/admission.
[[nodiscard]] std::filesystem::path AdmissionCases();

}  // namespace portcullis::webhook
