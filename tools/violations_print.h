// How `portcullis violations` shows what the audit keeps.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "audit/verdict_store.h"

namespace portcullis::tools {

// One violation, whole.
struct ListedViolation {
  std::string constraint_kind;
  std::string constraint_name;
  std::string group_version;
  std::string kind;
  std::string name_space;
  std::string name;
  std::string enforcement_action;
  std::vector<std::string> actions;  // Of a scoped constraint.
  std::string message;
  std::string details;  // JSON; empty: none.
  friend auto operator<=>(const ListedViolation&, const ListedViolation&) = default;
};

[[nodiscard]] std::vector<ListedViolation> ToListed(const audit::KeptFindings& findings);

// A line of the table, and the line above all.
[[nodiscard]] std::string TableHead();
[[nodiscard]] std::string TableLine(const ListedViolation& violation);
[[nodiscard]] nlohmann::ordered_json ToJson(const ListedViolation& violation);

// wgpolicyk8s.io/v1alpha2: a PolicyReport a namespace and a ClusterPolicyReport, at most 1,000 results each.
class PolicyReports {
 public:
  void Add(const ListedViolation& violation);
  [[nodiscard]] std::vector<nlohmann::ordered_json> Reports() const;

 private:
  std::map<std::string, std::vector<nlohmann::ordered_json>> results_;  // By namespace.
};

}  // namespace portcullis::tools
