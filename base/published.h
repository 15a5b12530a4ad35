// A value that is replaced whole while others read it.

#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace portcullis {

// What std::atomic<std::shared_ptr> is for; that of libstdc++ 12 unlocks a read relaxed, which is a race by the letter and to
// the thread sanitizer.
// THREADS: any. COST: an uncontended lock and a reference count.
template <class T>
class Published {
 public:
  Published() = default;
  explicit Published(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  [[nodiscard]] std::shared_ptr<const T> load() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  // What was there before is destroyed after the lock is given back.
  void store(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace portcullis
