// HTTP/1.1 requests out of a stream of bytes, one at a time, within limits. Does no I/O itself.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "webhook/http_server.h"

namespace portcullis::webhook {

// THREADS: one at a time.
class RequestReader {
 public:
  enum class State : std::uint8_t {
    kIdle,      // No byte of a request has come.
    kHeader,    // Within the header.
    kBody,      // Within the body.
    kComplete,  // request() is whole.
    kTooLarge,  // The body is over the limit; request() has all but the body.
    kBad,       // Not HTTP; bad_status() says how.
  };

  RequestReader(std::size_t header_limit_bytes, std::size_t body_limit_bytes);
  ~RequestReader();

  // Takes what it can from the front of `bytes` and returns how much that was; the caller keeps the
  // rest and offers it again with what follows. Takes nothing after the end of a request
  // (kComplete, kTooLarge, kBad).
  std::size_t Consume(std::string_view bytes);
  // Ready for the next request of the connection. Invalidates request().
  void Reset();

  [[nodiscard]] State state() const { return state_; }
  // The client waits for "100 Continue" before it sends the body. REQUIRES: kBody.
  [[nodiscard]] bool expects_continue() const;
  // Whether the connection may serve another request. REQUIRES: kComplete.
  [[nodiscard]] bool keep_alive() const;
  // REQUIRES: kComplete or kTooLarge. `received` is left to the caller.
  [[nodiscard]] HttpRequest request() const;
  // 400, 431 or 505. REQUIRES: kBad.
  [[nodiscard]] int bad_status() const { return bad_status_; }

 private:
  void Fail(int status);

  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::size_t header_limit_bytes_;
  std::size_t body_limit_bytes_;
  State state_ = State::kIdle;
  int bad_status_ = 0;
};

}  // namespace portcullis::webhook
