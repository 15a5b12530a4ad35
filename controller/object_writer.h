// Writes objects to the API server until they are as wanted: what fails is tried again, with back-off; of several wishes for
// one path the last counts. Few requests are under way at once, however many objects there are.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "document/value.h"
#include "replicator/kubernetes_client.h"

namespace portcullis::controller {

// THREADS: any.
class ObjectWriter {
 public:
  // What the API server answered; called on the client's thread. LIFETIME: the call.
  using Written = std::function<void(const document::Value& object)>;

  // LIFETIME: the client outlives it.
  ObjectWriter(replicator::KubernetesClient& client, const std::shared_ptr<Logger>& logger);
  ~ObjectWriter();
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // From here on there is an object at `path` as `manifest` (JSON or YAML) says: server-side apply, field manager `portcullis`.
  // An object that is still being deleted is waited for.
  void Apply(std::string path, std::string manifest, Written written = {});
  // As Apply, also where it was written as it is wanted now: somebody else changed it.
  void ApplyAgain(const std::string& path);
  // Merges `patch` (JSON) into the object at `path`, or into its status where the path ends in "/status". An object that is not
  // there needs none. Patches of one object replace each other when they have the same `aspect` ("byPod", "audit").
  void Patch(const std::string& path, std::string_view aspect, std::string patch);
  // Creates an object in the collection at `path`, once. One that cannot be made is logged and dropped.
  void Create(std::string path, std::string manifest);
  // From here on there is no object at `path`.
  void Delete(std::string path);
  // Nothing is wanted at `path` any more; a request under way may still arrive.
  void Forget(const std::string& path);

  struct Problem {
    std::string path;
    std::string message;
  };
  // The wishes that failed at the last attempt, by path.
  [[nodiscard]] std::vector<Problem> Problems() const;
  // True when nothing waits to be written.
  [[nodiscard]] bool idle() const;
  // How much waits to be written, as of a moment ago. COST: a lock.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace portcullis::controller
