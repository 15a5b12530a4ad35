#include "controller/constraint_crds.h"

#include <cstdint>
#include <map>
#include <utility>

#include "controller/object_sink.h"
#include "document/json.h"

namespace portcullis::controller {
namespace {

using document::Value;

constexpr std::string_view kPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
constexpr std::string_view kLabel = "gatekeeper.sh/constraint=yes";

const document::GroupVersionKind& CrdType() {
  static const document::GroupVersionKind type{"apiextensions.k8s.io", "v1",
                                               "CustomResourceDefinition"};
  return type;
}

std::string PathOf(std::string_view name) {
  return std::string(kPath) + replicator::EscapeForUrl(name);
}

}  // namespace

struct ConstraintCrds::State : std::enable_shared_from_this<State> {
  State(ObjectWriter& object_writer, replicator::KubernetesClient& kubernetes,
        replicator::KubernetesSource& objects, std::shared_ptr<Logger> log)
      : writer(object_writer),
        client(kubernetes),
        source(objects),
        logger(std::move(log)),
        sink({.put = [this](const ObjectName& name, const Value& object) { OnPut(name, object); },
              .remove = [this](const ObjectName& name) { OnRemoved(name); },
              .settled = [](bool) {}}) {}

  ObjectWriter& writer;
  replicator::KubernetesClient& client;
  replicator::KubernetesSource& source;
  const std::shared_ptr<Logger> logger;

  // Of the client's thread.
  ObjectSink sink;
  // The generation of each wanted CRD as it was written last; 0: it is to be written.
  std::map<std::string, std::int64_t, std::less<>> wanted;

  void OnPut(const ObjectName& name, const Value& object) {
    const auto found = wanted.find(name.name);
    // Each write of the specification raises the generation: another than ours is somebody else's.
    if (found != wanted.end() && found->second != 0 && found->second != GenerationOf(object)) {
      found->second = 0;
      writer.ApplyAgain(PathOf(name.name));
    }
  }
  void OnRemoved(const ObjectName& name) {
    const auto found = wanted.find(name.name);
    if (found != wanted.end() && found->second != 0) {
      logger->Info("constraint CRD was deleted: making it again", {{"crd", name.name}});
      found->second = 0;
      writer.ApplyAgain(PathOf(name.name));
    }
  }
};

ConstraintCrds::ConstraintCrds(ObjectWriter& writer, replicator::KubernetesClient& client,
                               replicator::KubernetesSource& source,
                               const std::shared_ptr<Logger>& logger)
    : state_(std::make_shared<State>(writer, client, source, logger->Named("constraint-crds"))) {
  source.FollowLabelled(CrdType(), std::string(kLabel), state_->sink);
}

ConstraintCrds::~ConstraintCrds() {
  state_->source.Unfollow(CrdType(), state_->sink);
}

void ConstraintCrds::Want(std::string name, std::string manifest) {
  state_->client.http().Post([state = state_, name] { state->wanted.try_emplace(name, 0); });
  state_->writer.Apply(PathOf(name), std::move(manifest),
                       [weak = std::weak_ptr(state_), name](const Value& object) {
                         const std::shared_ptr<State> state = weak.lock();
                         if (state == nullptr) {
                           return;
                         }
                         const auto found = state->wanted.find(name);
                         if (found != state->wanted.end()) {
                           found->second = GenerationOf(object);
                         }
                       });
}

void ConstraintCrds::Forget(const std::string& name) {
  state_->client.http().Post([state = state_, name] { state->wanted.erase(name); });
  state_->writer.Forget(PathOf(name));
}

}  // namespace portcullis::controller
