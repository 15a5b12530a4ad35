// What the connections of one listener share: the loops that drive them, their limits and their
// counters. Knows Asio; for this folder only.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "webhook/http_server.h"
#include "webhook/worker_pool.h"

namespace portcullis::webhook {

struct HttpCounters {
  HttpCounters(Metrics& metrics, const std::string& listener);
  Counter& ok;
  Counter& failed;
  Counter& refused;
  Counter& handshakes_failed;
  Counter& timed_out;
  Counter& overloaded;
  Gauge& open;
};

// What all loops of a listener share.
struct ListenerShared {
  ListenerShared(HttpServerOptions options_in, HttpHandler& handler_in, Clock& clock_in,
                 std::shared_ptr<Logger> logger_in, HttpCounters counters_in)
      : options(std::move(options_in)),
        handler(handler_in),
        clock(clock_in),
        logger(std::move(logger_in)),
        counters(counters_in),
        workers(std::make_unique<WorkerPool>(options.workers, options.worker_queue)) {}

  const HttpServerOptions options;
  HttpHandler& handler;
  Clock& clock;
  const std::shared_ptr<Logger> logger;
  HttpCounters counters;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> connections{0};
  std::unique_ptr<WorkerPool> workers;
};

// A connection as its loop sees it. All calls are on the loop's thread.
class LoopConnection {
 public:
  virtual ~LoopConnection() = default;
  // Ends it when its deadline has passed.
  virtual void CheckDeadline(std::chrono::steady_clock::time_point now) = 0;
  // Ends it if no request is under way and none of its answer either.
  virtual void CloseIfIdle() = 0;
  virtual void Close() = 0;
};

// One thread's event loop and the connections that belong to it.
struct EventLoop {
  explicit EventLoop(ListenerShared& shared_in) : shared(shared_in) {}

  ListenerShared& shared;
  std::unordered_set<LoopConnection*> connections;
  std::string date;  // Of the Date header, renewed with each sweep.
  // Destroyed first: what still waits in it holds connections.
  boost::asio::io_context context{1};
};

}  // namespace portcullis::webhook
