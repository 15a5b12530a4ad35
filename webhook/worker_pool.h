// Threads for what may take long, with a bound on how much of it may wait.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace portcullis::webhook {

// THREADS: any.
class WorkerPool {
 public:
  // At most `queue` tasks wait while all `workers` are taken.
  WorkerPool(std::size_t workers, std::size_t queue);
  // Lets running tasks end; waiting ones are dropped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: there is no room, and `task` is left untouched.
  bool TrySubmit(std::move_only_function<void()>& task);

 private:
  void Run();

  const std::size_t workers_;
  const std::size_t queue_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> waiting_;
  std::size_t busy_ = 0;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace portcullis::webhook
