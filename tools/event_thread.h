// A thread with a KJ event loop. Knows KJ; for the admin protocol only.

#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

#include <kj/async-io.h>
#include <kj/async.h>

#include "tools/admin_socket.h"

namespace portcullis::tools {

// What is called on the loop waits in a queue of its own, not in KJ's: the thread sanitizer sees how it is handed over.
// THREADS: Run may be called from any thread but its own.
class EventThread {
 public:
  EventThread();
  // REQUIRES: what lives on the loop is gone.
  ~EventThread() noexcept;
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  // Calls `function` on the loop, and waits for it and for the promise that it returns. Exceptions come through as KJ's.
  template <class Function>
  auto Run(Function&& function) const {
    using Value = typename Promised<std::invoke_result_t<Function&>>::Value;
    using Outcome = std::expected<Value, kj::Exception>;
    auto promise = std::make_shared<std::promise<Outcome>>();
    std::future<Outcome> outcome = promise->get_future();
    Post([&function, promise = std::move(promise)]() mutable {
      auto fails = [promise](kj::Exception&& exception) {
        promise->set_value(std::unexpected(kj::mv(exception)));
      };
      auto done = kj::evalNow([&function] { return Called(function); });
      if constexpr (std::is_void_v<Value>) {
        return done.then([promise] { promise->set_value(Outcome()); }, kj::mv(fails));
      } else {
        return done.then([promise](Value&& value) { promise->set_value(kj::mv(value)); },
                         kj::mv(fails));
      }
    });
    Outcome came = outcome.get();
    if (!came) {
      kj::throwFatalException(kj::mv(came.error()));
    }
    if constexpr (!std::is_void_v<Value>) {
      return *std::move(came);
    }
  }

  // For use on the loop only.
  [[nodiscard]] kj::AsyncIoContext& io() const { return *io_; }

 private:
  using Task = std::move_only_function<kj::Promise<void>()>;
  template <class T>
  struct Promised {
    using Value = T;
  };
  template <class T>
  struct Promised<kj::Promise<T>> {
    using Value = T;
  };
  template <class Function>
  static auto Called(Function& function) {
    using Returned = std::invoke_result_t<Function&>;
    using Value = typename Promised<Returned>::Value;
    if constexpr (std::is_void_v<Returned>) {
      function();
      return kj::Promise<void>(kj::READY_NOW);
    } else {
      return kj::Promise<Value>(function());
    }
  }
  class Runner;

  void Post(Task task) const;
  void Loop(std::promise<void> started);

  const FileDescriptor wake_;  // An eventfd: counts up when there is something in the queue.
  kj::AsyncIoContext* io_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> stop_;  // Of the loop.
  mutable std::mutex mutex_;
  mutable std::deque<Task> queue_;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace portcullis::tools
