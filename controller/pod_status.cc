#include "controller/pod_status.h"

#include <initializer_list>
#include <utility>

#include <nlohmann/json.hpp>

#include "replicator/kubernetes_client.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::controller {
namespace {

using nlohmann::json;

constexpr const char* kGroup = "status.gatekeeper.sh";
constexpr const char* kVersion = "v1beta1";
constexpr const char* kLabels = "internal.gatekeeper.sh/";

// What differs between the kinds.
struct Shape {
  const char* kind;
  const char* plural;
  const char* uid_field;
  const char* name_label;
  const char* kind_label;        // Null: the kind needs none.
  const char* error_code_field;  // "code" or "type".
};

const Shape& ShapeOf(StatusSubject subject) {
  static constexpr Shape kShapes[] = {
      {"ConstraintTemplatePodStatus", "constrainttemplatepodstatuses", "templateUID",
       "constrainttemplate-name", nullptr, "code"},
      {"ConstraintPodStatus", "constraintpodstatuses", "constraintUID", "constraint-name",
       "constraint-kind", "code"},
      {"ConfigPodStatus", "configpodstatuses", "configUID", "config-name", nullptr, "type"},
      {"MutatorPodStatus", "mutatorpodstatuses", "mutatorUID", "mutator-name", "mutator-kind",
       "type"},
      {"ExpansionTemplatePodStatus", "expansiontemplatepodstatuses", "templateUID",
       "expansiontemplate-name", nullptr, "type"},
      {"ProviderPodStatus", "providerpodstatuses", "providerUID", "provider-name", nullptr, "type"},
  };
  return kShapes[static_cast<std::size_t>(subject)];
}

// The parts joined by '-', those within them doubled, so that they can be told apart again.
Result<std::string> PackWithDashes(std::initializer_list<std::string_view> parts) {
  std::string packed;
  for (const std::string_view part : parts) {
    if (part.empty() || part.front() == '-' || part.back() == '-') {
      return Fail(ErrorCode::kInvalidArgument,
                  "no name for a status: a part of it is empty or begins or ends with a dash: \"" +
                      std::string(part) + "\"");
    }
    packed += packed.empty() ? "" : "-";
    for (const char c : part) {
      packed.append(c == '-' ? 2 : 1, c);
    }
  }
  return packed;
}

json ErrorsOf(const PodFinding& finding, StatusSubject subject) {
  json errors = json::array();
  for (const StatusError& each : finding.errors) {
    const bool keeps_empty_code =
        subject == StatusSubject::kConstraint || subject == StatusSubject::kTemplate;
    json error = {{"message", each.message}};
    if (keeps_empty_code || !each.code.empty()) {
      error[ShapeOf(subject).error_code_field] = each.code;
    }
    if (!each.location.empty()) {
      error["location"] = each.location;
    }
    if (subject == StatusSubject::kProvider) {
      error["retryable"] = true;
      error["errorTimestamp"] = finding.found_at;
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace

document::GroupVersionKind PodStatusType(StatusSubject subject) {
  return {kGroup, kVersion, ShapeOf(subject).kind};
}

Result<std::string> PodStatusName(const PodIdentity& pod, const SubjectKey& key) {
  switch (key.subject) {
    case StatusSubject::kTemplate:
    case StatusSubject::kExpansion:
    case StatusSubject::kProvider:
      return PackWithDashes({pod.name, key.name});
    case StatusSubject::kConfig:
      return PackWithDashes({pod.name, key.name_space, key.name});
    case StatusSubject::kConstraint:
    case StatusSubject::kMutator:
      break;
  }
  return PackWithDashes({pod.name, policy::LowerCase(key.kind), key.name});
}

Result<std::string> PodStatusPath(const PodIdentity& pod, const SubjectKey& key) {
  const std::string name = TRY(PodStatusName(pod, key));
  return replicator::GroupVersionPath(kGroup, kVersion) + "/namespaces/" +
         replicator::EscapeForUrl(pod.name_space) + "/" + ShapeOf(key.subject).plural + "/" +
         replicator::EscapeForUrl(name);
}

Result<std::string> PodStatusManifest(const PodIdentity& pod, const SubjectKey& key,
                                      const PodFinding& finding) {
  const Shape& shape = ShapeOf(key.subject);
  const std::string labels = kLabels;
  json metadata = {{"namespace", pod.name_space},
                   {"labels", {{labels + "pod", pod.name}, {labels + shape.name_label, key.name}}}};
  metadata["name"] = TRY(PodStatusName(pod, key));
  if (shape.kind_label != nullptr) {
    metadata["labels"][labels + shape.kind_label] = key.kind;
  }
  if (key.subject == StatusSubject::kConstraint) {
    metadata["labels"][labels + "constrainttemplate-name"] = policy::LowerCase(key.kind);
  }
  if (!pod.uid.empty()) {
    metadata["ownerReferences"] = {
        {{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", pod.name}, {"uid", pod.uid}}};
  }
  json status = {{"id", pod.name}, {shape.uid_field, finding.uid}};
  if (finding.generation != 0) {
    status["observedGeneration"] = finding.generation;
  }
  if (!pod.operations.empty()) {
    status["operations"] = pod.operations;
  }
  if (finding.enforced) {
    status["enforced"] = true;
  }
  if (key.subject == StatusSubject::kProvider) {
    if (finding.errors.empty()) {
      status["active"] = true;
      status["lastCacheUpdateTime"] = finding.found_at;
    }
    if (!finding.changed_at.empty()) {
      status["lastTransitionTime"] = finding.changed_at;
    }
  }
  if (!finding.errors.empty()) {
    status["errors"] = ErrorsOf(finding, key.subject);
  }
  const json object = {{"apiVersion", std::string(kGroup) + "/" + kVersion},
                       {"kind", shape.kind},
                       {"metadata", std::move(metadata)},
                       {"status", std::move(status)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<SubjectKey> SubjectOf(StatusSubject subject, const document::Value& object) {
  const Shape& shape = ShapeOf(subject);
  const document::Value labels = object.Get({"metadata", "labels"});
  SubjectKey key{.subject = subject};
  const std::string name_label = std::string(kLabels) + shape.name_label;
  key.name = labels.GetString({name_label});
  if (shape.kind_label != nullptr) {
    const std::string kind_label = std::string(kLabels) + shape.kind_label;
    key.kind = labels.GetString({kind_label});
  }
  if (subject == StatusSubject::kConfig) {
    // There is one Config, where the statuses are.
    key.name_space = object.GetString({"metadata", "namespace"});
  }
  if (key.name.empty() || (shape.kind_label != nullptr && key.kind.empty())) {
    return Fail(ErrorCode::kInvalidArgument,
                "labels do not tell what the status is about: " +
                    std::string(object.GetString({"metadata", "name"})));
  }
  return key;
}

std::string_view UidField(StatusSubject subject) {
  return ShapeOf(subject).uid_field;
}

std::string StatusPath(const SubjectKey& key) {
  const std::string name = replicator::EscapeForUrl(key.name);
  switch (key.subject) {
    case StatusSubject::kTemplate:
      return replicator::GroupVersionPath("templates.gatekeeper.sh", "v1") +
             "/constrainttemplates/" + name + "/status";
    case StatusSubject::kConstraint:
      return replicator::GroupVersionPath("constraints.gatekeeper.sh", "v1beta1") + "/" +
             replicator::EscapeForUrl(policy::LowerCase(key.kind)) + "/" + name + "/status";
    case StatusSubject::kConfig:
      return replicator::GroupVersionPath("config.gatekeeper.sh", "v1alpha1") + "/namespaces/" +
             replicator::EscapeForUrl(key.name_space) + "/configs/" + name + "/status";
    case StatusSubject::kExpansion:
      return replicator::GroupVersionPath("expansion.gatekeeper.sh", "v1beta1") +
             "/expansiontemplate/" + name + "/status";
    case StatusSubject::kProvider:
      return replicator::GroupVersionPath("externaldata.gatekeeper.sh", "v1beta1") + "/providers/" +
             name + "/status";
    case StatusSubject::kMutator:
      break;
  }
  // AssignImage has no newer version than v1alpha1.
  return replicator::GroupVersionPath("mutations.gatekeeper.sh",
                                      key.kind == "AssignImage" ? "v1alpha1" : "v1") +
         "/" + replicator::EscapeForUrl(policy::LowerCase(key.kind)) + "/" + name + "/status";
}

}  // namespace portcullis::controller
