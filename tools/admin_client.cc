#include "tools/admin_client.h"

#include <optional>
#include <utility>

#include <capnp/rpc-twoparty.h>

#include "document/arena.h"
#include "document/encoding.h"
#include "document/json.h"
#include "tools/admin.capnp.h"
#include "tools/admin_messages.h"
#include "tools/admin_socket.h"
#include "tools/event_thread.h"

namespace portcullis::tools {
namespace {

using capnp_admin::Admin;

// The generated bases of servers have no virtual destructor: KJ destroys objects through the type that it made.
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// Gives `take` what the server sends, unchecked, and keeps its error.
class SinkImpl final : public capnp_admin::Sink::Server {
 public:
  SinkImpl(audit::TakeRecord take, std::optional<Error>& failure)
      : take_(std::move(take)), failure_(failure) {}

 protected:
  kj::Promise<void> page(PageContext context) override {
    bool more = !failure_;
    for (const capnp_admin::Object::Reader object : context.getParams().getObjects()) {
      if (!more) {
        break;
      }
      auto wanted = take_(FromData(object.getKey()), FromData(object.getRecord()));
      if (!wanted) {
        failure_ = std::move(wanted).error();
      }
      more = wanted && *wanted;
    }
    context.getResults().setMore(more);
    return kj::READY_NOW;
  }

 private:
  const audit::TakeRecord take_;
  std::optional<Error>& failure_;
};

// Objects, checked. LIFETIME: the visitor outlives it.
audit::TakeRecord TakeObjects(const Visitor& visitor) {
  return [&visitor, arena = std::make_shared<document::Arena>()](
             std::string_view key, std::string_view record) -> Result<bool> {
    const auto decoded = store::DecodeKey(key);
    if (!decoded) {
      return Fail(ErrorCode::kCorruption, "the server sent a key that is none");
    }
    arena->Reset();
    TRY(document::OpenUntrusted(record, *arena));
    return visitor(decoded->ToKey(), record);
  };
}

class ProgressImpl final : public capnp_admin::Progress::Server {
 public:
  explicit ProgressImpl(const index::Progress& progress) : progress_(progress) {}

 protected:
  kj::Promise<void> report(ReportContext context) override {
    const auto params = context.getParams();
    if (progress_) {
      progress_(params.getDone(), params.getTotal());
    }
    return kj::READY_NOW;
  }

 private:
  const index::Progress& progress_;
};

// What lives on the loop.
struct Link {
  explicit Link(kj::Own<kj::AsyncIoStream> stream_in)
      : stream(kj::mv(stream_in)),
        network(*stream, capnp::rpc::twoparty::Side::CLIENT, ReceiveOptions(kClientReceivesWords)),
        rpc(capnp::makeRpcClient(network)),
        admin(Bootstrap().castAs<Admin>()) {}

  capnp::Capability::Client Bootstrap() {
    capnp::MallocMessageBuilder message(4);
    auto server = message.initRoot<capnp::rpc::twoparty::VatId>();
    server.setSide(capnp::rpc::twoparty::Side::SERVER);
    return rpc.bootstrap(server);
  }

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
  Admin::Client admin;
};

class Client final : public AdminClient {
 public:
  explicit Client(FileDescriptor socket) {
    loop_.Run([&] {
      link_ = kj::heap<Link>(loop_.io().lowLevelProvider->wrapSocketFd(
          socket.Release(), kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP |
                                kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                                kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK));
    });
  }
  ~Client() noexcept override {
    loop_.Run([this] { link_ = nullptr; });
  }

  Result<InventoryStatistics> Statistics() override {
    std::optional<InventoryStatistics> statistics;
    const auto read = [&](auto results) -> Result<void> {
      statistics = TRY(ReadStatistics(results));
      return {};
    };
    TRY(Call<Admin::StatisticsResults>([this] { return link_->admin.statisticsRequest(); }, read));
    return *std::move(statistics);
  }

  Result<void> Visit(const ObjectFilter& filter, const Visitor& visitor) override {
    std::optional<Error> failure;
    TRY(Merge(Call<Admin::VisitResults>(
                  [&] {
                    auto request = link_->admin.visitRequest();
                    WriteFilter(filter, request.initFilter());
                    request.setSink(kj::heap<SinkImpl>(TakeObjects(visitor), failure));
                    return request;
                  },
                  [](auto /*results*/) { return Result<void>(); }),
              failure));
    return {};
  }

  Result<bool> Query(const index::Definition& definition, const document::Value& key,
                     const Visitor& visitor) override {
    std::optional<Error> failure;
    bool by_index = false;
    TRY(Merge(Call<Admin::QueryResults>(
                  [&] {
                    auto request = link_->admin.queryRequest();
                    request.setDefinition(ToText(definition.ToString()));
                    request.setKey(ToText(document::ToJson(key)));
                    request.setSink(kj::heap<SinkImpl>(TakeObjects(visitor), failure));
                    return request;
                  },
                  [&](auto results) {
                    by_index = results.getByIndex();
                    return Result<void>();
                  }),
              failure));
    return by_index;
  }

  Result<void> Findings(const audit::FindingsFilter& filter,
                        const audit::TakeRecord& visitor) override {
    std::optional<Error> failure;
    TRY(Merge(Call<Admin::FindingsResults>(
                  [&] {
                    auto request = link_->admin.findingsRequest();
                    WriteFindingsFilter(filter, request.initFilter());
                    request.setSink(kj::heap<SinkImpl>(visitor, failure));
                    return request;
                  },
                  [](auto /*results*/) { return Result<void>(); }),
              failure));
    return {};
  }

  Result<index::CheckReport> Check(const index::Progress& progress) override {
    index::CheckReport report;
    TRY(Call<Admin::CheckResults>(
        [&] {
          auto request = link_->admin.checkRequest();
          request.setProgress(kj::heap<ProgressImpl>(progress));
          return request;
        },
        [&](auto results) {
          report = ReadCheckReport(results.getReport());
          return Result<void>();
        }));
    return report;
  }

  Result<std::uint64_t> Snapshot(const std::filesystem::path& path,
                                 const index::Progress& progress) override {
    std::uint64_t objects = 0;
    TRY(Call<Admin::SnapshotResults>(
        [&] {
          auto request = link_->admin.snapshotRequest();
          // The server's own directory is another one.
          request.setPath(ToText(std::filesystem::absolute(path).string()));
          request.setProgress(kj::heap<ProgressImpl>(progress));
          return request;
        },
        [&](auto results) {
          objects = results.getObjects();
          return Result<void>();
        }));
    return objects;
  }

  Result<std::string> Explain(const std::string& template_name, bool json) override {
    std::string text;
    TRY(Call<Admin::ExplainResults>(
        [&] {
          auto request = link_->admin.explainRequest();
          request.setTemplate(ToText(template_name));
          request.setJson(json);
          return request;
        },
        [&](auto results) {
          text = FromText(results.getText());
          return Result<void>();
        }));
    return text;
  }

 private:
  // Sends what `make` makes and gives `read` the results, all on the loop.
  template <class Results, class Make, class Read>
  Result<void> Call(Make make, Read read) {
    Result<void> outcome;
    try {
      loop_.Run([&] {
        return make().send().then([&](capnp::Response<Results>&& response) {
          outcome = response.hasFailure()
                        ? Result<void>(std::unexpected(ReadFailure(response.getFailure())))
                        : read(typename Results::Reader(response));
        });
      });
    } catch (const kj::Exception& exception) {
      return std::unexpected(FromException(exception));
    }
    return outcome;
  }

  // A visitor's own error says more than what the server makes of it.
  static Result<void> Merge(Result<void> outcome, const std::optional<Error>& failure) {
    return failure ? Result<void>(std::unexpected(*failure)) : outcome;
  }

  EventThread loop_;
  kj::Own<Link> link_;
};

}  // namespace

Result<std::unique_ptr<AdminClient>> AdminClient::Connect(const std::filesystem::path& socket) {
  FileDescriptor connected = TRY(ConnectTo(socket));
  try {
    return std::make_unique<Client>(std::move(connected));
  } catch (const kj::Exception& exception) {
    return std::unexpected(FromException(exception));
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kUnavailable, std::string("cannot start a thread: ") + exception.what());
  }
}

}  // namespace portcullis::tools
