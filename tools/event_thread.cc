#include "tools/event_thread.h"

#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace portcullis::tools {
namespace {

FileDescriptor MakeWake() {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  return FileDescriptor(descriptor);
}

}  // namespace

// Takes tasks out of the queue. Lives on the loop.
class EventThread::Runner final : private kj::TaskSet::ErrorHandler {
 public:
  explicit Runner(EventThread& thread)
      : thread_(thread),
        wake_(thread.io().lowLevelProvider->wrapInputFd(
            thread.wake_.get(), kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                                    kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK)),
        tasks_(*this) {
    tasks_.add(Listen());
  }

 private:
  kj::Promise<void> Listen() {
    return wake_->read(&count_, sizeof(count_)).then([this] {
      std::deque<Task> queue;
      {
        const std::lock_guard lock(thread_.mutex_);
        queue.swap(thread_.queue_);
      }
      for (Task& task : queue) {
        tasks_.add(task());
      }
      return Listen();
    });
  }
  // A task hands its exceptions to whoever waits for it.
  void taskFailed(kj::Exception&& exception) override {
    kj::throwFatalException(kj::mv(exception));
  }

  EventThread& thread_;
  std::uint64_t count_ = 0;
  kj::Own<kj::AsyncInputStream> wake_;
  kj::TaskSet tasks_;
};

EventThread::EventThread() : wake_(MakeWake()) {
  std::promise<void> started;
  std::future<void> running = started.get_future();
  thread_ = std::thread([this, &started] { Loop(std::move(started)); });
  try {
    running.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

EventThread::~EventThread() noexcept {
  Post([this]() -> kj::Promise<void> {
    stop_->fulfill();
    return kj::READY_NOW;
  });
  thread_.join();
}

void EventThread::Post(Task task) const {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  // Fails only where the count is at its end, and then the loop is awake.
  static_cast<void>(eventfd_write(wake_.get(), 1));
}

void EventThread::Loop(std::promise<void> started) {
  try {
    kj::AsyncIoContext io = kj::setupAsyncIo();
    auto stopping = kj::newPromiseAndFulfiller<void>();
    io_ = &io;
    stop_ = kj::mv(stopping.fulfiller);
    Runner runner(*this);
    started.set_value();
    stopping.promise.wait(io.waitScope);
    stop_ = nullptr;
  } catch (...) {
    // Before it runs, only: there was no descriptor or thread resource to be had.
    started.set_exception(std::current_exception());
  }
}

}  // namespace portcullis::tools
