// A thread with a KJ event loop. Knows KJ; for the admin protocol only.

#pragma once

#include <future>
#include <thread>
#include <utility>

#include <kj/async-io.h>
#include <kj/async.h>

namespace portcullis::tools {

// THREADS: Run may be called from any thread but its own.
class EventThread {
 public:
  EventThread();
  // REQUIRES: what lives on the loop is gone.
  ~EventThread() noexcept;
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  // Calls `function` on the loop, and waits for it and for the promise that it returns. Exceptions come through.
  template <class Function>
  auto Run(Function&& function) const {
    return executor_->executeSync(std::forward<Function>(function));
  }

  // For use on the loop only.
  [[nodiscard]] kj::AsyncIoContext& io() const { return *io_; }

 private:
  void Loop(std::promise<void> started);

  kj::Own<const kj::Executor> executor_;
  kj::AsyncIoContext* io_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> stop_;
  std::thread thread_;
};

}  // namespace portcullis::tools
