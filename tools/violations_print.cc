#include "tools/violations_print.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace portcullis::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostResults = 1000;

std::string OneLine(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

// A violation that would be refused fails; all others are for attention.
std::string_view ResultOf(const ordered_json& result) {
  return result.at("result").get_ref<const std::string&>();
}

bool Denies(const ListedViolation& violation) {
  return violation.enforcement_action == "deny" ||
         std::ranges::find(violation.actions, "deny") != violation.actions.end();
}

}  // namespace

std::vector<ListedViolation> ToListed(const audit::KeptFindings& findings) {
  ListedViolation common{.constraint_kind = std::string(findings.constraint_kind),
                         .constraint_name = std::string(findings.constraint_name),
                         .group_version = std::string(findings.object.group_version),
                         .kind = std::string(findings.object.kind),
                         .name_space = std::string(findings.object.name_space),
                         .name = std::string(findings.object.name),
                         .enforcement_action = std::string(findings.record.GetString({"action"})),
                         .actions = {},
                         .message = {},
                         .details = {}};
  const document::Value actions = findings.record.Find("actions");
  for (std::uint32_t i = 0; actions.is_array() && i < actions.size(); ++i) {
    if (actions.ItemAt(i).is_string()) {
      common.actions.emplace_back(actions.ItemAt(i).string());
    }
  }
  std::vector<ListedViolation> listed;
  const document::Value violations = findings.record.Find("violations");
  for (std::uint32_t i = 0; violations.is_array() && i < violations.size(); ++i) {
    ListedViolation& each = listed.emplace_back(common);
    each.message = violations.ItemAt(i).GetString({"message"});
    each.details = violations.ItemAt(i).GetString({"details"});
  }
  return listed;
}

std::string TableHead() {
  return fmt::format("{:<44} {:<8} {:<20} {:<20} {:<32} {}", "CONSTRAINT", "ACTION", "NAMESPACE",
                     "KIND", "NAME", "MESSAGE");
}

std::string TableLine(const ListedViolation& violation) {
  return fmt::format("{:<44} {:<8} {:<20} {:<20} {:<32} {}",
                     violation.constraint_kind + "/" + violation.constraint_name,
                     violation.enforcement_action,
                     violation.name_space.empty() ? "-" : violation.name_space, violation.kind,
                     violation.name, OneLine(violation.message));
}

ordered_json ToJson(const ListedViolation& violation) {
  ordered_json json;
  json["constraint"] = {{"kind", violation.constraint_kind}, {"name", violation.constraint_name}};
  ordered_json object = {{"apiVersion", violation.group_version}, {"kind", violation.kind}};
  if (!violation.name_space.empty()) {
    object["namespace"] = violation.name_space;
  }
  object["name"] = violation.name;
  json["object"] = std::move(object);
  json["enforcementAction"] = violation.enforcement_action;
  if (!violation.actions.empty()) {
    json["enforcementActions"] = violation.actions;
  }
  json["message"] = violation.message;
  if (!violation.details.empty()) {
    json["details"] = ordered_json::parse(violation.details, nullptr, false);
  }
  return json;
}

void PolicyReports::Add(const ListedViolation& violation) {
  ordered_json resource = {{"apiVersion", violation.group_version}, {"kind", violation.kind}};
  if (!violation.name_space.empty()) {
    resource["namespace"] = violation.name_space;
  }
  resource["name"] = violation.name;
  results_[violation.name_space].push_back({{"source", "portcullis"},
                                            {"policy", violation.constraint_kind},
                                            {"rule", violation.constraint_name},
                                            {"result", Denies(violation) ? "fail" : "warn"},
                                            {"scored", true},
                                            {"message", violation.message},
                                            {"resources", ordered_json::array({resource})}});
}

std::vector<ordered_json> PolicyReports::Reports() const {
  std::vector<ordered_json> reports;
  for (const auto& [name_space, results] : results_) {
    std::span<const ordered_json> rest(results);
    for (std::size_t number = 1; !rest.empty(); ++number) {
      const auto part = rest.first(std::min(kMostResults, rest.size()));
      rest = rest.subspan(part.size());
      const auto failed =
          std::ranges::count_if(part, [](const auto& each) { return ResultOf(each) == "fail"; });
      ordered_json metadata = {
          {"name", number == 1 ? "portcullis" : fmt::format("portcullis-{}", number)}};
      if (!name_space.empty()) {
        metadata["namespace"] = name_space;
      }
      reports.push_back({{"apiVersion", "wgpolicyk8s.io/v1alpha2"},
                         {"kind", name_space.empty() ? "ClusterPolicyReport" : "PolicyReport"},
                         {"metadata", metadata},
                         {"summary",
                          {{"pass", 0},
                           {"fail", failed},
                           {"warn", static_cast<std::ptrdiff_t>(part.size()) - failed},
                           {"error", 0},
                           {"skip", 0}}},
                         {"results", std::vector<ordered_json>(part.begin(), part.end())}});
    }
  }
  return reports;
}

}  // namespace portcullis::tools
