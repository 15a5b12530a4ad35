#include "tests/rules/http_test_server.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

namespace portcullis::builtins {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr const char* kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBnTCCAUOgAwIBAgIUfk63Yj566giApvUKZEmSBp7i7wMwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMxOTM0NTBaGA8yMTI2MTAzMDE5MzQ1
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN8j
9NzO3V9tf8LmxwpIvok4naZRyWF7Qe8MOGR2CtRqVHOsS2oyABDH9PM1CV9D/GuD
TKcvs4qgqU80vSIbBaujezB5MB0GA1UdDgQWBBRkNLq11Jv65IKkb1GT9mG8OvAv
EzAfBgNVHSMEGDAWgBRkNLq11Jv65IKkb1GT9mG8OvAvEzAPBgNVHRMBAf8EBTAD
AQH/MCYGA1UdEQQfMB2HBH8AAAGCCWxvY2FsaG9zdIIKbmFtZWQudGVzdDAKBggq
hkjOPQQDAgNIADBFAiAsT2bINDMHtkupHvjSwV5qhRkTdnrX01UhOV0RBy37KgIh
AOfhEbCXOeloOnrOAEMu9vewMghpAemZyffzrRJpYmdz
-----END CERTIFICATE-----
)";
constexpr const char* kKey = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIORplE/Lhw2nRfi9EbSAoE77vxMADV1H/0DCVEDnll/BoAoGCCqGSM49
AwEHoUQDQgAE3yP03M7dX21/wubHCki+iTidplHJYXtB7ww4ZHYK1GpUc6xLajIA
EMf08zUJX0P8a4NMpy+ziqCpTzS9IhsFqw==
-----END EC PRIVATE KEY-----
)";

}  // namespace

struct HttpTestServer::State {
  explicit State(Scheme wanted) : scheme(wanted) {
    tls.use_certificate_chain(asio::buffer(HttpTestServer::Certificate()));
    tls.use_private_key(asio::buffer(HttpTestServer::Key()), asio::ssl::context::pem);
    acceptor.listen();
    thread = std::thread([this] { Accept(); });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    // A connection of our own ends the accept that waits.
    tcp::socket waker(io);
    boost::system::error_code ignored;
    waker.connect(acceptor.local_endpoint(), ignored);
    thread.join();
    for (std::thread& session : sessions) {
      session.join();
    }
  }

  void Accept() {
    while (true) {
      tcp::socket socket(io);
      boost::system::error_code failed;
      acceptor.accept(socket, failed);
      const std::lock_guard lock(mutex);
      if (stopping || failed) {
        return;
      }
      sessions.emplace_back([this, taken = std::move(socket)]() mutable {
        if (scheme == Scheme::kHttp) {
          Serve(taken);
        } else {
          boost::beast::ssl_stream<tcp::socket> stream(std::move(taken), tls);
          boost::system::error_code refused;
          stream.handshake(asio::ssl::stream_base::server, refused);
          if (!refused) {
            Serve(stream);
          }
        }
      });
    }
  }

  template <class Stream>
  void Serve(Stream& stream) {
    boost::beast::flat_buffer buffer;
    boost::system::error_code failed;
    Request request;
    http::read(stream, buffer, request, failed);
    if (failed) {
      return;
    }
    ++requests;
    Response response = Answer(request);
    response.keep_alive(false);
    response.prepare_payload();
    http::write(stream, response, failed);
  }

  Response Answer(const Request& request) {
    Response response(http::status::ok, 11);
    const std::string path(request.target().substr(0, request.target().find('?')));
    if (path == "/json") {
      response.set(http::field::content_type, "application/json; charset=utf-8");
      response.body() = R"({"a": [1, 2.50], "b": null})";
    } else if (path == "/yaml") {
      response.set(http::field::content_type, "application/yaml");
      response.body() = "a: [1, 2]";
    } else if (path == "/bad-json") {
      response.set(http::field::content_type, "application/json");
      response.body() = "{";
    } else if (path == "/twice") {
      response.insert("X-Many", "1");
      response.insert("X-Many", "2");
    } else if (path == "/missing") {
      response.result(http::status::not_found);
    } else if (path == "/broken") {
      response.result(http::status::internal_server_error);
    } else if (path == "/redirect") {
      response.result(http::status::found);
      response.set(http::field::location, "/echo?from=redirect");
    } else if (path == "/keep-method") {
      response.result(http::status::temporary_redirect);
      response.set(http::field::location, "/echo");
    } else if (path == "/loop") {
      response.result(http::status::found);
      response.set(http::field::location, "/loop");
    } else if (path == "/away") {
      response.result(http::status::found);
      response.set(http::field::location, "file:///etc/hostname");
    } else if (path == "/slow") {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(20), [this] { return stopping; });
    } else if (path == "/large") {
      response.body().assign(std::size_t{1} << 20, 'x');
    } else {
      response.body() = std::string(request.method_string()) + " " + std::string(request.target());
      for (const auto& field : request) {
        response.body().append("\n").append(field.name_string()).append(": ").append(field.value());
      }
      response.body().append("\n\n").append(request.body());
    }
    return response;
  }

  const Scheme scheme;
  std::atomic<int> requests = 0;
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
  std::thread thread;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::thread> sessions;
  bool stopping = false;
};

HttpTestServer::HttpTestServer(Scheme scheme) : state_(std::make_unique<State>(scheme)) {}
HttpTestServer::~HttpTestServer() = default;

std::string HttpTestServer::url() const {
  return (state_->scheme == Scheme::kHttp ? "http" : "https") + std::string("://127.0.0.1:") +
         std::to_string(state_->acceptor.local_endpoint().port());
}

std::string HttpTestServer::Certificate() {
  return kCertificate;
}

std::string HttpTestServer::Key() {
  return kKey;
}

int HttpTestServer::requests() const {
  return state_->requests;
}

}  // namespace portcullis::builtins
