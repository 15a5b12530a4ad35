#include "webhook/tls_connection.h"

#include <boost/asio/ssl/stream.hpp>

#include "webhook/http_connection.h"

namespace portcullis::webhook {
namespace {

using boost::asio::ip::tcp;

class TlsTransport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<TlsContext> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  tcp::socket& Socket() { return stream_.next_layer(); }
  template <class Done>
  void Handshake(Done done) {
    stream_.async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }
  template <class Buffer, class Done>
  void ReadSome(Buffer buffer, Done done) {
    stream_.async_read_some(buffer, std::move(done));
  }
  template <class Buffer, class Done>
  void Write(Buffer buffer, Done done) {
    boost::asio::async_write(stream_, buffer, std::move(done));
  }
  template <class Done>
  void SayGoodbye(Done done) {
    stream_.async_shutdown(std::move(done));
  }

 private:
  std::shared_ptr<TlsContext> context_;  // Its verify callback must outlive the stream.
  boost::asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

void StartTlsConnection(EventLoop& loop, tcp::socket socket, std::shared_ptr<TlsContext> context) {
  std::make_shared<HttpConnection<TlsTransport>>(loop, std::move(socket), std::move(context))
      ->Start();
}

}  // namespace portcullis::webhook
