#include "controller/event_queue.h"

#include <chrono>
#include <utility>

namespace portcullis::controller {
namespace {

constexpr std::chrono::milliseconds kAskAgain{20};

}  // namespace

EventQueue::EventQueue(EventOutlet outlet, Metrics& metrics)
    : outlet_(std::move(outlet)),
      dropped_(metrics.GetCounter("portcullis_events_dropped_total",
                                  "Events of reviews that were not recorded because too many "
                                  "waited to be written")),
      thread_([this] { Loop(); }) {}

EventQueue::~EventQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool EventQueue::Offer(Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back(std::move(event));
      wake_.notify_one();
      return true;
    }
  }
  dropped_.Increment();
  return false;
}

void EventQueue::Loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (waiting_.empty()) {
      wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      continue;
    }
    lock.unlock();
    const bool is_free = outlet_.is_free();
    lock.lock();
    if (!is_free) {
      wake_.wait_for(lock, kAskAgain, [this] { return stop_; });
      continue;
    }
    const Event event = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    outlet_.emit(event);
    lock.lock();
  }
}

}  // namespace portcullis::controller
