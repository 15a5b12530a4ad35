// The objects of a cluster: a reflector for each kind and sink, all on the client's thread.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "replicator/kubernetes_client.h"
#include "replicator/reflector.h"
#include "replicator/source.h"

namespace portcullis::replicator {

class KubernetesSource final : public Source {
 public:
  // LIFETIME: the client outlives the source. `options.seed` gives each reflector a seed of its own.
  KubernetesSource(KubernetesClient& client, std::shared_ptr<Logger> logger,
                   ReflectorOptions options = {});
  ~KubernetesSource() override;

  void Follow(const document::GroupVersionKind& type, KindSink& sink) override;
  // Follow, for the objects whose labels match: "a=b,c!=d".
  void FollowLabelled(const document::GroupVersionKind& type, const std::string& label_selector,
                      KindSink& sink);
  void Unfollow(const document::GroupVersionKind& type, KindSink& sink) override;
  [[nodiscard]] std::vector<KindStatus> Status() const override;
  [[nodiscard]] std::vector<Error> Problems() const override;
  [[nodiscard]] bool converts_versions() const override { return true; }
  [[nodiscard]] std::string Description() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::replicator
