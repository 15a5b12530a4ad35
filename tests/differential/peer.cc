#include "tests/differential/peer.h"

#include <array>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace portcullis::differential {
namespace {

// Longer than the time limit of either engine.
constexpr int kPatienceMillis = 20'000;

}  // namespace

Result<std::unique_ptr<Peer>> Peer::Start(std::vector<std::string> command) {
  // A peer that has gone is seen by what it does not answer.
  std::signal(SIGPIPE, SIG_IGN);
  auto peer = std::unique_ptr<Peer>(new Peer(std::move(command)));
  TRY(peer->Open());
  return peer;
}

Peer::~Peer() {
  Close();
}

Result<bool> Peer::Open() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
    return Fail(ErrorCode::kUnavailable, "no pipe for " + command_[0]);
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  // OPA that overflows its stack writes thousands of lines.
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (std::string& argument : command_) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  const int failed =
      ::posix_spawn(&pid_, command_[0].c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  to_ = in[1];
  from_ = out[0];
  if (failed != 0) {
    pid_ = -1;
    return Fail(ErrorCode::kUnavailable, "start " + command_[0] + ": " + std::strerror(failed));
  }
  return true;
}

void Peer::Close() {
  if (to_ >= 0) {
    ::close(to_);
    ::close(from_);
    to_ = from_ = -1;
  }
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

std::vector<std::string> Peer::AskSome(const std::vector<std::string>& requests,
                                       std::size_t first) {
  std::jthread writer([&] {
    for (std::size_t i = first; i < requests.size(); ++i) {
      const std::string line = requests[i] + '\n';
      for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t wrote = ::write(to_, line.data() + sent, line.size() - sent);
        if (wrote <= 0) {
          return;
        }
        sent += static_cast<std::size_t>(wrote);
      }
    }
  });
  std::vector<std::string> answers;
  std::string pending;
  std::array<char, 65536> buffer{};
  while (first + answers.size() < requests.size()) {
    pollfd ready{from_, POLLIN, 0};
    const ssize_t got =
        ::poll(&ready, 1, kPatienceMillis) > 0 ? ::read(from_, buffer.data(), buffer.size()) : 0;
    if (got <= 0) {
      ::kill(pid_, SIGKILL);  // The writer's pipe breaks too.
      break;
    }
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      answers.push_back(pending.substr(begin, end - begin));
    }
    pending.erase(0, begin);
  }
  return answers;
}

Result<std::vector<std::string>> Peer::Ask(const std::vector<std::string>& requests) {
  std::vector<std::string> answers;
  for (;;) {
    for (std::string& answer : AskSome(requests, answers.size())) {
      answers.push_back(std::move(answer));
    }
    if (answers.size() >= requests.size()) {
      return answers;
    }
    answers.emplace_back();
    Close();
    TRY(Open());
  }
}

}  // namespace portcullis::differential
