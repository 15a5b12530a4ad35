#include "tools/event_thread.h"

#include <exception>

namespace portcullis::tools {

EventThread::EventThread() {
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
  Run([this] { stop_->fulfill(); });
  thread_.join();
}

void EventThread::Loop(std::promise<void> started) {
  try {
    kj::AsyncIoContext io = kj::setupAsyncIo();
    auto stopping = kj::newPromiseAndFulfiller<void>();
    io_ = &io;
    stop_ = kj::mv(stopping.fulfiller);
    executor_ = kj::getCurrentThreadExecutor().addRef();
    started.set_value();
    stopping.promise.wait(io.waitScope);
    stop_ = nullptr;
  } catch (...) {
    // Before it runs, only: there was no descriptor or thread resource to be had.
    started.set_exception(std::current_exception());
  }
}

}  // namespace portcullis::tools
