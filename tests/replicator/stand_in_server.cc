#include "tests/replicator/stand_in_server.h"

#include <cstdio>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace portcullis::replicator {
namespace {

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Readable(int socket, int milliseconds) {
  pollfd descriptor{socket, POLLIN, 0};
  return ::poll(&descriptor, 1, milliseconds) > 0;
}

std::string Chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

}  // namespace

StandInServer::StandInServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

StandInServer::~StandInServer() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) {
    connection.join();
  }
  ::close(listener_);
}

std::string StandInServer::authorization() {
  const std::lock_guard lock(mutex);
  return authorization_;
}

void StandInServer::Accept() {
  while (!stopping_) {
    if (Readable(listener_, 5)) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      ++connections;
      connections_.emplace_back([this, socket] { Serve(socket); });
    }
  }
}

void StandInServer::Serve(int socket) {
  std::string input;
  while (!stopping_) {
    const std::size_t end = input.find("\r\n\r\n");
    if (end != std::string::npos) {
      if (!Answer(socket, input.substr(0, end))) {
        break;
      }
      input.erase(0, end + 4);
      continue;
    }
    const bool is_tls = !input.empty() && input[0] == '\x16';
    if (is_tls) {
      break;
    }
    if (!Readable(socket, 5)) {
      continue;
    }
    char buffer[4096];
    const ssize_t got = ::recv(socket, buffer, sizeof(buffer), 0);
    if (got <= 0) {
      break;
    }
    input.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(socket);
}

bool StandInServer::Answer(int socket, const std::string& head) {
  const std::size_t begin = head.find(' ') + 1;
  FakeApi::Answer answer;
  {
    const std::lock_guard lock(mutex);
    const std::size_t at = head.find("Authorization: ");
    authorization_ = at == std::string::npos ? "" : head.substr(at, head.find('\r', at) - at);
    answer = api.Get(head.substr(begin, head.find(' ', begin) - begin));
  }
  if (answer.is_watch) {
    return AnswerWatch(socket, std::move(answer));
  }
  return SendAll(socket, "HTTP/1.1 " + std::to_string(answer.status) +
                             " x\r\nContent-Type: application/json\r\nContent-Length: " +
                             std::to_string(answer.bytes.size()) + "\r\n\r\n" + answer.bytes);
}

bool StandInServer::AnswerWatch(int socket, FakeApi::Answer answer) {
  if (!SendAll(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")) {
    return false;
  }
  int left = cut_watch_after.exchange(-1);
  while (!stopping_) {
    if (!silent) {
      const std::lock_guard lock(mutex);
      if (!api.served) {
        return SendAll(socket, "0\r\n\r\n");
      }
      api.Feed(&answer);
    }
    std::string bytes = std::exchange(answer.bytes, {});
    const bool cut = left >= 0 && bytes.size() >= static_cast<std::size_t>(left);
    if (cut) {
      bytes.resize(static_cast<std::size_t>(left));
    }
    if (!bytes.empty() && !SendAll(socket, Chunk(bytes))) {
      return false;
    }
    if (cut) {
      return false;
    }
    left -= left < 0 ? 0 : static_cast<int>(bytes.size());
    // The client says nothing more while it watches: something to read is its farewell.
    if (Readable(socket, 2)) {
      return false;
    }
  }
  return false;
}

}  // namespace portcullis::replicator
