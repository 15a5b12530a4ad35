#include "controller/object_writer.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "document/arena.h"
#include "document/json.h"
#include "replicator/back_off.h"

namespace portcullis::controller {
namespace {

using document::Value;
using replicator::KubernetesClient;

constexpr std::string_view kFieldManager = "portcullis";
constexpr std::chrono::milliseconds kRetryBase{500};
constexpr std::chrono::milliseconds kRetryLimit{60'000};
constexpr std::size_t kMostInFlight = 16;
// Of events that wait to be created; beyond this the newest are dropped.
constexpr std::size_t kMostCreations = 10'000;

enum class Verb : std::uint8_t { kApply, kPatch, kDelete };

// What is wanted at one path. Its key is the path, for a patch followed by a line feed and the aspect.
struct Wish {
  Verb verb = Verb::kApply;
  std::string text;
  ObjectWriter::Written written;
  std::uint64_t edition = 0;  // Raised with every change of the wish.
  bool done = false;
  bool queued = false;
  bool in_flight = false;
  bool forgotten = false;  // Goes when the request that is under way has ended.
  std::optional<replicator::TimerId> retry;
  replicator::BackOff back_off{kRetryBase, kRetryLimit, 0};
};

}  // namespace

struct ObjectWriter::State : std::enable_shared_from_this<State> {
  State(KubernetesClient& kubernetes, std::shared_ptr<Logger> log)
      : client(kubernetes), logger(std::move(log)) {}

  KubernetesClient& client;
  const std::shared_ptr<Logger> logger;

  // Of the client's thread.
  std::map<std::string, Wish, std::less<>> wishes;
  std::deque<std::string> queue;
  std::deque<std::pair<std::string, std::string>> creations;
  std::size_t in_flight = 0;
  std::size_t retrying = 0;
  std::uint64_t editions = 0;
  bool stopped = false;

  std::mutex mutex;
  // Guarded by mutex:
  std::map<std::string, std::string> problems;
  std::size_t unfinished = 0;

  void Want(const std::string& key, Verb verb, std::string text, Written written) {
    Wish& wish = wishes[key];
    wish.forgotten = false;
    if (wish.edition != 0 && wish.verb == verb && wish.text == text) {
      return;
    }
    wish.verb = verb;
    wish.text = std::move(text);
    wish.written = std::move(written);
    wish.edition = ++editions;
    wish.back_off.Reset();
    Enqueue(key, wish);
  }

  void Enqueue(const std::string& path, Wish& wish) {
    wish.done = false;
    CancelRetry(wish);
    // One that is under way is followed by the new one.
    if (!wish.queued && !wish.in_flight) {
      wish.queued = true;
      queue.push_back(path);
    }
    Pump();
  }

  void CancelRetry(Wish& wish) {
    if (wish.retry) {
      client.http().CancelTimer(*std::exchange(wish.retry, std::nullopt));
      --retrying;
    }
  }

  void Erase(std::map<std::string, Wish, std::less<>>::iterator at) {
    CancelRetry(at->second);
    Report(at->first, "");
    wishes.erase(at);
  }

  void Pump() {
    while (!stopped && in_flight < kMostInFlight && !queue.empty()) {
      const std::string path = std::move(queue.front());
      queue.pop_front();
      const auto found = wishes.find(path);
      if (found == wishes.end() || !found->second.queued) {
        continue;
      }
      found->second.queued = false;
      Send(path, found->second);
    }
    while (!stopped && in_flight < kMostInFlight && !creations.empty()) {
      auto [path, manifest] = std::move(creations.front());
      creations.pop_front();
      ++in_flight;
      client.Send(KubernetesClient::Create(path, std::move(manifest)),
                  [weak = weak_from_this(), path](const Result<std::string>& reply) {
                    if (const std::shared_ptr<State> self = weak.lock()) {
                      self->OnCreated(path, reply);
                    }
                  });
    }
    const std::lock_guard lock(mutex);
    unfinished = creations.size() + queue.size() + in_flight + retrying;
  }

  void Send(const std::string& key, Wish& wish) {
    wish.in_flight = true;
    ++in_flight;
    const std::string path = key.substr(0, key.find('\n'));
    replicator::HttpRequest request =
        wish.verb == Verb::kApply   ? KubernetesClient::Apply(path, wish.text, kFieldManager)
        : wish.verb == Verb::kPatch ? KubernetesClient::MergePatch(path, wish.text)
                                    : KubernetesClient::Delete(path);
    client.Send(std::move(request), [weak = weak_from_this(), key,
                                     edition = wish.edition](const Result<std::string>& reply) {
      if (const std::shared_ptr<State> self = weak.lock()) {
        self->OnReply(key, edition, reply);
      }
    });
  }

  void OnCreated(const std::string& path, const Result<std::string>& reply) {
    --in_flight;
    if (!reply) {
      logger->Warning("object not created", {{"path", path}, {"error", reply.error().message}});
    }
    Pump();
  }

  void OnReply(const std::string& path, std::uint64_t edition, const Result<std::string>& reply) {
    --in_flight;
    const auto found = wishes.find(path);
    if (!stopped && found != wishes.end()) {
      found->second.in_flight = false;
      if (found->second.forgotten) {
        Erase(found);
      } else if (found->second.edition != edition) {
        Enqueue(path, found->second);
      } else {
        Finish(found, reply);
      }
    }
    Pump();
  }

  void Finish(std::map<std::string, Wish, std::less<>>::iterator found,
              const Result<std::string>& reply) {
    const std::string path = found->first;
    Wish& wish = found->second;
    const bool missing = !reply && reply.error().code == ErrorCode::kNotFound;
    if (missing && wish.verb != Verb::kApply) {
      return Erase(found);
    }
    std::string problem = reply ? "" : reply.error().message;
    document::Arena arena;
    Result<Value> object = Value();
    if (reply && wish.verb == Verb::kApply) {
      object = document::ParseJson(*reply, arena);
      if (!object) {
        problem = object.error().message;
      } else if (object->Get({"metadata", "deletionTimestamp"}).is_string()) {
        problem = "it is still being deleted";
      }
    }
    Report(path, problem);
    if (problem.empty()) {
      wish.done = true;
      wish.back_off.Reset();
      if (wish.verb != Verb::kApply) {
        wishes.erase(found);
      } else if (wish.written) {
        // It may change the wishes.
        const Written written = wish.written;
        written(*object);
      }
      return;
    }
    logger->Warning("object not written",
                    {{"path", path.substr(0, path.find('\n'))}, {"error", problem}});
    ++retrying;
    wish.retry = client.http().RunAt(client.clock().Now() + wish.back_off.Next(),
                                     [weak = weak_from_this(), path] {
                                       if (const std::shared_ptr<State> self = weak.lock()) {
                                         self->Retry(path);
                                       }
                                     });
  }

  void Retry(const std::string& path) {
    const auto found = wishes.find(path);
    if (found != wishes.end()) {
      found->second.retry.reset();
      --retrying;
      Enqueue(path, found->second);
    }
  }

  void Report(const std::string& path, const std::string& problem) {
    const std::lock_guard lock(mutex);
    if (problem.empty()) {
      problems.erase(path);
    } else {
      problems[path] = problem;
    }
  }
};

ObjectWriter::ObjectWriter(KubernetesClient& client, const std::shared_ptr<Logger>& logger)
    : state_(std::make_shared<State>(client, logger->Named("object-writer"))) {}

ObjectWriter::~ObjectWriter() {
  state_->client.http().RunAndWait([this] {
    state_->stopped = true;
    for (auto& [path, wish] : state_->wishes) {
      state_->CancelRetry(wish);
    }
    state_->wishes.clear();
  });
}

void ObjectWriter::Apply(std::string path, std::string manifest, Written written) {
  state_->client.http().Post([state = state_, path = std::move(path),
                              manifest = std::move(manifest),
                              written = std::move(written)]() mutable {
    state->Want(path, Verb::kApply, std::move(manifest), std::move(written));
  });
}

void ObjectWriter::ApplyAgain(const std::string& path) {
  state_->client.http().Post([state = state_, path] {
    const auto found = state->wishes.find(path);
    if (found != state->wishes.end() && found->second.verb == Verb::kApply && found->second.done) {
      state->Enqueue(path, found->second);
    }
  });
}

void ObjectWriter::Patch(const std::string& path, std::string_view aspect, std::string patch) {
  std::string key = path + "\n" + std::string(aspect);
  state_->client.http().Post(
      [state = state_, key = std::move(key), patch = std::move(patch)]() mutable {
        state->Want(key, Verb::kPatch, std::move(patch), {});
      });
}

void ObjectWriter::Create(std::string path, std::string manifest) {
  state_->client.http().Post(
      [state = state_, path = std::move(path), manifest = std::move(manifest)]() mutable {
        if (state->creations.size() >= kMostCreations) {
          state->logger->Warning("object not created: too many wait", {{"path", path}});
          return;
        }
        state->creations.emplace_back(std::move(path), std::move(manifest));
        state->Pump();
      });
}

void ObjectWriter::Delete(std::string path) {
  state_->client.http().Post(
      [state = state_, path = std::move(path)] { state->Want(path, Verb::kDelete, "", {}); });
}

void ObjectWriter::Forget(const std::string& path) {
  state_->client.http().Post([state = state_, path] {
    const auto found = state->wishes.find(path);
    if (found == state->wishes.end()) {
      return;
    }
    if (found->second.in_flight) {
      found->second.forgotten = true;
    } else {
      state->Erase(found);
    }
    state->Pump();
  });
}

std::vector<ObjectWriter::Problem> ObjectWriter::Problems() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Problem> problems;
  for (const auto& [key, message] : state_->problems) {
    problems.push_back({key.substr(0, key.find('\n')), message});
  }
  return problems;
}

std::size_t ObjectWriter::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->unfinished;
}

bool ObjectWriter::idle() const {
  // Wishes that were posted are there before this looks.
  bool idle = false;
  state_->client.http().RunAndWait([&] {
    const std::lock_guard lock(state_->mutex);
    idle = state_->unfinished == 0;
  });
  return idle;
}

}  // namespace portcullis::controller
