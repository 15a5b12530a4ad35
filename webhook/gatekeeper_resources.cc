#include "webhook/gatekeeper_resources.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "document/json.h"
#include "mutation/mutator.h"
#include "mutation/provider.h"
#include "rules/policy/enforcement.h"
#include "rules/policy/expansion.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/template.h"
#include "webhook/review_request.h"

namespace portcullis::webhook {
namespace {

using document::Value;

constexpr std::int32_t kUserError = 422;
constexpr std::int32_t kInternalError = 500;
constexpr std::size_t kMaxNameBytes = 63;

constexpr std::string_view kTemplatesGroup = "templates.gatekeeper.sh";
constexpr std::string_view kConstraintsGroup = "constraints.gatekeeper.sh";
constexpr std::string_view kConfigGroup = "config.gatekeeper.sh";
constexpr std::string_view kStatusGroup = "status.gatekeeper.sh";
constexpr std::string_view kProvidersGroup = "externaldata.gatekeeper.sh";
constexpr std::string_view kExpansionGroup = "expansion.gatekeeper.sh";
constexpr std::array kGroups = {kTemplatesGroup, kConstraintsGroup,         kConfigGroup,
                                kStatusGroup,    mutation::kMutationsGroup, kProvidersGroup,
                                kExpansionGroup};

std::optional<Refusal> Refuse(std::int32_t code, const Result<void>& checked) {
  if (checked) {
    return std::nullopt;
  }
  // What Go's decoder says of a field of the wrong type is an internal error to Gatekeeper.
  const bool undecodable = checked.error().message.starts_with("json: ");
  return Refusal{.code = undecodable ? kInternalError : code, .message = checked.error().message};
}

// What Kubernetes' decoder says of an object that has no type; nothing: it has one.
std::optional<Refusal> CheckForm(const Value& object) {
  std::string complaint =
      object.is_object() ? ObjectComplaint(object) : std::string("Object 'Kind' is missing in ''");
  return complaint.empty() ? std::nullopt
                           : std::optional(Refusal{kInternalError, std::move(complaint)});
}

// What it says of a type that it does not know.
Refusal Unregistered(const Value& object) {
  return {kInternalError, "no kind " + policy::Quote(object.GetString({"kind"})) +
                              " is registered for version " +
                              policy::Quote(object.GetString({"apiVersion"})) +
                              " in scheme \"pkg/runtime/scheme.go:111\""};
}

// What Go's decoder says of the outer fields of a template when they have the wrong type; empty: they have the right one.
std::string TemplateTypeComplaint(const Value& object) {
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::string version(api_version.substr(api_version.find('/') + 1));
  const Value spec = object.Find("spec");
  const Value crd = spec.Find("crd");
  const Value targets = spec.Find("targets");
  const auto complain = [](const Value& value, const std::string& what) {
    return "json: cannot unmarshal " + std::string(GoJsonType(value)) + " into Go struct field " +
           what;
  };
  const auto absent = [](const Value& value) { return value.is_undefined() || value.is_null(); };
  if (!absent(spec) && !spec.is_object()) {
    return complain(spec, "ConstraintTemplate.spec of type " + version + ".ConstraintTemplateSpec");
  }
  if (!absent(crd) && !crd.is_object()) {
    return complain(crd, "ConstraintTemplateSpec.spec.crd of type " + version + ".CRD");
  }
  if (!absent(targets) && !targets.is_array()) {
    return complain(targets,
                    "ConstraintTemplateSpec.spec.targets of type []" + version + ".Target");
  }
  return {};
}

std::optional<Refusal> CheckTemplate(const Value& object, const policy::PolicyStore& policies) {
  if (auto refusal = CheckForm(object)) {
    return refusal;
  }
  const std::string_view version = object.GetString({"apiVersion"});
  const bool known = version == "templates.gatekeeper.sh/v1" ||
                     version == "templates.gatekeeper.sh/v1beta1" ||
                     version == "templates.gatekeeper.sh/v1alpha1";
  const std::string_view kind = object.GetString({"kind"});
  if (!known || kind != "ConstraintTemplate") {
    return Unregistered(object);
  }
  if (std::string complaint = TemplateTypeComplaint(object); !complaint.empty()) {
    return Refusal{kInternalError, std::move(complaint)};
  }
  if (auto refusal = Refuse(kInternalError, policy::CheckTemplateOperations(object))) {
    return refusal;
  }
  return Refuse(kUserError, policies.CheckTemplate(object));
}

std::optional<Refusal> CheckConstraint(const Value& object, const policy::PolicyStore& policies,
                                       bool check_enforcement_actions) {
  if (!object.is_object()) {
    return Refusal{kInternalError, "Object 'Kind' is missing in 'null'"};
  }
  if (std::string complaint = ObjectComplaint(object); !complaint.empty()) {
    return Refusal{kInternalError, std::move(complaint)};
  }
  const auto action =
      check_enforcement_actions ? policy::CheckEnforcementAction(object) : Result<void>();
  auto refusal = Refuse(kUserError, policies.CheckConstraint(object));
  // A list of scoped actions that is missing fails both; Gatekeeper's webhook sees it only in the second.
  const bool lacks_scope = refusal && refusal->message.starts_with(
                                          "missing required field: spec.scopedEnforcementActions");
  if (refusal && !(lacks_scope && !action)) {
    return refusal;
  }
  return Refuse(kInternalError, action);
}

std::optional<Refusal> CheckMutator(const Value& object) {
  if (auto refusal = CheckForm(object)) {
    return refusal;
  }
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::string_view kind = object.GetString({"kind"});
  const std::size_t slash = api_version.find('/');
  const std::string_view version =
      slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  const bool every_version = kind != "AssignImage" && (version == "v1" || version == "v1beta1");
  if (slash == std::string_view::npos || !mutation::IsMutator(api_version.substr(0, slash), kind) ||
      !(every_version || version == "v1alpha1")) {
    return Unregistered(object);
  }
  const auto made = mutation::Mutator::Make(object);
  return Refuse(kUserError, made ? Result<void>() : std::unexpected(made.error()));
}

std::optional<Refusal> CheckProvider(const Value& object) {
  if (auto refusal = CheckForm(object)) {
    return refusal;
  }
  const auto read = mutation::ReadProvider(object);
  return Refuse(kUserError, read ? Result<void>() : std::unexpected(read.error()));
}

std::optional<Refusal> CheckExpansion(const Value& object) {
  if (auto refusal = CheckForm(object)) {
    return refusal;
  }
  const std::string_view version = object.GetString({"apiVersion"});
  const std::string_view kind = object.GetString({"kind"});
  if (kind != "ExpansionTemplate" || (version != "expansion.gatekeeper.sh/v1beta1" &&
                                      version != "expansion.gatekeeper.sh/v1alpha1")) {
    return Unregistered(object);
  }
  const auto parsed = policy::ExpansionTemplate::Parse(object);
  return Refuse(kUserError, parsed ? Result<void>() : std::unexpected(parsed.error()));
}

}  // namespace

bool IsGatekeeperGroup(std::string_view group) {
  return group.ends_with(".gatekeeper.sh") &&
         std::find(kGroups.begin(), kGroups.end(), group) != kGroups.end();
}

std::optional<Refusal> CheckGatekeeperResource(const Value& request,
                                               const policy::PolicyStore& policies,
                                               const ResourceChecks& checks) {
  const std::string_view group = request.GetString({"kind", "group"});
  if (!IsGatekeeperGroup(group)) {
    return std::nullopt;
  }
  const std::string_view name = request.GetString({"name"});
  const bool deleted = request.GetString({"operation"}) == "DELETE";
  if (deleted && name.empty()) {
    return std::nullopt;  // A collection is deleted.
  }
  if (group != kStatusGroup && name.size() > kMaxNameBytes) {
    return Refusal{kInternalError,
                   "resource cannot have metadata.name larger than 63 char; length: " +
                       std::to_string(name.size())};
  }
  const std::string_view kind = request.GetString({"kind", "kind"});
  const Value object = request.Find(deleted ? "oldObject" : "object");
  if (group == kTemplatesGroup && kind == "ConstraintTemplate") {
    if (auto refusal = CheckTemplate(object, policies); refusal || !checks.compile_templates) {
      return refusal;
    }
    const Value old_spec = request.Get({"oldObject", "spec"});
    const bool is_new =
        !deleted && (old_spec.is_undefined() || !document::Equal(old_spec, object.Find("spec")));
    return is_new ? Refuse(kUserError, policies.CheckTemplateRego(object)) : std::nullopt;
  }
  if (group == kConstraintsGroup) {
    return CheckConstraint(object, policies, checks.enforcement_actions);
  }
  if (mutation::IsMutator(group, kind)) {
    return CheckMutator(object);
  }
  if (group == kProvidersGroup && kind == "Provider") {
    return CheckProvider(object);
  }
  if (group == kExpansionGroup && kind == "ExpansionTemplate") {
    return CheckExpansion(object);
  }
  if (group == kConfigGroup && kind == "Config" && name != "config") {
    return Refusal{kUserError, "config resource must have name 'config'"};
  }
  return std::nullopt;
}

}  // namespace portcullis::webhook
