// A blocking HTTP client for tests, with or without TLS, that can also send what no client should.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::webhook {

struct ClientOptions {
  bool tls = true;
  int max_tls_version = 0;    // OpenSSL's number; 0: the newest.
  std::string alpn{};         // One protocol to offer; empty: none.
  std::string certificate{};  // Of the client, PEM; empty: none.
  std::string key{};
  std::chrono::milliseconds timeout{5'000};  // Of each read.
};

struct ClientResponse {
  int status = 0;
  std::string head;  // Status line and headers.
  std::string body;
  bool close = false;  // It said `Connection: close`.
};

// A connection to 127.0.0.1. Nothing here is meant for anything but tests: failures are empty results.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, ClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  [[nodiscard]] bool connected() const;
  // Sends bytes as they are. False: the server closed.
  bool Send(std::string_view bytes);
  // One whole response.
  std::optional<ClientResponse> Read(bool head_request = false);
  std::optional<ClientResponse> Post(std::string_view path, std::string_view body,
                                     std::string_view content_type = "application/json");
  std::optional<ClientResponse> Get(std::string_view path);
  // True when the server closes within the timeout. Drops what comes before.
  bool WaitForClose();
  [[nodiscard]] std::string protocol() const;  // Chosen by ALPN.
  [[nodiscard]] std::string server_certificate_serial() const;
  [[nodiscard]] std::string tls_version() const;

 private:
  bool Fill();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::webhook
