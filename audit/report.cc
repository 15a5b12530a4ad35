#include "audit/report.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <queue>
#include <tuple>
#include <utility>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::audit {
namespace {

using document::Value;

constexpr std::size_t kMostMessageBytes = 256;
constexpr std::string_view kConstraintGroup = "constraints.gatekeeper.sh";

void AppendField(std::string_view name, std::string_view text, std::string* out) {
  *out += out->empty() ? "{" : ",";
  document::AppendJsonString(name, document::JsonStyle::kGo, out);
  *out += ':';
  document::AppendJsonString(text, document::JsonStyle::kGo, out);
}

std::string TextList(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    list += list.size() == 1 ? "" : ",";
    document::AppendJsonString(text, document::JsonStyle::kGo, &list);
  }
  return list + "]";
}

std::string StatusEntry(const ShownViolation& violation) {
  std::string entry;
  AppendField("group", violation.object_type.group, &entry);
  AppendField("version", violation.object_type.version, &entry);
  AppendField("kind", violation.object_type.kind, &entry);
  AppendField("name", violation.name, &entry);
  if (!violation.name_space.empty()) {
    AppendField("namespace", violation.name_space, &entry);
  }
  AppendField("message", violation.message, &entry);
  AppendField("enforcementAction", violation.enforcement_action, &entry);
  if (!violation.actions.empty()) {
    entry += R"(,"enforcementActions":)" + TextList(violation.actions);
  }
  return entry + "}";
}

// By what Gatekeeper chooses the violations that it shows.
struct Ranked {
  std::array<std::string, 7> rank;
  std::string entry;
  bool operator<(const Ranked& other) const { return rank < other.rank; }
};

// The constraint's annotations as Gatekeeper logs them.
std::string Annotations(const policy::Constraint& constraint) {
  const Value annotations = constraint.object.Get({"metadata", "annotations"});
  std::string text;
  for (std::uint32_t i = 0; annotations.is_object() && i < annotations.size(); ++i) {
    if (annotations.KeyAt(i).string() != "kubectl.kubernetes.io/last-applied-configuration" &&
        annotations.ValueAt(i).is_string()) {
      AppendField(annotations.KeyAt(i).string(), annotations.ValueAt(i).string(), &text);
    }
  }
  return text.empty() ? "{}" : text + "}";
}

std::string VersionOf(const policy::Constraint& constraint) {
  return document::MakeGroupVersionKind(constraint.object.GetString({"apiVersion"}),
                                        constraint.kind)
      .version;
}

}  // namespace

std::string Timestamp(Clock& clock) {
  const std::time_t now = std::chrono::system_clock::to_time_t(clock.WallNow());
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string CutMessage(std::string_view message) {
  if (message.size() <= kMostMessageBytes) {
    return std::string(message);
  }
  return std::string(message.substr(0, kMostMessageBytes - 3)) + "...";
}

std::string_view KnownAction(std::string_view enforcement_action) {
  for (const std::string_view known : {"deny", "dryrun", "warn", "scoped"}) {
    if (enforcement_action == known) {
      return known;
    }
  }
  return "unrecognized";
}

Result<ConstraintStatus> ReadStatus(store::Store& store, const policy::Constraint& constraint,
                                    std::size_t limit,
                                    const std::function<void(const ShownViolation&)>& each) {
  ConstraintStatus status;
  std::priority_queue<Ranked> smallest;
  const auto take = [&](const KeptFindings& kept) {
    ShownViolation shown{
        .constraint = &constraint,
        .object_type = document::MakeGroupVersionKind(kept.object.group_version, kept.object.kind),
        .name_space = kept.object.name_space,
        .name = kept.object.name,
        .message = {},
        .details = {},
        .enforcement_action = KnownAction(kept.record.GetString({"action"})),
        .actions = policy::StringsOf(kept.record.Find("actions")),
        .labels = kept.record.Find("labels"),
        .uid = kept.record.GetString({"uid"}),
        .resource_version = kept.record.GetString({"resourceVersion"})};
    const Value violations = kept.record.Find("violations");
    for (std::uint32_t i = 0; violations.is_array() && i < violations.size(); ++i) {
      const std::string message = CutMessage(violations.ItemAt(i).GetString({"message"}));
      shown.message = message;
      shown.details = violations.ItemAt(i).GetString({"details"});
      ++status.total;
      if (each) {
        each(shown);
      }
      if (limit == 0) {
        continue;
      }
      Ranked ranked{
          .rank = {shown.object_type.group, shown.object_type.version, shown.object_type.kind,
                   std::string(shown.name_space), std::string(shown.name), message,
                   std::string(shown.enforcement_action)},
          .entry = {}};
      if (smallest.size() < limit || ranked < smallest.top()) {
        ranked.entry = StatusEntry(shown);
        smallest.push(std::move(ranked));
        if (smallest.size() > limit) {
          smallest.pop();
        }
      }
    }
    return true;
  };
  const FindingsFilter filter{.constraint_kind = constraint.kind,
                              .constraint_name = constraint.name,
                              .name_space = {},
                              .object_kind = {}};
  TRY(VisitFindings(store, filter, take));
  // The largest first: so Gatekeeper writes them.
  for (; !smallest.empty(); smallest.pop()) {
    status.violations.push_back(smallest.top().entry);
  }
  return status;
}

std::string StatusPatch(const ConstraintStatus& status, std::string_view timestamp,
                        std::size_t limit) {
  std::string patch = R"({"status":{"auditTimestamp":")" + std::string(timestamp) +
                      R"(","totalViolations":)" + std::to_string(status.total) +
                      R"(,"violations":)";
  if (status.violations.empty() || limit == 0) {
    return patch + "null}}";
  }
  for (std::size_t i = 0; i < status.violations.size(); ++i) {
    patch += i == 0 ? "[" : ",";
    patch += status.violations[i];
  }
  return patch + "]}}";
}

namespace {

// LIFETIME: the fields are views of what is given.
void AppendConstraint(std::string_view event_type, const policy::Constraint& constraint,
                      std::string_view version, std::string_view action,
                      std::vector<LogField>* fields) {
  fields->insert(fields->end(), {{"event_type", event_type},
                                 {"semantic", true},
                                 {"constraint_group", kConstraintGroup},
                                 {"constraint_api_version", version},
                                 {"constraint_kind", constraint.kind},
                                 {"constraint_name", constraint.name},
                                 {"constraint_namespace", ""},
                                 {"constraint_action", action}});
}

}  // namespace

void LogViolation(const Logger& logger, std::string_view audit_id,
                  const ShownViolation& violation) {
  const policy::Constraint& constraint = *violation.constraint;
  const std::string version = VersionOf(constraint);
  const std::string actions = violation.actions.empty() ? "null" : TextList(violation.actions);
  const std::string annotations = Annotations(constraint);
  const std::string labels = violation.labels.is_object() && violation.labels.size() > 0
                                 ? document::ToJson(violation.labels)
                                 : "null";
  std::vector<LogField> fields = {
      {"process", "audit"},
      {"audit_id", audit_id},
      {"details", JsonText{violation.details.empty() ? "null" : violation.details}}};
  AppendConstraint("violation_audited", constraint, version, violation.enforcement_action, &fields);
  fields.insert(fields.end(), {{"constraint_enforcement_actions", JsonText{actions}},
                               {"constraint_annotations", JsonText{annotations}},
                               {"resource_group", violation.object_type.group},
                               {"resource_api_version", violation.object_type.version},
                               {"resource_kind", violation.object_type.kind},
                               {"resource_namespace", violation.name_space},
                               {"resource_name", violation.name},
                               {"resource_labels", JsonText{labels}}});
  logger.Write(LogLevel::kInfo, violation.message, fields);
}

void LogConstraint(const Logger& logger, std::string_view audit_id,
                   const policy::Constraint& constraint, std::uint64_t total) {
  const std::string version = VersionOf(constraint);
  const std::string count = std::to_string(total);
  std::vector<LogField> fields = {{"process", "audit"}, {"audit_id", audit_id}};
  AppendConstraint("constraint_audited", constraint, version,
                   KnownAction(constraint.enforcement_action), &fields);
  fields.insert(fields.end(),
                {{"constraint_status", "enforced"}, {"constraint_violations", count}});
  logger.Write(LogLevel::kInfo, "audit results for constraint", fields);
}

}  // namespace portcullis::audit
