// An HTTP client for one server: one thread with an event loop that runs every exchange, timer and
// posted function, so that what is driven by it needs no locks. libcurl's multi interface, HTTP/2
// where the server speaks it.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "replicator/kubeconfig.h"

namespace portcullis::replicator {

enum class Connection : std::uint8_t {
  kAny,
  kNew,  // Not one that is open already: it may be dead without our knowing.
};

struct HttpRequest {
  std::string method = "GET";
  std::string path;                  // With its query; begins with '/'.
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::chrono::milliseconds timeout{0};  // Of the whole exchange; 0: none, as a watch needs.
  Connection connection = Connection::kAny;
};

// What an exchange tells. Calls come from the client's thread, in this order: OnStatus, OnBytes any
// number of times, OnEnd once. The handler may start and cancel exchanges, its own too.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void OnStatus(int status, std::optional<std::chrono::seconds> retry_after) = 0;
  // All bytes that one turn of the loop read. LIFETIME: the call.
  virtual void OnBytes(std::string_view bytes) = 0;
  // ERRORS: kUnavailable with a text for people: no connection, cut off, timed out, certificate
  // refused.
  virtual void OnEnd(Result<void> result) = 0;
};

using ExchangeId = std::uint64_t;
using TimerId = std::uint64_t;

class HttpClient {
 public:
  // Opens no connection yet. ERRORS: kInvalidArgument: a server that is no URL; kInternal: libcurl
  // does not start.
  static Result<std::unique_ptr<HttpClient>> Create(const ClusterAccess& access, Clock& clock);
  // Ends the thread; exchanges that are under way are dropped without a call.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Runs `task` on the client's thread, soon. THREADS: any.
  void Post(std::function<void()> task);
  // Runs `task` on the client's thread and waits for it; at once when called from there. THREADS:
  // any.
  void RunAndWait(const std::function<void()>& task);
  [[nodiscard]] bool on_client_thread() const;

  // The rest is for the client's thread alone.
  // The handler lives until its OnEnd has returned, or until Cancel.
  ExchangeId Start(HttpRequest request, HttpHandler& handler);
  // No call comes after this. An id that has ended is ignored.
  void Cancel(ExchangeId id);
  TimerId RunAt(std::chrono::steady_clock::time_point when, std::function<void()> task);
  void CancelTimer(TimerId id);

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::replicator
