#include "tools/admin_server.h"

#include <atomic>
#include <functional>
#include <list>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <capnp/rpc-twoparty.h>
#include <kj/timer.h>

#include "document/arena.h"
#include "document/json.h"
#include "tools/admin.capnp.h"
#include "tools/admin_messages.h"
#include "tools/admin_socket.h"
#include "tools/event_thread.h"
#include "tools/inventory_reader.h"

namespace portcullis::tools {
namespace {

using capnp_admin::Admin;

constexpr int kAcceptPauseMs = 100;

// Calls that may take long, each on a thread of its own; the loop only carries their messages.
// THREADS: the loop's, but for what a job is given.
class Jobs {
 public:
  Jobs(const EventThread& loop, std::size_t limit) : loop_(loop), limit_(limit) {}
  ~Jobs() { Reap(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Runs `work` on a thread, then `done` on the loop with its result: where both of them are destroyed too.
  // ERRORS: kUnavailable: too many run already.
  template <class T>
  Result<void> Start(std::move_only_function<Result<T>()> work,
                     std::move_only_function<void(Result<T>)> done) {
    Reap();
    if (jobs_.size() >= limit_) {
      return Fail(ErrorCode::kUnavailable, "the server is busy with " + std::to_string(limit_) +
                                               " other requests of this kind: try again");
    }
    Job& job = jobs_.emplace_back();
    ++running_;
    job.thread = std::thread([this, &job, work = kj::mv(work), done = kj::mv(done)]() mutable {
      Result<T> result = Call<T>(work);
      loop_.Run([&] {
        done(std::move(result));
        const auto gone_with_the_loops_thread = kj::mv(work);
        const auto this_one_too = kj::mv(done);
        job.ended = true;
        if (--running_ == 0 && idle_.get() != nullptr) {
          idle_->fulfill();
        }
      });
    });
    return {};
  }

  kj::Promise<void> WhenIdle() {
    if (running_ == 0) {
      return kj::READY_NOW;
    }
    auto waiting = kj::newPromiseAndFulfiller<void>();
    idle_ = kj::mv(waiting.fulfiller);
    return kj::mv(waiting.promise);
  }

 private:
  struct Job {
    std::thread thread;
    bool ended = false;
  };

  template <class T>
  static Result<T> Call(std::move_only_function<Result<T>()>& work) {
    try {
      return work();
    } catch (const kj::Exception& exception) {
      return std::unexpected(FromException(exception));
    } catch (const std::exception& exception) {
      return Fail(ErrorCode::kInternal, exception.what());
    }
  }

  void Reap() {
    for (auto job = jobs_.begin(); job != jobs_.end();) {
      if (job->ended) {
        job->thread.join();
        job = jobs_.erase(job);
      } else {
        ++job;
      }
    }
  }

  const EventThread& loop_;
  const std::size_t limit_;
  std::list<Job> jobs_;
  std::size_t running_ = 0;
  kj::Own<kj::PromiseFulfiller<void>> idle_;
};

// What all connections share.
struct Shared {
  const AdminServerOptions& options;
  index::Inventory& inventory;
  const ExplainCallback& explain;
  const EventThread& loop;
  std::atomic<bool> stopping = false;
  Jobs jobs;
};

// Objects on their way to a client's sink. Add and Flush are called on a job's thread.
class PageSender {
 public:
  PageSender(Shared& shared, capnp_admin::Sink::Client sink)
      : shared_(shared), sink_(kj::mv(sink)) {}

  Result<bool> Add(std::string key, std::string_view record) {
    objects_.push_back({std::move(key), std::string(record)});
    bytes_ += objects_.back().key.size() + record.size();
    if (bytes_ < shared_.options.page_bytes && objects_.size() < shared_.options.page_objects) {
      return !shared_.stopping;
    }
    return Flush();
  }

  // Waits until the client has taken the page. False: it wants no more.
  Result<bool> Flush() {
    if (shared_.stopping) {
      return Fail(ErrorCode::kUnavailable, "the server is stopping");
    }
    if (objects_.empty()) {
      return true;
    }
    try {
      const bool more = shared_.loop.Run([this] { return Send(); });
      objects_.clear();
      bytes_ = 0;
      return more;
    } catch (const kj::Exception& exception) {
      return std::unexpected(FromException(exception));
    }
  }

 private:
  struct Object {
    std::string key;
    std::string record;
  };

  kj::Promise<bool> Send() {
    auto request = sink_.pageRequest();
    auto page = request.initObjects(static_cast<unsigned>(objects_.size()));
    for (unsigned i = 0; i < page.size(); ++i) {
      page[i].setKey(ToData(objects_[i].key));
      page[i].setRecord(ToData(objects_[i].record));
    }
    auto taken = request.send().then([](auto&& response) { return response.getMore(); });
    return shared_.loop.io().provider->getTimer().timeoutAfter(
        shared_.options.client_timeout.count() * kj::SECONDS, kj::mv(taken));
  }

  Shared& shared_;
  capnp_admin::Sink::Client sink_;  // The loop's.
  std::vector<Object> objects_;
  std::size_t bytes_ = 0;
};

// How far a job has come, for its client. The first report that fails is the last.
class ProgressSender {
 public:
  ProgressSender(Shared& shared, capnp_admin::Progress::Client progress)
      : shared_(shared), progress_(kj::mv(progress)) {}

  void Report(std::uint64_t done, std::uint64_t total) {
    if (gone_ || shared_.stopping) {
      return;
    }
    try {
      shared_.loop.Run([&]() -> kj::Promise<void> {
        auto request = progress_.reportRequest();
        request.setDone(done);
        request.setTotal(total);
        return shared_.loop.io().provider->getTimer().timeoutAfter(
            shared_.options.client_timeout.count() * kj::SECONDS, request.send().ignoreResult());
      });
    } catch (const kj::Exception&) {
      gone_ = true;
    }
  }

 private:
  Shared& shared_;
  capnp_admin::Progress::Client progress_;  // The loop's.
  bool gone_ = false;
};

// Runs a job and writes its outcome into the call's results.
template <class T, class Context, class Write>
kj::Promise<void> Answer(Shared& shared, Context context, std::move_only_function<Result<T>()> work,
                         Write write) {
  auto waiting = kj::newPromiseAndFulfiller<Result<T>>();
  std::move_only_function<void(Result<T>)> done =
      [fulfiller = kj::mv(waiting.fulfiller)](Result<T> result) mutable {
        fulfiller->fulfill(std::move(result));
      };
  if (const auto started = shared.jobs.Start<T>(kj::mv(work), kj::mv(done)); !started) {
    WriteFailure(started.error(), context.getResults().initFailure());
    return kj::READY_NOW;
  }
  return waiting.promise.then([context, write = kj::mv(write)](Result<T> result) mutable {
    if (!result) {
      WriteFailure(result.error(), context.getResults().initFailure());
    } else if constexpr (std::is_void_v<T>) {
      write(context.getResults());
    } else {
      write(context.getResults(), *result);
    }
  });
}

// The generated base has no virtual destructor: KJ destroys objects through the type that it made.
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class AdminImpl final : public Admin::Server {
 public:
  explicit AdminImpl(Shared& shared) : shared_(shared) {}

 protected:
  kj::Promise<void> statistics(StatisticsContext context) override {
    return Answer<InventoryStatistics>(
        shared_, context,
        [&inventory = shared_.inventory] { return MakeLocalReader(inventory)->Statistics(); },
        [](auto results, const InventoryStatistics& statistics) {
          WriteStatistics(statistics, results);
        });
  }

  kj::Promise<void> visit(VisitContext context) override {
    auto params = context.getParams();
    auto sender = kj::heap<PageSender>(shared_, params.getSink());
    return Answer<void>(
        shared_, context,
        [&inventory = shared_.inventory, filter = ReadFilter(params.getFilter()),
         sender = kj::mv(sender)]() mutable -> Result<void> {
          TRY(MakeLocalReader(inventory)->Visit(filter, Visit(*sender)));
          TRY(sender->Flush());
          return {};
        },
        [](auto /*results*/) {});
  }

  kj::Promise<void> query(QueryContext context) override {
    auto params = context.getParams();
    auto sender = kj::heap<PageSender>(shared_, params.getSink());
    return Answer<bool>(
        shared_, context,
        [&inventory = shared_.inventory, definition = FromText(params.getDefinition()),
         key = FromText(params.getKey()), sender = kj::mv(sender)]() mutable -> Result<bool> {
          document::Arena arena;
          const index::Definition parsed = TRY(index::Definition::Parse(definition));
          const document::Value wanted = TRY(document::ParseJson(key, arena));
          const bool by_index =
              TRY(MakeLocalReader(inventory)->Query(parsed, wanted, Visit(*sender)));
          TRY(sender->Flush());
          return by_index;
        },
        [](auto results, bool by_index) { results.setByIndex(by_index); });
  }

  kj::Promise<void> findings(FindingsContext context) override {
    auto params = context.getParams();
    auto sender = kj::heap<PageSender>(shared_, params.getSink());
    return Answer<void>(
        shared_, context,
        [&inventory = shared_.inventory, filter = ReadFindingsFilter(params.getFilter()),
         sender = kj::mv(sender)]() mutable -> Result<void> {
          TRY(MakeLocalReader(inventory)->Findings(
              filter, [&sender](std::string_view key, std::string_view value) {
                return sender->Add(std::string(key), value);
              }));
          TRY(sender->Flush());
          return {};
        },
        [](auto /*results*/) {});
  }

  kj::Promise<void> check(CheckContext context) override {
    auto sender = kj::heap<ProgressSender>(shared_, context.getParams().getProgress());
    return Answer<index::CheckReport>(
        shared_, context,
        [&inventory = shared_.inventory, sender = kj::mv(sender)]() mutable {
          return MakeLocalReader(inventory)->Check(Report(*sender));
        },
        [](auto results, const index::CheckReport& report) {
          WriteCheckReport(report, results.initReport());
        });
  }

  kj::Promise<void> snapshot(SnapshotContext context) override {
    auto params = context.getParams();
    auto sender = kj::heap<ProgressSender>(shared_, params.getProgress());
    return Answer<std::uint64_t>(
        shared_, context,
        [&inventory = shared_.inventory, path = FromText(params.getPath()),
         sender = kj::mv(sender)]() mutable -> Result<std::uint64_t> {
          if (!std::filesystem::path(path).is_absolute()) {
            return Fail(ErrorCode::kInvalidArgument,
                        "the server needs an absolute path, not \"" + path + "\"");
          }
          return MakeLocalReader(inventory)->Snapshot(path, Report(*sender));
        },
        [](auto results, std::uint64_t objects) { results.setObjects(objects); });
  }

  kj::Promise<void> explain(ExplainContext context) override {
    return Answer<std::string>(
        shared_, context,
        [&explain = shared_.explain, name = FromText(context.getParams().getTemplate()),
         json = context.getParams().getJson()] { return explain(name, json); },
        [](auto results, const std::string& text) { results.setText(ToText(text)); });
  }

 private:
  static Visitor Visit(PageSender& sender) {
    return [&sender](const store::ObjectKey& key, std::string_view record) {
      return sender.Add(store::EncodeKey(key), record);
    };
  }
  static index::Progress Report(ProgressSender& sender) {
    return [&sender](std::uint64_t done, std::uint64_t total) { sender.Report(done, total); };
  }

  Shared& shared_;
};

// One client. Lives on the loop.
struct Connection {
  Connection(kj::Own<kj::AsyncIoStream> stream_in, Admin::Client bootstrap)
      : stream(kj::mv(stream_in)),
        network(*stream, capnp::rpc::twoparty::Side::SERVER, ReceiveOptions(kServerReceivesWords)),
        rpc(capnp::makeRpcServer(network, kj::mv(bootstrap))) {}

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
};

// Everything that lives on the loop.
class Acceptor final : private kj::TaskSet::ErrorHandler {
 public:
  Acceptor(Shared& shared, FileDescriptor listener, std::shared_ptr<Logger> logger)
      : shared_(shared),
        logger_(std::move(logger)),
        admin_(kj::heap<AdminImpl>(shared)),
        receiver_(shared.loop.io().lowLevelProvider->wrapListenSocketFd(
            listener.Release(), kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP |
                                    kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                                    kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK)),
        connections_(*this),
        accepting_(Accept().eagerlyEvaluate(nullptr)) {}

 private:
  kj::Promise<void> Accept() {
    return receiver_->accept().then(
        [this](kj::Own<kj::AsyncIoStream> stream) {
          Adopt(kj::mv(stream));
          return Accept();
        },
        [this](kj::Exception&& exception) {
          // No file descriptor left, say: others may be closed soon.
          logger_->Warning("accept",
                           {{"error", std::string_view(exception.getDescription().cStr())}});
          return shared_.loop.io()
              .provider->getTimer()
              .afterDelay(kAcceptPauseMs * kj::MILLISECONDS)
              .then([this] { return Accept(); });
        });
  }

  void Adopt(kj::Own<kj::AsyncIoStream> stream) {
    if (open_ >= shared_.options.max_connections) {
      return;
    }
    ++open_;
    auto connection = kj::heap<Connection>(kj::mv(stream), admin_);
    auto& network = connection->network;
    connections_.add(
        network.onDisconnect().attach(kj::mv(connection), kj::defer([this] { --open_; })));
  }

  void taskFailed(kj::Exception&& exception) override {
    logger_->Debug("admin connection",
                   {{"error", std::string_view(exception.getDescription().cStr())}});
  }

  Shared& shared_;
  const std::shared_ptr<Logger> logger_;
  Admin::Client admin_;
  kj::Own<kj::ConnectionReceiver> receiver_;
  std::size_t open_ = 0;
  kj::TaskSet connections_;
  kj::Promise<void> accepting_;
};

class Server final : public AdminServer {
 public:
  Server(AdminServerOptions options, index::Inventory& inventory, ExplainCallback explain)
      : options_(std::move(options)),
        explain_(std::move(explain)),
        shared_{.options = options_,
                .inventory = inventory,
                .explain = explain_,
                .loop = loop_,
                .stopping = false,
                .jobs = Jobs(loop_, options_.max_jobs)} {}

  ~Server() noexcept override {
    shared_.stopping = true;
    // Clients first: what a job still has to send then fails, and the job ends.
    loop_.Run([this] {
      acceptor_ = nullptr;
      return shared_.jobs.WhenIdle();
    });
    std::error_code ignored;
    std::filesystem::remove(options_.socket, ignored);
  }

  void Serve(FileDescriptor listener, std::shared_ptr<Logger> logger) {
    loop_.Run(
        [&] { acceptor_ = kj::heap<Acceptor>(shared_, std::move(listener), std::move(logger)); });
  }

 private:
  const AdminServerOptions options_;
  const ExplainCallback explain_;
  EventThread loop_;
  Shared shared_;
  kj::Own<Acceptor> acceptor_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminServerOptions& options,
                                                        index::Inventory& inventory,
                                                        ExplainCallback explain,
                                                        std::shared_ptr<Logger> logger) {
  FileDescriptor listener = TRY(ListenOn(options.socket));
  try {
    auto server = std::make_unique<Server>(options, inventory, std::move(explain));
    server->Serve(std::move(listener), std::move(logger));
    return server;
  } catch (const kj::Exception& exception) {
    return std::unexpected(FromException(exception));
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kUnavailable, std::string("cannot start a thread: ") + exception.what());
  }
}

}  // namespace portcullis::tools
