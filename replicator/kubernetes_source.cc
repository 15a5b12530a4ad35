#include "replicator/kubernetes_source.h"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace portcullis::replicator {
namespace {

using document::GroupVersionKind;
using std::chrono::steady_clock;

using Key = std::pair<GroupVersionKind, const KindSink*>;

// The statuses, as the last call of each reflector left them.
struct Board {
  std::mutex mutex;
  std::map<Key, KindStatus> statuses;  // Guarded by mutex.
};

// One reflector with its request and its timer. Lives on the client's thread.
class Follower final : public ReflectorIo, public HttpHandler {
 public:
  Follower(KubernetesClient& client, const GroupVersionKind& type, KindSink& sink,
           const Logger& logger, const ReflectorOptions& options, Board& board)
      : client_(client),
        board_(board),
        reflector_(type, sink, *this, client.clock(), logger, options) {}
  ~Follower() override {
    Cancel();
    if (timer_) {
      client_.http().CancelTimer(*timer_);
    }
  }

  void Start() {
    reflector_.Start();
    AfterCall();
  }

  void Get(const std::string& path, Connection connection) override {
    Cancel();
    HttpRequest request;
    request.path = path;
    request.connection = connection;
    if (Result<void> ready = client_.Authorize(&request); !ready) {
      refusal_ = client_.http().RunAt(client_.clock().Now(),
                                      [this, error = std::move(ready).error()]() mutable {
                                        refusal_.reset();
                                        OnEnd(std::unexpected(std::move(error)));
                                      });
      return;
    }
    exchange_ = client_.http().Start(std::move(request), *this);
  }
  void Cancel() override {
    if (exchange_) {
      client_.http().Cancel(*std::exchange(exchange_, std::nullopt));
    }
    if (refusal_) {
      client_.http().CancelTimer(*std::exchange(refusal_, std::nullopt));
    }
  }

  void OnStatus(int status, std::optional<std::chrono::seconds> retry_after) override {
    reflector_.OnStatus(status, retry_after);
    AfterCall();
  }
  void OnBytes(std::string_view bytes) override {
    reflector_.OnBytes(bytes);
    AfterCall();
  }
  void OnEnd(Result<void> result) override {
    exchange_.reset();
    reflector_.OnEnd(std::move(result));
    AfterCall();
  }

 private:
  void AfterCall() {
    const KindStatus& status = reflector_.status();
    {
      const std::lock_guard lock(board_.mutex);
      board_.statuses[{status.type, status.sink}] = status;
    }
    // A timer that is early finds nothing to do and is set anew: most deadlines only move on.
    const std::optional<steady_clock::time_point> deadline = reflector_.deadline();
    if (!deadline || (timer_ && timer_at_ <= *deadline)) {
      return;
    }
    if (timer_) {
      client_.http().CancelTimer(*timer_);
    }
    timer_at_ = *deadline;
    timer_ = client_.http().RunAt(*deadline, [this] {
      timer_.reset();
      reflector_.Tick();
      AfterCall();
    });
  }

  KubernetesClient& client_;
  Board& board_;
  std::optional<ExchangeId> exchange_;
  std::optional<TimerId> refusal_;
  std::optional<TimerId> timer_;
  steady_clock::time_point timer_at_{};
  Reflector reflector_;
};

}  // namespace

struct KubernetesSource::State {
  KubernetesClient& client;
  std::shared_ptr<Logger> logger;
  ReflectorOptions options;
  Board board;
  // Of the client's thread.
  std::map<Key, std::unique_ptr<Follower>> followers;
  std::uint64_t started = 0;
};

KubernetesSource::KubernetesSource(KubernetesClient& client, std::shared_ptr<Logger> logger,
                                   ReflectorOptions options)
    : state_(new State{client, logger->Named("replicator"), std::move(options), {}, {}, 0}) {}

KubernetesSource::~KubernetesSource() {
  state_->client.http().RunAndWait([this] { state_->followers.clear(); });
}

void KubernetesSource::Follow(const GroupVersionKind& type, KindSink& sink) {
  FollowLabelled(type, state_->options.label_selector, sink);
}

void KubernetesSource::FollowLabelled(const GroupVersionKind& type,
                                      const std::string& label_selector, KindSink& sink) {
  {
    // Shown from now on, so that nobody takes a kind that has not begun for one that nobody follows.
    const std::lock_guard lock(state_->board.mutex);
    KindStatus status;
    status.type = type;
    status.sink = &sink;
    state_->board.statuses.try_emplace({type, &sink}, status);
  }
  const auto start = [this, type, label_selector, &sink] {
    std::unique_ptr<Follower>& follower = state_->followers[{type, &sink}];
    if (follower != nullptr) {
      return;
    }
    ReflectorOptions options = state_->options;
    options.label_selector = label_selector;
    options.seed += 1'000 * state_->started++;
    follower = std::make_unique<Follower>(state_->client, type, sink, *state_->logger, options,
                                          state_->board);
    follower->Start();
  };
  // At once where it can be, so that an Unfollow right after finds it.
  if (state_->client.http().on_client_thread()) {
    start();
  } else {
    state_->client.http().Post(start);
  }
}

void KubernetesSource::Unfollow(const GroupVersionKind& type, KindSink& sink) {
  state_->client.http().RunAndWait([&] { state_->followers.erase({type, &sink}); });
  const std::lock_guard lock(state_->board.mutex);
  state_->board.statuses.erase({type, &sink});
}

std::vector<KindStatus> KubernetesSource::Status() const {
  const std::lock_guard lock(state_->board.mutex);
  std::vector<KindStatus> statuses;
  statuses.reserve(state_->board.statuses.size());
  for (const auto& [key, status] : state_->board.statuses) {
    statuses.push_back(status);
  }
  return statuses;
}

std::vector<Error> KubernetesSource::Problems() const {
  return {};
}

std::string KubernetesSource::Description() const {
  return state_->client.server();
}

}  // namespace portcullis::replicator
