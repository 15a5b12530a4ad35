// The *PodStatus objects (gatekeeper.md 1.10): what one pod says of one policy object. Their names, labels and JSON; who writes
// them is controller/pod_statuses.h.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/object.h"
#include "document/value.h"

namespace portcullis::controller {

// Who speaks.
struct PodIdentity {
  std::string name_space = "gatekeeper-system";  // Where the statuses lie.
  std::string name;                              // POD_NAME, or what stands for it.
  std::string uid =
      {};  // Of the pod, which owns its statuses; empty: there is no pod, nobody owns them.
  std::vector<std::string> operations = {};  // Roles of this process.
};

// A kind of policy object that has a status by pod.
enum class StatusSubject : std::uint8_t {
  kTemplate,
  kConstraint,
  kConfig,
  kMutator,
  kExpansion,
  kProvider,
};
inline constexpr std::array kStatusSubjects = {
    StatusSubject::kTemplate, StatusSubject::kConstraint, StatusSubject::kConfig,
    StatusSubject::kMutator,  StatusSubject::kExpansion,  StatusSubject::kProvider};

// What a status is about.
struct SubjectKey {
  StatusSubject subject = StatusSubject::kTemplate;
  std::string kind = {};        // Of a constraint or mutator: "K8sRequiredLabels"; else "".
  std::string name_space = {};  // Of a Config; else "".
  std::string name = {};
  friend auto operator<=>(const SubjectKey&, const SubjectKey&) = default;
};

// The code of a warning among a template's errors: it says nothing against the template's being in force.
inline constexpr std::string_view kScanWarningCode = "scan_warning";

struct StatusError {
  std::string code;  // Of a template or constraint; of the others their errors' `type`.
  std::string message;
  std::string location;
  friend bool operator==(const StatusError&, const StatusError&) = default;
};

// What a pod found.
struct PodFinding {
  std::string uid;  // Of the policy object: one that was made anew has another.
  std::int64_t generation = 0;
  bool enforced = false;  // A constraint or mutator is in force.
  std::vector<StatusError> errors = {};
  // Of a Provider, RFC 3339: when it was found, and when its errors changed last; empty: they never did.
  std::string found_at = {};
  std::string changed_at = {};
  friend bool operator==(const PodFinding&, const PodFinding&) = default;
};

// "ConstraintPodStatus" and so on, of status.gatekeeper.sh/v1beta1.
[[nodiscard]] document::GroupVersionKind PodStatusType(StatusSubject subject);

// The name of the object. ERRORS: kInvalidArgument: a part that is empty or begins or ends with '-', which cannot be packed.
[[nodiscard]] Result<std::string> PodStatusName(const PodIdentity& pod, const SubjectKey& key);
// The path of the object in the API server.
[[nodiscard]] Result<std::string> PodStatusPath(const PodIdentity& pod, const SubjectKey& key);
// The whole object, as JSON.
[[nodiscard]] Result<std::string> PodStatusManifest(const PodIdentity& pod, const SubjectKey& key,
                                                    const PodFinding& finding);

// What a *PodStatus object is about, by its labels. ERRORS: kInvalidArgument: a label is missing.
[[nodiscard]] Result<SubjectKey> SubjectOf(StatusSubject subject, const document::Value& object);

// The member of `status` with the uid of the policy object: "constraintUID" and so on.
[[nodiscard]] std::string_view UidField(StatusSubject subject);

// The path of the policy object's status in the API server.
[[nodiscard]] std::string StatusPath(const SubjectKey& key);

}  // namespace portcullis::controller
