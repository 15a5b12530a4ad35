// Events that come faster than they can be written, or from whoever must not wait: a bounded queue and a thread that empties it.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/metrics.h"
#include "controller/events.h"

namespace portcullis::controller {

struct EventOutlet {
  std::function<void(const Event&)> emit;
  std::function<bool()>
      is_free;  // Whether it takes another one; asked again a little later where it does not.
};

class EventQueue {
 public:
  // As many as client-go's recorder holds.
  static constexpr std::size_t kMostWaiting = 1000;

  // LIFETIME: metrics outlive it. THREADS: the outlet is called on the queue's thread.
  EventQueue(EventOutlet outlet, Metrics& metrics);
  // Those that still wait are lost.
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Never waits for the outlet. False: too many wait; it is dropped and counted. THREADS: any.
  bool Offer(Event event);

 private:
  void Loop();

  const EventOutlet outlet_;
  Counter& dropped_;
  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_:
  std::deque<Event> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace portcullis::controller
