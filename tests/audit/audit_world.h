// An inventory with policies and Namespaces of its own, small enough to be audited whole after each change.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "audit/verdict_keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"

namespace portcullis::audit {

class AuditWorld {
 public:
  AuditWorld();
  ~AuditWorld();
  AuditWorld(const AuditWorld&) = delete;
  AuditWorld& operator=(const AuditWorld&) = delete;

  // Each must succeed. YAML or JSON.
  void PutTemplate(std::string_view manifest);
  void RemoveTemplate(std::string_view name);
  void PutConstraint(std::string_view manifest);
  void RemoveConstraint(std::string_view kind, std::string_view name);
  // "[{processes: [audit], excludedNamespaces: [a]}]"; "[]" is nothing.
  void SetExclusions(std::string_view match);
  void PutNamespace(const std::string& name, std::string_view manifest);
  void RemoveNamespace(const std::string& name);
  void PutObject(std::string_view manifest);
  void DeleteObject(std::string_view manifest);
  void Wipe(std::string_view api_version, std::string_view kind);

  // Hands the policies to the keeper; indexes are built in the background, as in a running program.
  void TellPolicies();
  // At most so many steps of the keeper. True: nothing is left to do.
  bool Step(int most);
  void Settle();
  // The process ends and begins anew.
  void Restart();
  // The inventory is opened as by a program that does not audit, for a moment.
  void RestartWithoutAudit();
  // An object that is not in the inventory, for the audit of this name.
  void ReviewOutside(std::string_view manifest, const std::string& audit);

  // What is kept, and what every object is evaluated to by scans alone: a line each.
  [[nodiscard]] std::string Kept();
  [[nodiscard]] std::string FullPass();

  [[nodiscard]] VerdictKeeper& keeper() { return *keeper_; }
  [[nodiscard]] index::Inventory& inventory() { return *inventory_; }
  [[nodiscard]] Metrics& metrics() { return *metrics_; }
  [[nodiscard]] const policy::PolicySet& policies() const { return *shared_; }

  mutation::Generators generators;  // Counts from the next TellPolicies().

 private:
  void Open(bool record_changes);
  Result<document::Value> FindNamespace(std::string_view name, document::Arena& arena);

  std::filesystem::path path_;
  SystemClock clock_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<policy::PolicyStore> policy_store_;
  std::shared_ptr<const policy::PolicySet> shared_;
  std::shared_ptr<const controller::Exclusions> exclusions_;
  std::map<std::string, std::string, std::less<>> namespaces_;
  std::unique_ptr<index::Inventory> inventory_;
  std::unique_ptr<VerdictKeeper> keeper_;
};

}  // namespace portcullis::audit
