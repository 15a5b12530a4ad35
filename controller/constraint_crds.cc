#include "controller/constraint_crds.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "controller/object_sink.h"
#include "document/arena.h"
#include "document/json.h"
#include "replicator/back_off.h"

namespace portcullis::controller {
namespace {

using document::Value;
using replicator::KubernetesClient;

constexpr std::string_view kPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
constexpr std::string_view kFieldManager = "portcullis";
constexpr std::string_view kLabel = "gatekeeper.sh/constraint=yes";
constexpr std::chrono::milliseconds kRetryBase{500};
constexpr std::chrono::milliseconds kRetryLimit{60'000};

const document::GroupVersionKind& CrdType() {
  static const document::GroupVersionKind type{"apiextensions.k8s.io", "v1",
                                               "CustomResourceDefinition"};
  return type;
}

std::int64_t GenerationOf(const Value& object) {
  const Value generation = object.Get({"metadata", "generation"});
  return generation.is_number() ? document::ToInt64(generation).value_or(0) : 0;
}

struct Wanted {
  std::string manifest;
  std::int64_t generation = 0;  // Of the CRD as it was written last; 0: it is to be written.
  bool in_flight = false;
  std::optional<replicator::TimerId> retry;
  replicator::BackOff back_off{kRetryBase, kRetryLimit, 0};
};

}  // namespace

struct ConstraintCrds::State : std::enable_shared_from_this<State> {
  State(KubernetesClient& kubernetes, replicator::KubernetesSource& objects,
        std::shared_ptr<Logger> log)
      : client(kubernetes),
        source(objects),
        logger(std::move(log)),
        sink({.put = [this](const ObjectName& name, const Value& object) { OnPut(name, object); },
              .remove = [this](const ObjectName& name) { OnRemoved(name); },
              .settled = [](bool) {}}) {}

  KubernetesClient& client;
  replicator::KubernetesSource& source;
  const std::shared_ptr<Logger> logger;

  // Of the client's thread.
  ObjectSink sink;
  std::map<std::string, Wanted, std::less<>> wanted;
  bool stopped = false;

  std::mutex mutex;
  std::map<std::string, std::string> problems;  // Guarded by mutex.

  void OnPut(const ObjectName& name, const Value& object) {
    const auto found = wanted.find(name.name);
    // Each write of the specification raises the generation: another than ours is somebody else's.
    if (found != wanted.end() && found->second.generation != 0 && !found->second.in_flight &&
        found->second.generation != GenerationOf(object)) {
      Write(name.name);
    }
  }
  void OnRemoved(const ObjectName& name) {
    const auto found = wanted.find(name.name);
    if (found != wanted.end() && !found->second.in_flight) {
      logger->Info("constraint CRD was deleted: making it again", {{"crd", name.name}});
      Write(name.name);
    }
  }

  void Write(const std::string& name) {
    const auto found = wanted.find(name);
    if (stopped || found == wanted.end()) {
      return;
    }
    Wanted& crd = found->second;
    if (crd.retry) {
      client.http().CancelTimer(*std::exchange(crd.retry, std::nullopt));
    }
    crd.in_flight = true;
    crd.generation = 0;
    client.Send(
        KubernetesClient::Apply(std::string(kPath) + replicator::EscapeForUrl(name), crd.manifest,
                                kFieldManager),
        [weak = weak_from_this(), name, manifest = crd.manifest](const Result<std::string>& reply) {
          if (const std::shared_ptr<State> self = weak.lock()) {
            self->OnWritten(name, manifest, reply);
          }
        });
  }

  void OnWritten(const std::string& name, const std::string& manifest,
                 const Result<std::string>& reply) {
    const auto found = wanted.find(name);
    if (stopped || found == wanted.end()) {
      return;
    }
    Wanted& crd = found->second;
    crd.in_flight = false;
    if (crd.manifest != manifest) {
      return Write(name);
    }
    document::Arena arena;
    Result<Value> object = reply ? document::ParseJson(*reply, arena) : Result<Value>(Value());
    if (reply && object && !object->Get({"metadata", "deletionTimestamp"}).is_string()) {
      crd.generation = GenerationOf(*object);
      crd.back_off.Reset();
      Report(name, "");
      return;
    }
    const std::string problem = !reply    ? reply.error().message
                                : !object ? object.error().message
                                          : "it is still being deleted";
    Report(name, problem);
    logger->Warning("constraint CRD not written", {{"crd", name}, {"error", problem}});
    crd.retry = client.http().RunAt(client.clock().Now() + crd.back_off.Next(),
                                    [weak = weak_from_this(), name] {
                                      const std::shared_ptr<State> self = weak.lock();
                                      if (self == nullptr) {
                                        return;
                                      }
                                      const auto due = self->wanted.find(name);
                                      if (due != self->wanted.end()) {
                                        due->second.retry.reset();
                                        self->Write(name);
                                      }
                                    });
  }

  void Report(const std::string& name, const std::string& problem) {
    const std::lock_guard lock(mutex);
    if (problem.empty()) {
      problems.erase(name);
    } else {
      problems[name] = problem;
    }
  }
};

ConstraintCrds::ConstraintCrds(KubernetesClient& client, replicator::KubernetesSource& source,
                               const std::shared_ptr<Logger>& logger)
    : state_(std::make_shared<State>(client, source, logger->Named("constraint-crds"))) {
  source.FollowLabelled(CrdType(), std::string(kLabel), state_->sink);
}

ConstraintCrds::~ConstraintCrds() {
  state_->source.Unfollow(CrdType(), state_->sink);
  state_->client.http().RunAndWait([this] {
    state_->stopped = true;
    state_->wanted.clear();
  });
}

void ConstraintCrds::Want(std::string name, std::string manifest) {
  state_->client.http().Post(
      [state = state_, name = std::move(name), manifest = std::move(manifest)] {
        Wanted& crd = state->wanted[name];
        if (crd.manifest == manifest) {
          return;
        }
        crd.manifest = manifest;
        // One that is under way is followed by the new one.
        if (!crd.in_flight) {
          state->Write(name);
        }
      });
}

void ConstraintCrds::Forget(const std::string& name) {
  state_->client.http().Post([state = state_, name] {
    const auto found = state->wanted.find(name);
    if (found == state->wanted.end()) {
      return;
    }
    if (found->second.retry) {
      state->client.http().CancelTimer(*found->second.retry);
    }
    state->wanted.erase(found);
    state->Report(name, "");
  });
}

std::vector<ConstraintCrds::Problem> ConstraintCrds::Problems() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Problem> problems;
  for (const auto& [name, message] : state_->problems) {
    problems.push_back({name, message});
  }
  return problems;
}

}  // namespace portcullis::controller
