// FakeApi behind a real socket, with the faults of a network: what libcurl and the source are tested against.

#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "tests/replicator/fake_api.h"

namespace portcullis::replicator {

// THREADS: `api` under `mutex`; the knobs at any time.
class StandInServer {
 public:
  StandInServer();
  ~StandInServer();

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::mutex mutex;
  FakeApi api;                           // Guarded by mutex.
  std::atomic<int> cut_watch_after{-1};  // Bytes; -1: not. Holds for one watch.
  std::atomic<bool> silent{false};       // Watches send nothing, and say nothing about it.
  std::atomic<int> connections{0};
  std::string authorization();  // Of the last request.

 private:
  void Accept();
  void Serve(int socket);
  // False: the connection is to be closed.
  bool Answer(int socket, const std::string& head);
  bool AnswerWatch(int socket, FakeApi::Answer answer);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::string authorization_;  // Guarded by mutex.
  std::thread acceptor_;
  std::list<std::thread> connections_;  // Of the acceptor.
};

}  // namespace portcullis::replicator
