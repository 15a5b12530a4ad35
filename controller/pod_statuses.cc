#include "controller/pod_statuses.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "controller/object_sink.h"
#include "document/json.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::controller {
namespace {

using document::Value;
using nlohmann::json;

json ToJsonValue(const Value& value) {
  json parsed =
      value.is_undefined() ? json() : json::parse(document::ToJson(value), nullptr, false);
  return parsed.is_discarded() ? json() : parsed;
}

// The template that a constraint's kind belongs to.
SubjectKey TemplateOf(const SubjectKey& constraint) {
  return {.subject = StatusSubject::kTemplate, .name = policy::LowerCase(constraint.kind)};
}

// Warnings alone are nothing against the object.
bool HasErrors(const json& status) {
  const auto errors = status.find("errors");
  return errors != status.end() && std::ranges::any_of(*errors, [](const json& each) {
           return !each.is_object() || each.value("code", json()) != json(kScanWarningCode);
         });
}

// What one pod says.
struct Said {
  std::string id;
  std::string uid;
  json status;
};

// A policy object.
struct Subject {
  std::string uid;
  json by_pod;                        // As it was read, or written since.
  std::optional<PodFinding> finding;  // Ours.
};

}  // namespace

struct PodStatuses::State {
  State(ObjectWriter& object_writer, replicator::Source& objects, std::shared_ptr<Logger> log,
        PodStatusOptions how)
      : writer(object_writer), source(objects), logger(std::move(log)), options(std::move(how)) {}

  ObjectWriter& writer;
  replicator::Source& source;
  const std::shared_ptr<Logger> logger;
  PodStatusOptions options;

  std::vector<std::pair<document::GroupVersionKind, std::unique_ptr<ObjectSink>>> followed;
  std::map<SubjectKey, Subject> subjects;
  // By the name of the status object.
  std::map<SubjectKey, std::map<std::string, Said>> said;
  // By kind of status: of which subject an object is, for when it goes.
  std::map<std::pair<StatusSubject, std::string>, SubjectKey> names;
  std::set<std::pair<StatusSubject, std::string>> listed;
  std::map<std::string, StatusError> remarks;  // By the template's name.

  void OnPut(StatusSubject subject, const ObjectName& name, const Value& object) {
    if (name.name_space != options.pod.name_space) {
      return;
    }
    Result<SubjectKey> key = SubjectOf(subject, object);
    if (!key) {
      logger->Warning("status ignored", {{"error", key.error().message}});
      return;
    }
    const Value status = object.Find("status");
    const Result<std::string> own = PodStatusName(options.pod, *key);
    if (own && *own == name.name && !subjects.contains(*key) && IsListed(*key)) {
      // An earlier run of this pod left it.
      DeleteOwn(*key);
      return;
    }
    names[{subject, name.name}] = *key;
    said[*key][name.name] = Said{.id = std::string(status.GetString({"id"})),
                                 .uid = std::string(status.GetString({UidField(subject)})),
                                 .status = ToJsonValue(status)};
    Fold(*key);
  }

  void OnRemove(StatusSubject subject, const ObjectName& name) {
    const auto found = names.find({subject, name.name});
    if (name.name_space != options.pod.name_space || found == names.end()) {
      return;
    }
    const SubjectKey key = std::move(found->second);
    names.erase(found);
    const auto of = said.find(key);
    if (of != said.end()) {
      of->second.erase(name.name);
      if (of->second.empty()) {
        said.erase(of);
      }
    }
    const Result<std::string> own = PodStatusName(options.pod, key);
    if (own && *own == name.name && subjects.contains(key)) {
      writer.ApplyAgain(*PodStatusPath(options.pod, key));
    }
    Fold(key);
  }

  [[nodiscard]] bool IsListed(const SubjectKey& key) const {
    if (key.subject != StatusSubject::kConstraint) {
      return listed.contains({key.subject, key.kind});
    }
    // Constraints are only followed as long as there is their template.
    return listed.contains({key.subject, key.kind}) ||
           (listed.contains({StatusSubject::kTemplate, ""}) && !subjects.contains(TemplateOf(key)));
  }

  void DeleteOwn(const SubjectKey& key) {
    if (Result<std::string> path = PodStatusPath(options.pod, key)) {
      writer.Delete(*std::move(path));
    }
  }

  void Write(const SubjectKey& key, PodFinding finding) {
    if (const auto remark = remarks.find(key.name);
        key.subject == StatusSubject::kTemplate && remark != remarks.end()) {
      finding.errors.push_back(remark->second);
    }
    Result<std::string> path = PodStatusPath(options.pod, key);
    Result<std::string> manifest = PodStatusManifest(options.pod, key, finding);
    if (!path || !manifest) {
      logger->Warning("no status can be written",
                      {{"name", key.name}, {"error", (path ? manifest : path).error().message}});
      return;
    }
    writer.Apply(*std::move(path), *std::move(manifest));
  }

  // Writes status.byPod where it is not what the pods say of this very object.
  void Fold(const SubjectKey& key) {
    const auto subject = subjects.find(key);
    const auto of = said.find(key);
    if (!options.fold || subject == subjects.end() || of == said.end()) {
      return;
    }
    std::vector<const Said*> valid;
    for (const auto& [name, each] : of->second) {
      if (each.uid == subject->second.uid) {
        valid.push_back(&each);
      }
    }
    std::ranges::stable_sort(valid, {}, [](const Said* each) { return each->id; });
    json by_pod = json::array();
    bool created = false;
    for (const Said* each : valid) {
      by_pod.push_back(each->status);
      created = created || !HasErrors(each->status);
    }
    if (by_pod == subject->second.by_pod) {
      return;
    }
    json status = {{"byPod", by_pod}};
    if (key.subject == StatusSubject::kTemplate) {
      status["created"] = created;
    }
    subject->second.by_pod = std::move(by_pod);
    writer.Patch(
        StatusPath(key), "byPod",
        json{{"status", std::move(status)}}.dump(-1, ' ', false, json::error_handler_t::replace));
  }
};

PodStatuses::PodStatuses(ObjectWriter& writer, replicator::Source& source,
                         const std::shared_ptr<Logger>& logger, PodStatusOptions options)
    : state_(std::make_unique<State>(writer, source, logger->Named("status"), std::move(options))) {
}

PodStatuses::~PodStatuses() {
  for (const auto& [type, sink] : state_->followed) {
    state_->source.Unfollow(type, *sink);
  }
}

void PodStatuses::Start() {
  for (const StatusSubject subject : kStatusSubjects) {
    ObjectHandler handler{.put = [state = state_.get(), subject](
                                     const ObjectName& name,
                                     const Value& object) { state->OnPut(subject, name, object); },
                          .remove = [state = state_.get(), subject](
                                        const ObjectName& name) { state->OnRemove(subject, name); },
                          .settled = [](bool) {}};
    state_->followed.emplace_back(PodStatusType(subject),
                                  std::make_unique<ObjectSink>(std::move(handler)));
  }
  for (const auto& [type, sink] : state_->followed) {
    state_->source.Follow(type, *sink);
  }
}

void PodStatuses::Meet(const SubjectKey& key, std::string_view uid, const Value& by_pod) {
  Subject& subject = state_->subjects[key];
  subject.uid = uid;
  subject.by_pod = ToJsonValue(by_pod);
  state_->Fold(key);
}

void PodStatuses::Put(const SubjectKey& key, const PodFinding& finding) {
  state_->subjects[key].finding = finding;
  state_->Write(key, finding);
}

void PodStatuses::SetRemarks(std::map<std::string, StatusError> remarks) {
  const std::map<std::string, StatusError> before =
      std::exchange(state_->remarks, std::move(remarks));
  const auto in = [](const std::map<std::string, StatusError>& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? StatusError() : found->second;
  };
  for (const auto& [key, subject] : state_->subjects) {
    if (key.subject == StatusSubject::kTemplate && subject.finding &&
        in(before, key.name) != in(state_->remarks, key.name)) {
      state_->Write(key, *subject.finding);
    }
  }
}

void PodStatuses::SetOwner(const std::string& pod_uid) {
  state_->options.pod.uid = pod_uid;
  for (const auto& [key, subject] : state_->subjects) {
    if (subject.finding) {
      state_->Write(key, *subject.finding);
    }
  }
}

void PodStatuses::Remove(const SubjectKey& key) {
  state_->subjects.erase(key);
  state_->DeleteOwn(key);
}

void PodStatuses::SetListed(StatusSubject subject, const std::string& kind) {
  state_->listed.insert({subject, kind});
  std::vector<SubjectKey> left;
  for (const auto& [key, of] : state_->said) {
    const Result<std::string> own = PodStatusName(state_->options.pod, key);
    if (own && of.contains(*own) && !state_->subjects.contains(key) && state_->IsListed(key)) {
      left.push_back(key);
    }
  }
  for (const SubjectKey& key : left) {
    state_->DeleteOwn(key);
  }
}

}  // namespace portcullis::controller
