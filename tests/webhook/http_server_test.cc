#include "webhook/http_server.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/webhook/http_client.h"

namespace portcullis::webhook {
namespace {

using std::chrono::milliseconds;

// Answers with what it was asked; some paths misbehave.
class Echo final : public HttpHandler {
 public:
  Handling Handle(const HttpRequest& request, Stage stage, HttpResponse* response) override {
    if (request.path == "/throw") {
      throw std::runtime_error("a handler's mistake");
    }
    if (request.path == "/slow") {
      return Slow(stage, response);
    }
    ++handled;
    response->body = std::string(request.method) + " " + std::string(request.path) + " " +
                     std::string(request.body);
    return Handling::kDone;
  }
  void HandleTooLarge(const HttpRequest& /*request*/, HttpResponse* response) override {
    response->status = 413;
    response->body = "too large\n";
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    wake_.notify_all();
  }
  void WaitForSlow(int count) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this, count] { return slow_ >= count; });
  }

  std::atomic<int> handled = 0;

 private:
  Handling Slow(Stage stage, HttpResponse* response) {
    if (stage == Stage::kLoop) {
      return Handling::kNeedWorker;
    }
    response->body = stage == Stage::kWorker ? "worked" : "overloaded";
    if (stage == Stage::kWorker) {
      std::unique_lock lock(mutex_);
      ++slow_;
      wake_.notify_all();
      wake_.wait(lock, [this] { return released_; });
    }
    return Handling::kDone;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool released_ = false;
  int slow_ = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "server.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.threads = 2;
  }
  ~HttpServerTest() override {
    echo_.Release();
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void StartTls() {
    tls_.pair = MakeSelfSigned({}, clock_).value();
    Start(&tls_);
  }
  void Start(const TlsOptions* tls) {
    auto server =
        HttpServer::Start("test", options_, tls, echo_, clock_, Logger::Silent(), metrics_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  double Count(const std::string& name) {
    return metrics_.GetCounter(name, "", {{"listener", "test"}}).value();
  }

  std::filesystem::path directory_;
  SystemClock clock_;
  Metrics metrics_;
  Echo echo_;
  HttpServerOptions options_;
  TlsOptions tls_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOverTlsAndKeepsTheConnection) {
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.tls_version(), "TLSv1.3");
  for (int i = 0; i < 50; ++i) {
    const auto response = client.Post("/a", std::to_string(i));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /a " + std::to_string(i));
    EXPECT_FALSE(response->close);
  }
  EXPECT_NE(client.Get("/a")->head.find("\r\nDate: "), std::string::npos);
}

TEST_F(HttpServerTest, AnswersWithoutTls) {
  Start(nullptr);
  HttpClient client(server_->port(), {.tls = false});
  EXPECT_EQ(client.Get("/plain")->body, "GET /plain ");
}

TEST_F(HttpServerTest, RefusesTls12ByDefault) {
  StartTls();
  EXPECT_FALSE(HttpClient(server_->port(), {.max_tls_version = TLS1_2_VERSION}).connected());
}

TEST_F(HttpServerTest, TakesTls12WhereTold) {
  tls_.minimum = TlsVersion::kTls12;
  StartTls();
  HttpClient client(server_->port(), {.max_tls_version = TLS1_2_VERSION});
  EXPECT_EQ(client.Get("/")->status, 200);
}

TEST_F(HttpServerTest, OffersNothingButHttp11) {
  StartTls();
  HttpClient one(server_->port(), {.alpn = "http/1.1"});
  ASSERT_TRUE(one.connected());
  EXPECT_EQ(one.protocol(), "http/1.1");
  EXPECT_FALSE(HttpClient(server_->port(), {.alpn = "h2"}).connected());
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  StartTls();
  HttpClient client(server_->port());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n";
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 200; ++i) {
    const auto response = client.Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "GET /" + std::to_string(i) + " ");
  }
}

TEST_F(HttpServerTest, ClosesWhenTheClientAsks) {
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
  const auto response = client.Read();
  ASSERT_TRUE(response);
  EXPECT_TRUE(response->close);
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(HttpServerTest, AHeadRequestGetsNoBody) {
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.Send("HEAD /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(client.Read(true)->status, 200);
  EXPECT_EQ(client.Read()->body, "GET /b ");
}

TEST_F(HttpServerTest, ABodyOverTheLimitIsAnsweredAndTheConnectionEnds) {
  options_.body_limit_bytes = 100'000;
  StartTls();
  HttpClient client(server_->port());
  EXPECT_EQ(client.Post("/a", std::string(100'000, 'x'))->status, 200);
  const auto response = client.Post("/a", std::string(5'000'000, 'x'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_TRUE(response->close);
}

TEST_F(HttpServerTest, SaysContinueToThoseWhoWait) {
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.Send("POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.Read()->status, 100);
  ASSERT_TRUE(client.Send("hi"));
  EXPECT_EQ(client.Read()->body, "POST /a hi");
}

TEST_F(HttpServerTest, GarbageBeforeTheHandshakeEndsOnlyThatConnection) {
  StartTls();
  HttpClient garbage(server_->port(), {.tls = false});
  ASSERT_TRUE(garbage.Send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(garbage.WaitForClose());
  HttpClient client(server_->port());
  EXPECT_EQ(client.Get("/")->status, 200);
  EXPECT_EQ(Count("portcullis_http_handshakes_failed_total"), 1);
}

TEST_F(HttpServerTest, GarbageWithinTlsGetsA400) {
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.Send(std::string("\0\1\2\3 garbage\r\n\r\n", 16)));
  const auto response = client.Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_TRUE(response->close);
}

TEST_F(HttpServerTest, AHeaderOverTheLimitGetsA431) {
  StartTls();
  HttpClient client(server_->port());
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
  EXPECT_EQ(client.Read()->status, 431);
}

TEST_F(HttpServerTest, AThrowingHandlerGivesA500AndTheServerGoesOn) {
  StartTls();
  HttpClient client(server_->port());
  EXPECT_EQ(client.Get("/throw")->status, 500);
  EXPECT_EQ(client.Get("/after")->status, 200);
}

TEST_F(HttpServerTest, ASlowHandshakeIsCutOff) {
  options_.handshake_timeout = milliseconds(60);
  StartTls();
  HttpClient client(server_->port(), {.tls = false});
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(Count("portcullis_http_connections_timed_out_total"), 1);
}

TEST_F(HttpServerTest, ASlowHeaderIsCutOffHoweverOftenAByteComes) {
  options_.header_timeout = milliseconds(100);
  StartTls();
  HttpClient client(server_->port());
  bool open = true;
  for (int i = 0; i < 200 && open; ++i) {
    open = client.Send("G");
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_FALSE(open);
}

TEST_F(HttpServerTest, ASlowBodyIsCutOff) {
  options_.body_timeout = milliseconds(60);
  StartTls();
  HttpClient client(server_->port());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"));
  EXPECT_TRUE(client.WaitForClose());
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedAtLast) {
  options_.idle_timeout = milliseconds(60);
  StartTls();
  HttpClient client(server_->port());
  EXPECT_EQ(client.Get("/")->status, 200);
  EXPECT_TRUE(client.WaitForClose());
  EXPECT_EQ(Count("portcullis_http_connections_timed_out_total"), 0);
}

TEST_F(HttpServerTest, ConnectionsOverTheLimitAreClosed) {
  options_.max_connections = 2;
  StartTls();
  HttpClient first(server_->port());
  HttpClient second(server_->port());
  ASSERT_TRUE(first.connected() && second.connected());
  EXPECT_FALSE(HttpClient(server_->port()).connected());
  EXPECT_EQ(first.Get("/")->status, 200);
}

TEST_F(HttpServerTest, SlowWorkGoesToWorkersAndTheRestGoesOn) {
  options_.threads = 1;
  StartTls();
  HttpClient slow(server_->port());
  ASSERT_TRUE(slow.Send("GET /slow HTTP/1.1\r\n\r\n"));
  echo_.WaitForSlow(1);
  HttpClient quick(server_->port());
  EXPECT_EQ(quick.Get("/quick")->status, 200);
  echo_.Release();
  EXPECT_EQ(slow.Read()->body, "worked");
}

TEST_F(HttpServerTest, PastTheBoundSlowWorkIsRefusedAtOnce) {
  options_.worker_queue = 1;
  StartTls();
  HttpClient running(server_->port());
  HttpClient waiting(server_->port());
  ASSERT_TRUE(running.Send("GET /slow HTTP/1.1\r\n\r\n"));
  echo_.WaitForSlow(1);
  ASSERT_TRUE(waiting.Send("GET /slow HTTP/1.1\r\n\r\n"));
  // Which of the two queued ones comes first is open; one waits, the other is refused.
  HttpClient refused(server_->port());
  ASSERT_TRUE(refused.Send("GET /slow HTTP/1.1\r\n\r\n"));
  while (Count("portcullis_http_requests_overloaded_total") == 0) {
    std::this_thread::yield();
  }
  echo_.Release();
  EXPECT_EQ(running.Read()->body, "worked");
  const std::string one = waiting.Read()->body;
  const std::string other = refused.Read()->body;
  EXPECT_EQ(one + other == "workedoverloaded" || one + other == "overloadedworked", true);
}

TEST_F(HttpServerTest, AClientThatLeavesDuringSlowWorkHarmsNobody) {
  StartTls();
  {
    HttpClient client(server_->port());
    ASSERT_TRUE(client.Send("GET /slow HTTP/1.1\r\n\r\n"));
    echo_.WaitForSlow(1);
  }
  echo_.Release();
  HttpClient client(server_->port());
  EXPECT_EQ(client.Get("/")->status, 200);
}

TEST_F(HttpServerTest, DrainLetsWorkEndAndClosesTheRest) {
  StartTls();
  HttpClient idle(server_->port());
  ASSERT_EQ(idle.Get("/")->status, 200);
  HttpClient busy(server_->port());
  ASSERT_TRUE(busy.Send("GET /slow HTTP/1.1\r\n\r\n"));
  echo_.WaitForSlow(1);
  EXPECT_FALSE(server_->Drain(milliseconds(20)));
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_FALSE(HttpClient(server_->port()).connected());
  echo_.Release();
  const auto response = busy.Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "worked");
  EXPECT_TRUE(response->close);
  EXPECT_TRUE(busy.WaitForClose());
  EXPECT_TRUE(server_->Drain(milliseconds(2000)));
}

TEST_F(HttpServerTest, ServesTheNewCertificateAfterTheFilesChange) {
  ASSERT_TRUE(EnsureCertificate(directory_, {}, clock_));
  tls_.directory = directory_;
  tls_.reload_interval = milliseconds(10);
  Start(&tls_);
  HttpClient before(server_->port());
  ASSERT_TRUE(before.connected());
  const std::string old = before.server_certificate_serial();

  // Only half of the change: the old certificate serves on.
  const auto pair = MakeSelfSigned({}, clock_);
  std::ofstream(directory_ / "tls.crt") << pair->certificate;
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(HttpClient(server_->port()).server_certificate_serial(), old);

  std::ofstream(directory_ / "tls.key") << pair->key;
  std::string now = old;
  for (int i = 0; i < 200 && now == old; ++i) {
    std::this_thread::sleep_for(milliseconds(5));
    now = HttpClient(server_->port()).server_certificate_serial();
  }
  EXPECT_NE(now, old);
  EXPECT_EQ(before.Get("/still")->status, 200);
}

TEST_F(HttpServerTest, AsksClientsForACertificateOfTheRightName) {
  CertificateNames names;
  names.common_name = "kube-apiserver";
  const auto good = MakeSelfSigned(names, clock_);
  names.common_name = "somebody-else";
  const auto other = MakeSelfSigned(names, clock_);
  std::ofstream(directory_ / "clients.crt") << good->certificate << other->certificate;
  tls_.client_authorities = directory_ / "clients.crt";
  StartTls();

  HttpClient right(server_->port(), {.certificate = good->certificate, .key = good->key});
  const auto response = right.Get("/");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  // In TLS 1.3 a client learns of its refusal only when it reads.
  HttpClient wrong(server_->port(), {.certificate = other->certificate, .key = other->key});
  EXPECT_FALSE(wrong.Get("/"));
  HttpClient none(server_->port());
  EXPECT_FALSE(none.Get("/"));
  EXPECT_EQ(echo_.handled, 1);
}

TEST_F(HttpServerTest, ManyClientsAtOnce) {
  options_.threads = 3;
  StartTls();
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([this, c, &good] {
      HttpClient client(server_->port());
      for (int i = 0; i < 40; ++i) {
        const std::string body =
            std::string(static_cast<std::size_t>(i * 997), 'x') + std::to_string(c);
        const auto response = client.Post("/p", body);
        good += response && response->body == "POST /p " + body ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(good, 8 * 40);
}

TEST_F(HttpServerTest, SaysWhyItCannotStart) {
  options_.address = "not an address";
  auto server =
      HttpServer::Start("test", options_, nullptr, echo_, clock_, Logger::Silent(), metrics_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kInvalidArgument);

  options_.address = "127.0.0.1";
  Start(nullptr);
  options_.port = server_->port();
  server = HttpServer::Start("test", options_, nullptr, echo_, clock_, Logger::Silent(), metrics_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(server.error().message.find("in use"), std::string::npos);

  options_.port = 0;
  tls_.directory = directory_ / "nothing";
  server = HttpServer::Start("test", options_, &tls_, echo_, clock_, Logger::Silent(), metrics_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace portcullis::webhook
