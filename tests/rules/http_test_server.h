// A server on 127.0.0.1 for the tests of http.send: each path answers in its own way.

#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace portcullis::builtins {

class HttpTestServer {
 public:
  enum class Scheme { kHttp, kHttps };
  explicit HttpTestServer(Scheme scheme);
  ~HttpTestServer();

  // "http://127.0.0.1:40123"
  [[nodiscard]] std::string url() const;
  // The certificate of https, for 127.0.0.1, localhost and named.test; its own authority.
  static std::string Certificate();
  static std::string Key();
  [[nodiscard]] int requests() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::builtins
