// A lock that is given in the order in which it was asked for, so that a thread that takes it again and again (a build)
// lets every waiting one (a write) go first.

#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace portcullis::index {

class FairLock {
 public:
  void lock() {
    std::unique_lock guard(mutex_);
    const std::uint64_t ticket = next_++;
    turn_.wait(guard, [&] { return serving_ == ticket; });
  }
  void unlock() {
    {
      const std::scoped_lock guard(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;  // Guarded by mutex_, as the next.
  std::uint64_t serving_ = 0;
};

}  // namespace portcullis::index
