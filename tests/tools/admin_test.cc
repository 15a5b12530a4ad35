// The admin protocol, server and client, over a real socket.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "document/encoding.h"
#include "document/json.h"
#include "index/inventory.h"
#include "tools/admin_client.h"
#include "tools/admin_server.h"
#include "tools/admin_socket.h"

namespace portcullis::tools {
namespace {

using document::Value;

constexpr int kObjects = 2500;

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "admin.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    index::InventoryOptions options;
    options.store.path = directory_ / "store";
    auto opened = index::Inventory::Open(options, clock_, Logger::Silent(), metrics_);
    EXPECT_TRUE(opened) << opened.error().message;
    inventory_ = *std::move(opened);
    options_.socket = directory_ / "admin.sock";
  }
  ~AdminTest() override {
    server_.reset();
    inventory_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Fill(int count) {
    document::Arena arena;
    index::ChangeSet changes;
    changes.type = {"networking.k8s.io", "v1", "Ingress"};
    changes.position = index::ReplicationPosition{"77", true};
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      changes.puts.push_back(*document::ParseJson(
          R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i)" +
              number + R"(","namespace":"n)" + std::to_string(i % 10) +
              R"("},"spec":{"rules":[{"host":"h)" + number + R"("}]}})",
          arena));
    }
    ASSERT_TRUE(inventory_->Apply(changes));
  }

  void Start() {
    auto server = AdminServer::Start(
        options_, *inventory_,
        [](const std::string& name, bool json) -> Result<std::string> {
          if (name == "nothing") {
            return Fail(ErrorCode::kNotFound, "no template \"nothing\"");
          }
          return (json ? "JSON plan of " : "plan of ") + name;
        },
        Logger::Silent());
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::unique_ptr<AdminClient> Connect() {
    auto client = AdminClient::Connect(options_.socket);
    EXPECT_TRUE(client) << client.error().message;
    return client ? std::move(*client) : nullptr;
  }

  static index::Definition ByHost() {
    return *index::Definition::Parse("namespace/*/*/Ingress: spec.rules[_].host");
  }

  std::filesystem::path directory_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<index::Inventory> inventory_;
  AdminServerOptions options_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminTest, StatisticsArriveWhole) {
  Fill(20);
  ASSERT_TRUE(inventory_->SetWantedIndexes({{ByHost(), "OneHost"}}));
  ASSERT_TRUE(inventory_->WaitUntilIndexesReady(std::chrono::seconds(10)));
  ASSERT_TRUE(inventory_->UpdateStatistics());
  Start();
  const auto statistics = Connect()->Statistics();
  ASSERT_TRUE(statistics) << statistics.error().message;
  ASSERT_EQ(statistics->kinds.size(), 1U);
  EXPECT_EQ(statistics->kinds[0].type.ToString(), "networking.k8s.io/v1/Ingress");
  EXPECT_EQ(statistics->kinds[0].objects, 20U);
  EXPECT_EQ(statistics->kinds[0].position, (index::ReplicationPosition{"77", true}));
  ASSERT_EQ(statistics->indexes.size(), 1U);
  EXPECT_EQ(statistics->indexes[0].definition, ByHost());
  EXPECT_EQ(statistics->indexes[0].state, index::IndexState::kReady);
  EXPECT_EQ(statistics->indexes[0].users, std::vector<std::string>{"OneHost"});
  EXPECT_EQ(statistics->indexes[0].total_objects, 20U);
  EXPECT_TRUE(statistics->indexes[0].keys);
  EXPECT_EQ(statistics->indexes[0].keys, inventory_->Indexes()[0].keys);
}

TEST_F(AdminTest, AWalkComesInPagesAndInOrder) {
  Fill(kObjects);
  options_.page_objects = 100;
  Start();
  const auto client = Connect();
  std::vector<store::ObjectKey> keys;
  document::Arena arena;
  const auto visited =
      client->Visit({}, [&](const store::ObjectKey& key, std::string_view record) -> Result<bool> {
        arena.Reset();
        const Value object = TRY(document::OpenTrusted(record, arena));
        EXPECT_EQ(object.GetString({"metadata", "name"}), key.name);
        keys.push_back(key);
        return true;
      });
  ASSERT_TRUE(visited) << visited.error().message;
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kObjects));
  EXPECT_TRUE(std::ranges::is_sorted(keys));
}

TEST_F(AdminTest, AFilterIsAppliedByTheServer) {
  Fill(100);
  Start();
  int seen = 0;
  const ObjectFilter filter{.name_space = "n3", .group_version = "", .kind = "Ingress", .name = ""};
  ASSERT_TRUE(Connect()->Visit(filter, [&](const store::ObjectKey& key, std::string_view) {
    EXPECT_EQ(key.name_space, "n3");
    ++seen;
    return Result<bool>(true);
  }));
  EXPECT_EQ(seen, 10);
}

TEST_F(AdminTest, AVisitorThatHasEnoughEndsTheWalk) {
  Fill(kObjects);
  options_.page_objects = 10;
  Start();
  const auto client = Connect();
  int seen = 0;
  ASSERT_TRUE(client->Visit(
      {}, [&](const store::ObjectKey&, std::string_view) { return Result<bool>(++seen < 15); }));
  EXPECT_EQ(seen, 15);
  EXPECT_TRUE(client->Statistics());
}

TEST_F(AdminTest, AVisitorsErrorComesBack) {
  Fill(10);
  Start();
  const auto client = Connect();
  const auto visited =
      client->Visit({}, [](const store::ObjectKey&, std::string_view) -> Result<bool> {
        return Fail(ErrorCode::kExhausted, "disk full");
      });
  ASSERT_FALSE(visited);
  EXPECT_EQ(visited.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(visited.error().message, "disk full");
  EXPECT_TRUE(client->Statistics());
}

TEST_F(AdminTest, AQuerySaysWhetherAnIndexAnswered) {
  Fill(50);
  Start();
  const auto client = Connect();
  std::vector<std::string> names;
  const Visitor visitor = [&](const store::ObjectKey& key, std::string_view) {
    names.push_back(key.name);
    return Result<bool>(true);
  };
  auto by_index = client->Query(ByHost(), Value::String("h7"), visitor);
  ASSERT_TRUE(by_index) << by_index.error().message;
  EXPECT_FALSE(*by_index);
  ASSERT_TRUE(inventory_->SetWantedIndexes({{ByHost(), "test"}}));
  ASSERT_TRUE(inventory_->WaitUntilIndexesReady(std::chrono::seconds(10)));
  by_index = client->Query(ByHost(), Value::String("h7"), visitor);
  ASSERT_TRUE(by_index);
  EXPECT_TRUE(*by_index);
  EXPECT_EQ(names, (std::vector<std::string>{"i7", "i7"}));
}

TEST_F(AdminTest, ACheckReportsProgressAndFindsNothing) {
  Fill(100);
  Start();
  std::atomic<int> reports = 0;
  const auto report = Connect()->Check([&](std::uint64_t, std::uint64_t) { ++reports; });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->objects, 100U);
  EXPECT_EQ(report->problem_count, 0U);
}

TEST_F(AdminTest, ASnapshotIsWrittenByTheServer) {
  Fill(100);
  Start();
  const std::filesystem::path file = directory_ / "out.snapshot";
  const auto objects = Connect()->Snapshot(file, nullptr);
  ASSERT_TRUE(objects) << objects.error().message;
  EXPECT_EQ(*objects, 100U);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(Connect()->Snapshot(directory_ / "missing" / "x", nullptr));
}

TEST_F(AdminTest, ExplainsAndHandsOnTheServersErrors) {
  Start();
  const auto client = Connect();
  EXPECT_EQ(*client->Explain("OneHost", false), "plan of OneHost");
  EXPECT_EQ(*client->Explain("OneHost", true), "JSON plan of OneHost");
  const auto missing = client->Explain("nothing", false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, "no template \"nothing\"");
}

TEST_F(AdminTest, TheSocketIsForItsOwnerOnly) {
  Start();
  struct stat status{};
  ASSERT_EQ(::stat(options_.socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AdminTest, WithoutAServerThereIsNobody) {
  EXPECT_EQ(AdminClient::Connect(options_.socket).error().code, ErrorCode::kNotFound);
  Start();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(options_.socket));
  EXPECT_EQ(AdminClient::Connect(options_.socket).error().code, ErrorCode::kNotFound);
}

TEST_F(AdminTest, ADeadServersSocketIsReplacedAndALiveOnesIsNot) {
  {
    FileDescriptor dead = ListenOn(options_.socket).value();
  }
  ASSERT_TRUE(std::filesystem::exists(options_.socket));
  Start();
  EXPECT_TRUE(Connect()->Statistics());
  const auto second = AdminServer::Start(options_, *inventory_, nullptr, Logger::Silent());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(Connect()->Statistics());
}

TEST_F(AdminTest, APathLongerThanASocketsNameWorks) {
  const std::filesystem::path deep = directory_ / std::string(120, 'd');
  std::filesystem::create_directory(deep);
  options_.socket = deep / "admin.sock";
  Start();
  EXPECT_TRUE(Connect()->Statistics());
}

TEST_F(AdminTest, GarbageEndsOnlyItsOwnConnection) {
  Start();
  for (const std::string& garbage :
       {std::string(1000, '\xff'), std::string("GET / HTTP/1.1\r\n\r\n"),
        // A header that announces a message of 2^32 - 1 words.
        std::string("\0\0\0\0\xff\xff\xff\xff", 8)}) {
    const FileDescriptor socket = ConnectTo(options_.socket).value();
    ASSERT_EQ(::send(socket.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(garbage.size()));
    ::shutdown(socket.get(), SHUT_WR);
  }
  EXPECT_TRUE(Connect()->Statistics());
}

TEST_F(AdminTest, TooManyClientsAreTurnedAway) {
  options_.max_connections = 2;
  Start();
  const auto first = Connect();
  const auto second = Connect();
  ASSERT_TRUE(first->Statistics() && second->Statistics());
  const auto third = Connect();
  const auto refused = third->Statistics();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(first->Statistics());
}

TEST_F(AdminTest, AServerThatStopsEndsAWalkUnderWay) {
  Fill(kObjects);
  options_.page_objects = 10;
  Start();
  const auto client = Connect();
  std::atomic<int> seen = 0;
  std::thread stopper;
  const auto visited = client->Visit({}, [&](const store::ObjectKey&, std::string_view) {
    if (++seen == 20) {
      stopper = std::thread([this] { server_.reset(); });
    }
    if (seen > 20) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Result<bool>(true);
  });
  stopper.join();
  EXPECT_FALSE(visited);
  EXPECT_LT(seen, kObjects);
}

TEST_F(AdminTest, AClientThatLeavesDuringAWalkHarmsNobody) {
  Fill(kObjects);
  options_.page_objects = 10;
  Start();
  {
    const auto client = Connect();
    int seen = 0;
    (void)client->Visit({}, [&](const store::ObjectKey&, std::string_view) {
      return ++seen < 25 ? Result<bool>(true) : Result<bool>(Fail(ErrorCode::kUnavailable, "gone"));
    });
  }
  EXPECT_TRUE(Connect()->Statistics());
}

TEST_F(AdminTest, SeveralClientsWalkAtOnce) {
  Fill(500);
  options_.page_objects = 20;
  Start();
  std::atomic<int> seen = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto client = Connect();
      EXPECT_TRUE(client->Visit({}, [&](const store::ObjectKey&, std::string_view) {
        ++seen;
        return Result<bool>(true);
      }));
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(seen, 4 * 500);
}

}  // namespace
}  // namespace portcullis::tools
