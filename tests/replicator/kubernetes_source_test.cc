#include "replicator/kubernetes_source.h"

#include <functional>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replicator/kubernetes_client.h"
#include "replicator/namespace_cache.h"
#include "tests/replicator/model_sink.h"
#include "tests/replicator/scratch_folder.h"
#include "tests/replicator/stand_in_server.h"

namespace portcullis::replicator {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const document::GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

class KubernetesSourceTest : public testing::Test {
 protected:
  KubernetesSourceTest() { access_.server = server_.url(); }

  void Connect() {
    source_.reset();  // Before the client that it uses.
    Result<std::unique_ptr<KubernetesClient>> client = KubernetesClient::Create(access_, clock_);
    ASSERT_TRUE(client) << client.error().ToString();
    client_ = *std::move(client);
    ReflectorOptions options;
    options.page_size = 5;
    options.back_off_base = milliseconds(2);
    options.unserved_back_off_base = milliseconds(2);
    options.stall_limit = milliseconds(200);
    source_ = std::make_unique<KubernetesSource>(*client_, Logger::Silent(), options);
  }
  bool WaitFor(const std::function<bool()>& condition) {
    const auto deadline = clock_.Now() + std::chrono::seconds(10);
    while (!condition()) {
      if (clock_.Now() > deadline) {
        return false;
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }
  // Whether the sink has come to the server's version. The status is published after the sink was called.
  bool CaughtUp() {
    const std::vector<KindStatus> status = source_->Status();
    const std::lock_guard lock(server_.mutex);
    return !status.empty() && status[0].synced &&
           status[0].resource_version == std::to_string(server_.api.version());
  }
  void Change(const std::function<void(FakeApi&)>& change) {
    const std::lock_guard lock(server_.mutex);
    change(server_.api);
  }

  SystemClock clock_;
  StandInServer server_;
  ClusterAccess access_;
  ModelSink sink_;
  std::unique_ptr<KubernetesClient> client_;
  std::unique_ptr<KubernetesSource> source_;
};

TEST_F(KubernetesSourceTest, ReplicatesThroughCutsInTheMiddleOfEvents) {
  Change([](FakeApi& api) {
    for (int i = 0; i < 12; ++i) {
      api.Put("shop/c" + std::to_string(i), i);
    }
  });
  Connect();
  source_->Follow(kConfigMap, sink_);
  source_->Follow(kConfigMap, sink_);  // Once is enough.
  ASSERT_TRUE(WaitFor([&] { return CaughtUp(); }));
  std::mt19937_64 random(3);
  for (int round = 0; round < 30; ++round) {
    server_.cut_watch_after = static_cast<int>(random() % 400);
    Change([&](FakeApi& api) {
      for (int i = 0; i < 3; ++i) {
        api.Put("shop/c" + std::to_string(random() % 20), round);
      }
      api.Delete("shop/c" + std::to_string(random() % 20));
    });
    ASSERT_TRUE(WaitFor([&] { return CaughtUp(); })) << "round " << round;
  }
  source_->Unfollow(kConfigMap, sink_);
  EXPECT_EQ(sink_.objects, server_.api.objects);
  EXPECT_EQ(sink_.lists, 1);
}

TEST_F(KubernetesSourceTest, LeavesAConnectionOnWhichNothingComes) {
  Connect();
  source_->Follow(kConfigMap, sink_);
  ASSERT_TRUE(WaitFor([&] { return CaughtUp(); }));
  server_.silent = true;
  const int before = server_.connections;
  Change([](FakeApi& api) { api.Put("shop/a", 1); });
  ASSERT_TRUE(WaitFor([&] { return server_.connections > before; }));
  server_.silent = false;
  ASSERT_TRUE(WaitFor([&] { return CaughtUp(); }));
  EXPECT_EQ(sink_.lists, 1);
}

TEST_F(KubernetesSourceTest, ComesBackAfterErrorsAndAKindThatWentAway) {
  Change([](FakeApi& api) {
    api.next_error = 503;
    api.Put("shop/a", 1);
  });
  Connect();
  source_->Follow(kConfigMap, sink_);
  ASSERT_TRUE(WaitFor([&] { return CaughtUp(); }));
  Change([](FakeApi& api) {
    api.Delete("shop/a");
    api.served = false;
  });
  ASSERT_TRUE(WaitFor([&] { return !source_->Status()[0].served; }));
  EXPECT_THAT(source_->Status()[0].last_error, HasSubstr("has no kind v1/ConfigMap"));
  Change([](FakeApi& api) {
    api.served = true;
    api.Put("shop/b", 2);
  });
  ASSERT_TRUE(WaitFor([&] { return CaughtUp(); }));
}

TEST_F(KubernetesSourceTest, SendsTheTokenOfTheFile) {
  ScratchFolder folder;
  access_.token_file = folder.Write("token", "rotated\n");
  Connect();
  EXPECT_TRUE(client_->Call(KubernetesClient::Get("/api/v1")));
  EXPECT_EQ(server_.authorization(), "Authorization: Bearer rotated");
}

TEST_F(KubernetesSourceTest, ATokenFileThatIsGoneShowsInTheStatus) {
  access_.token_file = "/nonexistent/token";
  Connect();
  source_->Follow(kConfigMap, sink_);
  ASSERT_TRUE(WaitFor([&] { return source_->Status()[0].state == KindState::kFailing; }));
  EXPECT_THAT(source_->Status()[0].last_error,
              HasSubstr("token file: /nonexistent/token: No such"));
}

TEST_F(KubernetesSourceTest, SaysWhyThereIsNoConnection) {
  access_.server = "http://127.0.0.1:1";
  Connect();
  const Result<std::string> refused = client_->Call(KubernetesClient::Get("/api/v1"));
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("no connection"));
  access_.server = "https://127.0.0.1:" + server_.url().substr(server_.url().rfind(':') + 1);
  Connect();
  EXPECT_THAT(client_->Call(KubernetesClient::Get("/api/v1")).error().message, HasSubstr("TLS"));
  access_.server = "ftp://host";
  EXPECT_EQ(KubernetesClient::Create(access_, clock_).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(KubernetesSourceTest, MakesErrorsOfStatusObjects) {
  Connect();
  Change([](FakeApi& api) { api.next_error = 409; });
  const Result<std::string> conflict = client_->Call(KubernetesClient::Get("/api/v1"));
  EXPECT_EQ(conflict.error().code, ErrorCode::kConflict);
  EXPECT_EQ(conflict.error().message, "HTTP 409: as the test wants it");
  EXPECT_EQ(ErrorOfReply(404, "404 page not found\n").code, ErrorCode::kNotFound);
  EXPECT_EQ(ErrorOfReply(422, "").message, "HTTP 422");
  EXPECT_EQ(EscapeForUrl("a=b,c/d e"), "a%3Db%2Cc%2Fd%20e");
}

TEST_F(KubernetesSourceTest, ANamespaceThatTheWatchHasNotBroughtIsAskedFor) {
  Connect();
  NamespaceCache cache(AskApiServer(*client_));
  document::Arena arena;
  Change([](FakeApi& api) { api.next_error = 404; });
  const Result<document::Value> missing = cache.Find("x", arena);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "namespaces \"x\" not found");
  Change([](FakeApi& api) { api.next_error = 500; });
  EXPECT_EQ(cache.Find("x", arena).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace portcullis::replicator
