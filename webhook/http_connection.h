// One client's connection: reads requests, has them handled, writes responses, in turn. A template
// over the two kinds of stream, each instantiated in a file of its own; for this folder only.

#pragma once

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "webhook/event_loop.h"
#include "webhook/request_reader.h"

namespace portcullis::webhook {

// Appends status line, headers and body.
void AppendResponse(const HttpResponse& response, bool with_body, bool close, std::string_view date,
                    std::string* out);

inline constexpr std::size_t kReadBytes = 16 << 10;
// After an early answer so much of what the client still sends is read and dropped, lest the answer
// be lost to a reset.
inline constexpr std::size_t kLingerBytes = std::size_t{64} << 20;
inline constexpr std::chrono::milliseconds kLingerTime{2'000};

// Transport has: Socket(), Handshake(done), ReadSome(buffer, done), Write(buffer, done),
// SayGoodbye(done). THREADS: the loop's only. LIFETIME: holds itself while an operation is under
// way.
template <class Transport>
class HttpConnection final : public LoopConnection,
                             public std::enable_shared_from_this<HttpConnection<Transport>> {
 public:
  template <class... Args>
  explicit HttpConnection(EventLoop& loop, Args&&... args)
      : loop_(loop),
        shared_(loop.shared),
        transport_(std::forward<Args>(args)...),
        reader_(shared_.options.header_limit_bytes, shared_.options.body_limit_bytes),
        input_(kReadBytes) {
    loop_.connections.insert(this);
    shared_.counters.open.Add(1);
  }
  ~HttpConnection() override {
    loop_.connections.erase(this);
    shared_.counters.open.Add(-1);
    --shared_.connections;
  }

  void Start() {
    SetDeadline(shared_.options.handshake_timeout);
    transport_.Handshake([self = this->shared_from_this()](const auto& error) {
      if (error) {
        self->shared_.counters.handshakes_failed.Increment();
        self->shared_.logger->Debug("handshake failed",
                                    {{"error", std::string_view(error.message())}});
        self->Close();
        return;
      }
      self->ReadMore();
    });
  }

  void CheckDeadline(std::chrono::steady_clock::time_point now) override {
    if (now >= deadline_) {
      if (phase_ != Phase::kReading || reader_.state() != RequestReader::State::kIdle) {
        shared_.counters.timed_out.Increment();
      }
      Close();
    }
  }
  void CloseIfIdle() override {
    if (phase_ == Phase::kHandshake || phase_ == Phase::kGoodbye ||
        (phase_ == Phase::kReading && reader_.state() == RequestReader::State::kIdle &&
         filled_ == 0)) {
      Close();
    }
  }
  void Close() override {
    phase_ = Phase::kClosed;
    boost::system::error_code ignored;
    transport_.Socket().close(ignored);
  }

 private:
  enum class Phase : std::uint8_t {
    kHandshake,
    kReading,
    kHandling,
    kWriting,
    kGoodbye,
    kLingering,
    kClosed
  };

  void SetDeadline(std::chrono::milliseconds from_now) {
    deadline_ = shared_.clock.Now() + from_now;
  }

  // Each step of reading has its own deadline, set when the step begins: a byte now and then does
  // not put it off.
  void SetReadDeadline() {
    const RequestReader::State state = reader_.state();
    if (phase_ == Phase::kReading && state == timed_state_) {
      return;
    }
    timed_state_ = state;
    switch (state) {
      case RequestReader::State::kHeader:
        return SetDeadline(shared_.options.header_timeout);
      case RequestReader::State::kBody:
        return SetDeadline(shared_.options.body_timeout);
      default:
        return SetDeadline(shared_.options.idle_timeout);
    }
  }

  void ReadMore() {
    SetReadDeadline();
    phase_ = Phase::kReading;
    if (filled_ == input_.size()) {
      // Only a header is ever kept whole; the reader refuses one over the limit.
      input_.resize(input_.size() * 2);
    }
    transport_.ReadSome(boost::asio::buffer(input_.data() + filled_, input_.size() - filled_),
                        [self = this->shared_from_this()](const auto& error, std::size_t bytes) {
                          if (error || self->phase_ == Phase::kClosed) {
                            self->Close();
                            return;
                          }
                          self->filled_ += bytes;
                          self->Process();
                        });
  }

  void Process() {
    const std::size_t used = reader_.Consume({input_.data(), filled_});
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(used),
              input_.begin() + static_cast<std::ptrdiff_t>(filled_), input_.begin());
    filled_ -= used;
    switch (reader_.state()) {
      case RequestReader::State::kComplete:
        return Dispatch();
      case RequestReader::State::kTooLarge:
        BeginResponse();
        Guarded([this] { shared_.handler.HandleTooLarge(reader_.request(), &response_); });
        return Respond(After::kLinger);
      case RequestReader::State::kBad:
        BeginResponse();
        response_.status = reader_.bad_status();
        response_.body = "bad request\n";
        return Respond(After::kLinger);
      case RequestReader::State::kBody:
        if (!continued_ && reader_.expects_continue()) {
          return WriteContinue();
        }
        return ReadMore();
      default:
        return ReadMore();
    }
  }

  void WriteContinue() {
    continued_ = true;
    phase_ = Phase::kWriting;
    SetDeadline(shared_.options.write_timeout);
    transport_.Write(boost::asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")),
                     [self = this->shared_from_this()](const auto& error, std::size_t) {
                       if (error || self->phase_ == Phase::kClosed) {
                         self->Close();
                         return;
                       }
                       self->ReadMore();
                     });
  }

  void BeginResponse() {
    response_.status = 200;
    response_.content_type = "text/plain; charset=utf-8";
    response_.allow = {};
    response_.body.clear();
  }

  // No exception of a handler ends the process or the connection.
  template <class Call>
  void Guarded(Call call) {
    try {
      call();
    } catch (const std::exception& exception) {
      shared_.logger->Error("a request failed", {{"error", std::string_view(exception.what())}});
      BeginResponse();
      response_.status = 500;
      response_.body = "internal error\n";
    }
  }

  void Dispatch() {
    phase_ = Phase::kHandling;
    deadline_ = std::chrono::steady_clock::time_point::max();
    request_ = reader_.request();
    request_.received = shared_.clock.Now();
    Handling handling = Handling::kDone;
    BeginResponse();
    Guarded([&] { handling = shared_.handler.Handle(request_, Stage::kLoop, &response_); });
    if (handling == Handling::kDone) {
      return Respond(After::kNext);
    }
    BeginResponse();
    std::move_only_function<void()> task = [self = this->shared_from_this()]() mutable {
      self->Guarded([&self] {
        self->shared_.handler.Handle(self->request_, Stage::kWorker, &self->response_);
      });
      boost::asio::io_context& context = self->loop_.context;
      boost::asio::post(context, [self = std::move(self)] { self->Respond(After::kNext); });
    };
    if (shared_.workers->TrySubmit(task)) {
      return;
    }
    shared_.counters.overloaded.Increment();
    Guarded([this] { shared_.handler.Handle(request_, Stage::kOverloaded, &response_); });
    Respond(After::kNext);
  }

  enum class After : std::uint8_t { kNext, kLinger };

  void Respond(After after) {
    if (phase_ == Phase::kClosed) {
      return;  // The client went away, or the server is going, while a worker was busy.
    }
    (response_.status < 400 ? shared_.counters.ok : shared_.counters.failed).Increment();
    const bool close = after == After::kLinger || !reader_.keep_alive() || shared_.draining;
    const bool with_body = after == After::kLinger || request_.method != "HEAD";
    output_.clear();
    AppendResponse(response_, with_body, close, loop_.date, &output_);
    phase_ = Phase::kWriting;
    SetDeadline(shared_.options.write_timeout);
    transport_.Write(boost::asio::buffer(output_), [self = this->shared_from_this(), after, close](
                                                       const auto& error, std::size_t) {
      if (error || self->phase_ == Phase::kClosed) {
        self->Close();
      } else if (after == After::kLinger) {
        self->Linger();
      } else if (close) {
        self->End();
      } else {
        self->Next();
      }
    });
  }

  void Next() {
    reader_.Reset();
    request_ = {};
    continued_ = false;
    timed_state_ = RequestReader::State::kComplete;
    if (filled_ > 0) {
      phase_ = Phase::kReading;
      return Process();
    }
    ReadMore();
  }

  // Says goodbye, and lets the client close first for a while.
  void End() {
    phase_ = Phase::kGoodbye;
    SetDeadline(kLingerTime);
    transport_.SayGoodbye([self = this->shared_from_this()](const auto&) { self->Close(); });
  }

  void Linger() {
    if (phase_ != Phase::kLingering) {
      phase_ = Phase::kLingering;
      SetDeadline(kLingerTime);
    }
    transport_.ReadSome(boost::asio::buffer(input_), [self = this->shared_from_this()](
                                                         const auto& error, std::size_t bytes) {
      self->lingered_ += bytes;
      if (error || self->phase_ == Phase::kClosed || self->lingered_ > kLingerBytes) {
        self->Close();
        return;
      }
      self->Linger();
    });
  }

  EventLoop& loop_;
  ListenerShared& shared_;
  Transport transport_;
  RequestReader reader_;
  std::vector<char> input_;
  std::size_t filled_ = 0;  // Bytes of input_ that the reader has not taken.
  std::string output_;
  HttpRequest request_;
  HttpResponse response_;
  Phase phase_ = Phase::kHandshake;
  RequestReader::State timed_state_ = RequestReader::State::kComplete;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t lingered_ = 0;
  bool continued_ = false;
};

// Makes a connection of an accepted socket and starts it. On the loop's thread.
void StartPlainConnection(EventLoop& loop, boost::asio::ip::tcp::socket socket);

}  // namespace portcullis::webhook
