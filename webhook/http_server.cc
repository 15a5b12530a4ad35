#include "webhook/http_server.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/stat.h>

#include "webhook/event_loop.h"
#include "webhook/http_connection.h"
#include "webhook/tls_connection.h"
#include "webhook/tls_context.h"

namespace portcullis::webhook {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr milliseconds kAcceptPause{
    100};  // After accept failed, as it does without free file descriptors.
constexpr milliseconds kLongestSweep{1'000};
constexpr milliseconds kShortestSweep{10};

// How often deadlines are looked at: often enough that none is missed by more than a quarter.
milliseconds SweepInterval(const HttpServerOptions& options) {
  const milliseconds shortest =
      std::min({options.handshake_timeout, options.header_timeout, options.body_timeout,
                options.write_timeout, options.idle_timeout});
  return std::clamp(shortest / 4, kShortestSweep, kLongestSweep);
}

std::string HttpDate(Clock& clock) {
  const std::time_t now = std::chrono::system_clock::to_time_t(clock.WallNow());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  // The names of days and months are English whatever the locale: the program never sets one.
  const std::size_t size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

// Changes whenever either file is replaced or rewritten; empty while one is missing.
std::string FilesSignature(const std::filesystem::path& directory) {
  std::string signature;
  for (const char* name : {"tls.crt", "tls.key"}) {
    struct stat status{};
    if (::stat((directory / name).c_str(), &status) != 0) {
      return {};
    }
    for (const std::int64_t part :
         {static_cast<std::int64_t>(status.st_ino), static_cast<std::int64_t>(status.st_size),
          static_cast<std::int64_t>(status.st_mtim.tv_sec),
          static_cast<std::int64_t>(status.st_mtim.tv_nsec)}) {
      signature += std::to_string(part) + " ";
    }
  }
  return signature;
}

class Server final : public HttpServer {
 public:
  Server(std::string name, const HttpServerOptions& options, const TlsOptions* tls,
         HttpHandler& handler, Clock& clock, std::shared_ptr<Logger> logger, Metrics& metrics)
      : tls_(tls == nullptr ? std::nullopt : std::optional(*tls)),
        shared_(options, handler, clock, std::move(logger), HttpCounters(metrics, name)),
        sweep_interval_(SweepInterval(options)) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
      loops_.push_back(std::make_unique<EventLoop>(shared_));
    }
    acceptor_.emplace(loops_.front()->context);
    accept_pause_.emplace(loops_.front()->context);
    reload_timer_.emplace(loops_.front()->context);
  }

  ~Server() override {
    for (auto& loop : loops_) {
      loop->context.stop();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
    // No loop runs any more: from here on connections may die on this thread. Workers end before
    // the loops that they post to.
    shared_.workers.reset();
    acceptor_.reset();
    accept_pause_.reset();
    reload_timer_.reset();
    sweeps_.clear();
    loops_.clear();
  }

  Result<void> Open() {
    if (tls_) {
      TRY(LoadTls());
    }
    TRY(Listen());
    for (auto& loop : loops_) {
      loop->date = HttpDate(shared_.clock);
      Sweep(*loop, *sweeps_.emplace_back(std::make_unique<asio::steady_timer>(loop->context)));
    }
    Accept();
    if (tls_ && !tls_->directory.empty()) {
      WatchFiles();
    }
    for (auto& loop : loops_) {
      threads_.emplace_back([this, &loop] { Run(*loop); });
    }
    return {};
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  bool Drain(milliseconds timeout) override {
    shared_.draining = true;
    asio::post(loops_.front()->context, [this] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      accept_pause_->cancel();
    });
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      for (auto& loop : loops_) {
        asio::post(loop->context, [&loop = *loop] {
          ForEach(loop, [](LoopConnection& connection) { connection.CloseIfIdle(); });
        });
      }
      if (shared_.connections == 0) {
        return true;
      }
      if (std::chrono::steady_clock::now() >= end) {
        return false;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

 private:
  // An exception can come only out of a broken promise of ours; the other connections go on.
  void Run(EventLoop& loop) {
    for (;;) {
      try {
        loop.context.run();
        return;
      } catch (const std::exception& exception) {
        shared_.logger->Error("event loop", {{"error", std::string_view(exception.what())}});
      }
    }
  }

  // Closing a connection changes the set that is walked.
  template <class Call>
  static void ForEach(EventLoop& loop, Call call) {
    const std::vector<LoopConnection*> connections(loop.connections.begin(),
                                                   loop.connections.end());
    for (LoopConnection* connection : connections) {
      call(*connection);
    }
  }

  Result<void> Listen() {
    const HttpServerOptions& options = shared_.options;
    boost::system::error_code error;
    const auto address = options.address.empty() ? asio::ip::address(asio::ip::address_v6::any())
                                                 : asio::ip::make_address(options.address, error);
    if (error) {
      return Fail(ErrorCode::kInvalidArgument, "\"" + options.address + "\" is not an IP address");
    }
    tcp::endpoint endpoint(address, options.port);
    acceptor_->open(endpoint.protocol(), error);
    if (error && options.address.empty()) {
      endpoint = tcp::endpoint(asio::ip::address_v4::any(), options.port);
      acceptor_->open(endpoint.protocol(), error);
    } else if (!error && options.address.empty()) {
      acceptor_->set_option(asio::ip::v6_only(false), error);
    }
    if (!error) {
      acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      acceptor_->bind(endpoint, error);
    }
    if (!error) {
      acceptor_->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return Fail(ErrorCode::kUnavailable, "cannot listen on " + options.address + ":" +
                                               std::to_string(options.port) + ": " +
                                               error.message());
    }
    port_ = acceptor_->local_endpoint(error).port();
    return {};
  }

  void Accept() {
    EventLoop& loop = *loops_[next_loop_++ % loops_.size()];
    acceptor_->async_accept(loop.context, [this, &loop](const auto& error, tcp::socket socket) {
      if (!acceptor_->is_open()) {
        return;
      }
      if (error) {
        shared_.logger->Warning("accept", {{"error", std::string_view(error.message())}});
        accept_pause_->expires_after(kAcceptPause);
        accept_pause_->async_wait([this](const auto& cancelled) {
          if (!cancelled) {
            Accept();
          }
        });
        return;
      }
      Adopt(loop, std::move(socket));
      Accept();
    });
  }

  // Hands the socket to the loop that will own it.
  void Adopt(EventLoop& loop, tcp::socket socket) {
    if (shared_.connections.fetch_add(1) >= shared_.options.max_connections) {
      --shared_.connections;
      shared_.counters.refused.Increment();
      return;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto context = CurrentTls();
    asio::post(loop.context, [&loop, context, socket = std::move(socket)]() mutable {
      if (context) {
        StartTlsConnection(loop, std::move(socket), std::move(context));
      } else {
        StartPlainConnection(loop, std::move(socket));
      }
    });
  }

  void Sweep(EventLoop& loop, asio::steady_timer& timer) {
    timer.expires_after(sweep_interval_);
    timer.async_wait([this, &loop, &timer](const auto& cancelled) {
      if (cancelled) {
        return;
      }
      loop.date = HttpDate(shared_.clock);
      const auto now = shared_.clock.Now();
      ForEach(loop, [now](LoopConnection& connection) { connection.CheckDeadline(now); });
      Sweep(loop, timer);
    });
  }

  Result<void> LoadTls() {
    std::string signature;
    CertificatePair pair = tls_->pair;
    if (!tls_->directory.empty()) {
      signature = FilesSignature(tls_->directory);
      pair = TRY(LoadCertificate(tls_->directory));
    }
    auto context = TRY(MakeTlsContext(pair, *tls_, shared_.logger));
    files_signature_ = std::move(signature);
    tls_context_ = std::move(context);
    return {};
  }

  // Only on the first loop, which also accepts.
  std::shared_ptr<TlsContext> CurrentTls() const { return tls_context_; }

  void WatchFiles() {
    reload_timer_->expires_after(tls_->reload_interval);
    reload_timer_->async_wait([this](const auto& cancelled) {
      if (cancelled) {
        return;
      }
      const std::string signature = FilesSignature(tls_->directory);
      if (!signature.empty() && signature != files_signature_ && signature != refused_signature_) {
        Reload(signature);
      }
      WatchFiles();
    });
  }

  void Reload(const std::string& signature) {
    if (auto loaded = LoadTls(); !loaded) {
      // Half of a change, most likely: the other half changes the signature again.
      refused_signature_ = signature;
      shared_.logger->Warning("the certificate changed but cannot be used; the old one serves on",
                              {{"error", std::string_view(loaded.error().message)}});
      return;
    }
    shared_.logger->Info("certificate loaded",
                         {{"directory", std::string_view(tls_->directory.native())}});
  }

  const std::optional<TlsOptions> tls_;
  ListenerShared shared_;
  const milliseconds sweep_interval_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<std::unique_ptr<asio::steady_timer>> sweeps_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;

  // Of the first loop's thread:
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> accept_pause_;
  std::optional<asio::steady_timer> reload_timer_;
  std::size_t next_loop_ = 0;
  std::shared_ptr<TlsContext> tls_context_;
  std::string files_signature_;
  std::string refused_signature_;
};

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace

HttpCounters::HttpCounters(Metrics& metrics, const std::string& listener)
    : ok(metrics.GetCounter("portcullis_http_requests_total", "Requests answered",
                            {{"listener", listener}, {"outcome", "ok"}})),
      failed(metrics.GetCounter("portcullis_http_requests_total", "Requests answered",
                                {{"listener", listener}, {"outcome", "failed"}})),
      refused(metrics.GetCounter("portcullis_http_connections_refused_total",
                                 "Connections over the limit", {{"listener", listener}})),
      handshakes_failed(metrics.GetCounter("portcullis_http_handshakes_failed_total",
                                           "TLS handshakes that failed", {{"listener", listener}})),
      timed_out(metrics.GetCounter("portcullis_http_connections_timed_out_total",
                                   "Connections whose client was too slow",
                                   {{"listener", listener}})),
      overloaded(metrics.GetCounter("portcullis_http_requests_overloaded_total",
                                    "Requests answered at once because every worker was taken",
                                    {{"listener", listener}})),
      open(metrics.GetGauge("portcullis_http_connections", "Connections that are open now",
                            {{"listener", listener}})) {}

void AppendResponse(const HttpResponse& response, bool with_body, bool close, std::string_view date,
                    std::string* out) {
  *out += "HTTP/1.1 ";
  *out += std::to_string(response.status);
  *out += ' ';
  *out += ReasonPhrase(response.status);
  *out += "\r\nContent-Type: ";
  *out += response.content_type;
  if (!response.allow.empty()) {
    *out += "\r\nAllow: ";
    *out += response.allow;
  }
  *out += "\r\nX-Content-Type-Options: nosniff\r\nDate: ";
  *out += date;
  *out += "\r\nContent-Length: ";
  *out += std::to_string(response.body.size());
  *out += close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
  if (with_body) {
    *out += response.body;
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(std::string name,
                                                      const HttpServerOptions& options,
                                                      const TlsOptions* tls, HttpHandler& handler,
                                                      Clock& clock, std::shared_ptr<Logger> logger,
                                                      Metrics& metrics) {
  try {
    auto server = std::make_unique<Server>(std::move(name), options, tls, handler, clock,
                                           std::move(logger), metrics);
    TRY(server->Open());
    return server;
  } catch (const std::exception& exception) {
    // Asio's own machinery: no file descriptor or thread to be had.
    return Fail(ErrorCode::kUnavailable, std::string("cannot start a server: ") + exception.what());
  }
}

std::optional<milliseconds> TimeoutOf(std::string_view query) {
  constexpr std::string_view kName = "timeout=";
  while (!query.empty() && !query.starts_with(kName)) {
    const std::size_t end = query.find('&');
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  query = query.substr(0, query.find('&'));
  if (query.empty()) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  const char* begin = query.data() + kName.size();
  const char* end = query.data() + query.size();
  const auto [unit, failure] = std::from_chars(begin, end, number);
  if (failure != std::errc()) {
    return std::nullopt;
  }
  const std::string_view unit_name(unit, static_cast<std::size_t>(end - unit));
  if (unit_name == "ms") {
    return milliseconds(number);
  }
  if (unit_name == "s") {
    return std::chrono::seconds(number);
  }
  if (unit_name == "m") {
    return std::chrono::minutes(number);
  }
  return std::nullopt;
}

}  // namespace portcullis::webhook
