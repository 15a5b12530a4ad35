// An HTTP/1.1 server: keep-alive, pipelining, limits on everything that a client can stretch, with
// or without TLS.
//
// Each thread runs its own event loop and owns the connections that it was given in turn; a
// connection handles one request at a time. What may take long is moved to a bounded pool of
// workers, so that a loop is never held up.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "webhook/certificate.h"

namespace portcullis::webhook {

// One request as a handler sees it. Slices live until the handler returns.
struct HttpRequest {
  std::string_view method;
  std::string_view path;   // Of the target, before '?'.
  std::string_view query;  // After it.
  std::string_view content_type;
  std::string_view body;
  std::chrono::steady_clock::time_point received;  // Its last byte.
};

// Reused by the connection from one request to the next; the server clears it.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";  // Stays alive.
  std::string_view allow;                                       // Of a 405. Stays alive.
  std::string body;
};

// Where a handler is called.
enum class Stage : std::uint8_t {
  kLoop,        // On the connection's event loop: answer soon, or ask for a worker.
  kWorker,      // On a worker, which the handler may keep.
  kOverloaded,  // On the loop again: every worker is taken, and so is every place in the queue.
};
enum class Handling : std::uint8_t {
  kDone,        // The response is filled in.
  kNeedWorker,  // Of kLoop only: call again with kWorker or kOverloaded.
};

// THREADS: called in parallel.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual Handling Handle(const HttpRequest& request, Stage stage, HttpResponse* response) = 0;
  // The answer to a body over the limit; the connection is closed after it.
  virtual void HandleTooLarge(const HttpRequest& request, HttpResponse* response) = 0;
};

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };

struct TlsOptions {
  // Holds tls.crt and tls.key, which are loaded again when they change. Empty: `pair` is used for
  // good.
  std::filesystem::path directory;
  CertificatePair pair;
  TlsVersion minimum = TlsVersion::kTls13;
  // PEM file with the authorities of client certificates; empty: none is asked for. Clients must
  // then show one whose common name is `client_name`.
  std::filesystem::path client_authorities;
  std::string client_name = "kube-apiserver";
  std::chrono::milliseconds reload_interval{1000};
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // An IP address; empty: every address.
  std::uint16_t port = 0;             // 0: any free one.
  std::size_t threads = 1;
  std::size_t workers = 1;
  std::size_t worker_queue = 64;  // Requests that may wait for a worker.
  std::size_t max_connections = 1024;
  std::size_t header_limit_bytes = 64 << 10;
  std::size_t body_limit_bytes = (7 << 20) - 1;
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds header_timeout{
      30'000};  // From the first byte of a request to the end of its header.
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds idle_timeout{120'000};  // Between requests; over kube-apiserver's 90 s.
};

// THREADS: any. LIFETIME: the handler, clock and metrics outlive it.
class HttpServer {
 public:
  // Listens and serves. `tls` null: plain HTTP. `name` is what logs and metrics call this listener.
  // ERRORS: kInvalidArgument: a bad address or certificate. kUnavailable: the address is taken or
  // may not be used.
  static Result<std::unique_ptr<HttpServer>> Start(std::string name,
                                                   const HttpServerOptions& options,
                                                   const TlsOptions* tls, HttpHandler& handler,
                                                   Clock& clock, std::shared_ptr<Logger> logger,
                                                   Metrics& metrics);
  // Closes every connection.
  virtual ~HttpServer() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  // Takes no new connections, closes idle ones, and lets requests under way end with `Connection:
  // close`. True when all were gone within `timeout`.
  virtual bool Drain(std::chrono::milliseconds timeout) = 0;
};

// A whole number of a query string's `timeout`, as kube-apiserver sends it: timeout=10s, 500ms, 1m.
// Nothing: absent or unreadable.
[[nodiscard]] std::optional<std::chrono::milliseconds> TimeoutOf(std::string_view query);

}  // namespace portcullis::webhook
