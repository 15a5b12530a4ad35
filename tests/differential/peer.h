// A process that answers a line with a line: tests/opa_peer, or portcullis_peer.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"

namespace portcullis::differential {

class Peer {
 public:
  // ERRORS: kUnavailable: the program cannot be started.
  [[nodiscard]] static Result<std::unique_ptr<Peer>> Start(std::vector<std::string> command);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // One answer a request, in order. A request at which the process ends or hangs is answered with "", and the process is
  // started again for those after it. ERRORS: kUnavailable: it cannot be.
  [[nodiscard]] Result<std::vector<std::string>> Ask(const std::vector<std::string>& requests);

 private:
  explicit Peer(std::vector<std::string> command) : command_(std::move(command)) {}
  Result<bool> Open();
  void Close();
  // The answers until one fails to come.
  std::vector<std::string> AskSome(const std::vector<std::string>& requests, std::size_t first);

  std::vector<std::string> command_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace portcullis::differential
