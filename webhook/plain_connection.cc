#include "webhook/http_connection.h"

namespace portcullis::webhook {
namespace {

using boost::asio::ip::tcp;

class PlainTransport {
 public:
  explicit PlainTransport(tcp::socket socket) : socket_(std::move(socket)) {}

  tcp::socket& Socket() { return socket_; }
  template <class Done>
  void Handshake(Done done) {
    done(boost::system::error_code());
  }
  template <class Buffer, class Done>
  void ReadSome(Buffer buffer, Done done) {
    socket_.async_read_some(buffer, std::move(done));
  }
  template <class Buffer, class Done>
  void Write(Buffer buffer, Done done) {
    boost::asio::async_write(socket_, buffer, std::move(done));
  }
  template <class Done>
  void SayGoodbye(Done done) {
    boost::system::error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    done(error);
  }

 private:
  tcp::socket socket_;
};

}  // namespace

void StartPlainConnection(EventLoop& loop, tcp::socket socket) {
  std::make_shared<HttpConnection<PlainTransport>>(loop, std::move(socket))->Start();
}

}  // namespace portcullis::webhook
