#include "webhook/request_reader.h"

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace portcullis::webhook {

namespace http = boost::beast::http;
using boost::beast::error_code;

struct RequestReader::Parser {
  std::optional<http::request_parser<http::string_body>> request;
};

RequestReader::RequestReader(std::size_t header_limit_bytes, std::size_t body_limit_bytes)
    : parser_(std::make_unique<Parser>()),
      header_limit_bytes_(header_limit_bytes),
      body_limit_bytes_(body_limit_bytes) {
  Reset();
}

RequestReader::~RequestReader() = default;

void RequestReader::Reset() {
  parser_->request.emplace();
  parser_->request->header_limit(static_cast<std::uint32_t>(header_limit_bytes_));
  parser_->request->body_limit(body_limit_bytes_);
  parser_->request->eager(true);
  state_ = State::kIdle;
  bad_status_ = 0;
}

void RequestReader::Fail(int status) {
  state_ = State::kBad;
  bad_status_ = status;
}

std::size_t RequestReader::Consume(std::string_view bytes) {
  std::size_t consumed = 0;
  auto& parser = *parser_->request;
  while (consumed < bytes.size() &&
         (state_ == State::kIdle || state_ == State::kHeader || state_ == State::kBody)) {
    error_code error;
    const std::size_t used = parser.put(
        boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
    consumed += used;
    if (error == http::error::body_limit) {
      state_ = State::kTooLarge;
      break;
    }
    if (error == http::error::header_limit) {
      Fail(431);
      break;
    }
    if (error == http::error::bad_version) {
      Fail(505);
      break;
    }
    if (error && error != http::error::need_more) {
      Fail(400);
      break;
    }
    if (parser.is_done()) {
      state_ = State::kComplete;
    } else {
      state_ = parser.is_header_done() ? State::kBody : State::kHeader;
    }
    if (used == 0) {
      break;
    }
  }
  return consumed;
}

bool RequestReader::expects_continue() const {
  return boost::beast::iequals(parser_->request->get()[http::field::expect], "100-continue");
}

bool RequestReader::keep_alive() const {
  return parser_->request->get().keep_alive();
}

HttpRequest RequestReader::request() const {
  const auto& message = parser_->request->get();
  const auto view = [](boost::beast::string_view text) {
    return std::string_view(text.data(), text.size());
  };
  const std::string_view target = view(message.target());
  const std::size_t mark = target.find('?');
  return HttpRequest{
      .method = view(message.method_string()),
      .path = target.substr(0, mark),
      .query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1),
      .content_type = view(message[http::field::content_type]),
      .body = message.body(),
      .received = {},
  };
}

}  // namespace portcullis::webhook
