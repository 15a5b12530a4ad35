#include "tests/webhook/http_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace portcullis::webhook {

struct HttpClient::State {
  ClientOptions options;
  int socket = -1;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  bool connected = false;
  std::string input;
};

HttpClient::HttpClient(std::uint16_t port, ClientOptions options)
    : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  state_->options = std::move(options);
  const ClientOptions& wanted = state_->options;
  state_->socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(wanted.timeout).count();
  const timeval limit{.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000};
  ::setsockopt(state_->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  const int on = 1;
  ::setsockopt(state_->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(state_->socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return;
  }
  if (!wanted.tls) {
    state_->connected = true;
    return;
  }
  state_->context = SSL_CTX_new(TLS_client_method());
  if (wanted.max_tls_version != 0) {
    SSL_CTX_set_max_proto_version(state_->context, wanted.max_tls_version);
  }
  if (!wanted.certificate.empty()) {
    BIO* bio = BIO_new_mem_buf(wanted.certificate.data(), -1);
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(state_->context, certificate);
    X509_free(certificate);
    BIO_free(bio);
    bio = BIO_new_mem_buf(wanted.key.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(state_->context, key);
    EVP_PKEY_free(key);
    BIO_free(bio);
  }
  state_->ssl = SSL_new(state_->context);
  if (!wanted.alpn.empty()) {
    std::string list(1, static_cast<char>(wanted.alpn.size()));
    list += wanted.alpn;
    SSL_set_alpn_protos(state_->ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned int>(list.size()));
  }
  SSL_set_fd(state_->ssl, state_->socket);
  state_->connected = SSL_connect(state_->ssl) == 1;
}

HttpClient::~HttpClient() {
  SSL_free(state_->ssl);
  SSL_CTX_free(state_->context);
  ::close(state_->socket);
}

bool HttpClient::connected() const {
  return state_->connected;
}

bool HttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (state_->ssl != nullptr) {
      if (SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &sent) != 1) {
        return false;
      }
    } else {
      const ssize_t wrote = ::send(state_->socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (wrote <= 0) {
        return false;
      }
      sent = static_cast<std::size_t>(wrote);
    }
    bytes.remove_prefix(sent);
  }
  return true;
}

bool HttpClient::Fill() {
  std::array<char, 16384> buffer{};
  std::size_t got = 0;
  if (state_->ssl != nullptr) {
    if (SSL_read_ex(state_->ssl, buffer.data(), buffer.size(), &got) != 1) {
      return false;
    }
  } else {
    const ssize_t read = ::recv(state_->socket, buffer.data(), buffer.size(), 0);
    if (read <= 0) {
      return false;
    }
    got = static_cast<std::size_t>(read);
  }
  state_->input.append(buffer.data(), got);
  return true;
}

std::optional<ClientResponse> HttpClient::Read(bool head_request) {
  std::size_t end = 0;
  while ((end = state_->input.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) {
      return std::nullopt;
    }
  }
  ClientResponse response;
  response.head = state_->input.substr(0, end + 2);
  response.status = std::atoi(response.head.c_str() + 9);
  std::string lower = response.head;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  response.close = lower.find("\r\nconnection: close\r\n") != std::string::npos;
  const std::size_t length_at = lower.find("\r\ncontent-length: ");
  const std::size_t length =
      head_request || length_at == std::string::npos
          ? 0
          : static_cast<std::size_t>(std::atol(lower.c_str() + length_at + 18));
  state_->input.erase(0, end + 4);
  while (state_->input.size() < length) {
    if (!Fill()) {
      return std::nullopt;
    }
  }
  response.body = state_->input.substr(0, length);
  state_->input.erase(0, length);
  return response;
}

std::optional<ClientResponse> HttpClient::Post(std::string_view path, std::string_view body,
                                               std::string_view content_type) {
  std::string request = "POST " + std::string(path) +
                        " HTTP/1.1\r\nHost: test\r\nContent-Type: " + std::string(content_type) +
                        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return Send(request) ? Read() : std::nullopt;
}

std::optional<ClientResponse> HttpClient::Get(std::string_view path) {
  return Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n") ? Read()
                                                                              : std::nullopt;
}

bool HttpClient::WaitForClose() {
  const auto start = std::chrono::steady_clock::now();
  while (Fill()) {
  }
  return std::chrono::steady_clock::now() - start < state_->options.timeout;
}

std::string HttpClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(state_->ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string HttpClient::server_certificate_serial() const {
  X509* certificate = SSL_get0_peer_certificate(state_->ssl);
  if (certificate == nullptr) {
    return {};
  }
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* text = BN_bn2hex(number);
  std::string serial = text;
  OPENSSL_free(text);
  BN_free(number);
  return serial;
}

std::string HttpClient::tls_version() const {
  return SSL_get_version(state_->ssl);
}

}  // namespace portcullis::webhook
