#include "replicator/reflector.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/replicator/fake_api.h"
#include "tests/replicator/model_sink.h"

namespace portcullis::replicator {
namespace {

using std::chrono::seconds;

const document::GroupVersionKind kConfigMap{"", "v1", "ConfigMap"};

// A reflector between a fake server and a model, driven step by step.
class World final : public ReflectorIo {
 public:
  explicit World(std::uint64_t seed = 1) : logger_(Logger::Silent()) {
    options.seed = seed;
    options.page_size = 3;
  }

  void Start() {
    answer.reset();
    reflector = std::make_unique<Reflector>(kConfigMap, sink, *this, clock, *logger_, options);
    reflector->Start();
  }
  void Get(const std::string& path, Connection wanted) override {
    answer = api.Get(path);
    status_told_ = false;
    connection = wanted;
  }
  void Cancel() override { answer.reset(); }

  // Delivers up to `limit` bytes of the answer under way, and its end if it has one and all was delivered.
  void Deliver(std::size_t limit = std::string::npos) {
    if (!answer) {
      return;
    }
    if (!status_told_) {
      status_told_ = true;
      reflector->OnStatus(answer->status, std::nullopt);
    }
    if (answer && answer->is_watch && api.served) {
      api.Feed(&*answer);
    }
    if (answer && !answer->bytes.empty()) {
      const std::string part = answer->bytes.substr(0, limit);
      answer->bytes.erase(0, part.size());
      reflector->OnBytes(part);
    }
    if (answer && answer->bytes.empty() && (!answer->is_watch || !api.served)) {
      End({});
    }
  }
  void End(Result<void> result) {
    if (answer) {
      answer.reset();
      reflector->OnEnd(std::move(result));
    }
  }
  void Advance(seconds by) {
    clock.Advance(by);
    reflector->Tick();
  }
  // Goes on until nothing is left to deliver.
  void Settle(int rounds = 200) {
    for (int i = 0; i < rounds; ++i) {
      Deliver();
      if (!answer) {
        Advance(seconds(31));
      }
    }
  }

  FakeApi api;
  ModelSink sink;
  ManualClock clock;
  ReflectorOptions options;
  std::optional<FakeApi::Answer> answer;
  Connection connection = Connection::kAny;
  std::unique_ptr<Reflector> reflector;

 private:
  std::shared_ptr<Logger> logger_;
  bool status_told_ = false;
};

void Fill(FakeApi& api, int count) {
  for (int i = 0; i < count; ++i) {
    api.Put("shop/c" + std::to_string(i), i);
  }
}

TEST(Reflector, ListsPageByPageThenFollowsTheWatch) {
  World world;
  Fill(world.api, 10);
  world.Start();
  world.Settle(10);
  EXPECT_EQ(world.sink.objects, world.api.objects);
  EXPECT_TRUE(world.reflector->status().synced);
  world.api.Put("shop/c3", 99);
  world.api.Delete("shop/c4");
  world.api.Put("zoo/new", 1);
  world.Deliver();
  EXPECT_EQ(world.sink.objects, world.api.objects);
  EXPECT_EQ(world.sink.lists, 1);
  EXPECT_EQ(world.sink.batches, 1);  // One read, one batch.
  EXPECT_EQ(world.sink.position->resource_version, std::to_string(world.api.version()));
  EXPECT_EQ(world.reflector->status().state, KindState::kWatching);
}

TEST(Reflector, ResumesFromTheStoredPositionWithoutAList) {
  World world;
  Fill(world.api, 5);
  world.Start();
  world.Settle(10);
  world.reflector.reset();
  world.api.Put("shop/late", 1);
  world.api.requests.clear();
  world.Start();
  world.Settle(5);
  EXPECT_EQ(world.sink.lists, 1);
  EXPECT_EQ(world.sink.objects, world.api.objects);
  ASSERT_EQ(world.api.requests.size(), 2U);
  EXPECT_NE(world.api.requests[1].find("watch=true&allowWatchBookmarks=true&timeoutSeconds="),
            std::string::npos);
}

TEST(Reflector, ListsAgainWhenItsPositionIsGone) {
  World world;
  Fill(world.api, 5);
  world.Start();
  world.Settle(10);
  world.End(Fail(ErrorCode::kUnavailable, "cut"));
  world.api.Delete("shop/c1");
  world.api.oldest = world.api.version();
  world.Settle(10);
  EXPECT_EQ(world.sink.lists, 2);
  EXPECT_EQ(world.sink.objects, world.api.objects);
}

TEST(Reflector, ListsAgainWhenTheServerWasRestoredFromABackup) {
  World world;
  Fill(world.api, 5);
  world.Start();
  world.Settle(10);
  world.api = FakeApi();
  world.api.Put("shop/only", 1);
  world.End({});
  world.Settle(10);
  EXPECT_EQ(world.sink.lists, 2);
  EXPECT_EQ(world.sink.objects, world.api.objects);
}

TEST(Reflector, ABookmarkMovesThePositionAndOneThatGoesBackMeansAList) {
  World world;
  Fill(world.api, 4);
  world.Start();
  world.Settle(6);
  world.reflector->OnBytes(world.api.Bookmark(77));
  EXPECT_EQ(world.sink.position->resource_version, "77");
  world.reflector->OnBytes(world.api.Bookmark(20));
  world.Settle(6);
  EXPECT_EQ(world.sink.lists, 2);
}

TEST(Reflector, AnEventCutInTheMiddleIsReadAgainFromThePosition) {
  World world;
  world.Start();
  world.Settle(6);
  world.api.Put("shop/a", 1);
  world.api.Put("shop/b", 2);
  const std::size_t first = world.api.EventAt(2).size();
  world.Deliver(first + 10);
  EXPECT_EQ(world.sink.objects.size(), 1U);
  world.End(Fail(ErrorCode::kUnavailable, "cut"));
  world.Settle(4);
  EXPECT_EQ(world.sink.objects, world.api.objects);
  EXPECT_EQ(world.sink.lists, 1);
}

TEST(Reflector, SilenceBeyondTheBookmarkIntervalOpensANewConnection) {
  World world;
  world.Start();
  world.Settle(6);
  const std::size_t before = world.api.requests.size();
  world.Advance(seconds(89));
  EXPECT_EQ(world.api.requests.size(), before);
  world.Advance(seconds(2));
  world.Advance(seconds(2));
  EXPECT_EQ(world.api.requests.size(), before + 1);
  EXPECT_EQ(world.connection, Connection::kNew);
  world.Settle(3);
  EXPECT_EQ(world.sink.lists, 1);
}

TEST(Reflector, AnUnreadableEventIsTriedAgainThenListedOver) {
  World world;
  world.Start();
  world.Settle(6);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world.answer) << i;
    world.reflector->OnBytes("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\"}}\n");
    EXPECT_FALSE(world.answer);
    EXPECT_FALSE(world.reflector->status().last_error.empty());
    world.Advance(seconds(31));
    world.Deliver();
  }
  world.Settle(6);
  EXPECT_EQ(world.sink.lists, 2);
  EXPECT_EQ(world.reflector->status().state, KindState::kWatching);
}

TEST(Reflector, AnExpiredContinueTokenStartsTheListOverWithLargerPages) {
  World world;
  Fill(world.api, 10);
  world.Start();
  world.Deliver();  // Discovery.
  world.Deliver();  // The first page; the second is asked for.
  world.api.Put("shop/more", 1);
  world.api.oldest = world.api.version();
  world.Get(world.api.requests.back(), Connection::kAny);
  world.Settle(8);
  EXPECT_EQ(world.sink.objects, world.api.objects);
  EXPECT_EQ(world.sink.lists, 2);
  EXPECT_NE(world.api.requests[4].find("limit=12"), std::string::npos) << world.api.requests[4];
}

TEST(Reflector, AKindThatIsNotServedIsAnEmptyListUntilItComes) {
  World world;
  world.api.served = false;
  world.Start();
  world.Deliver();
  EXPECT_TRUE(world.reflector->status().synced);
  EXPECT_FALSE(world.reflector->status().served);
  EXPECT_EQ(world.sink.lists, 1);
  world.api.served = true;
  Fill(world.api, 2);
  world.Settle(10);
  EXPECT_TRUE(world.reflector->status().served);
  EXPECT_EQ(world.sink.objects, world.api.objects);
}

TEST(Reflector, AKindThatWasThereIsGoneOnlyWhenTheServerInsists) {
  World world;
  Fill(world.api, 2);
  world.Start();
  world.Settle(6);
  world.api.served = false;
  world.End({});
  for (int i = 0; i < 2; ++i) {
    world.Advance(seconds(31));
    world.Deliver();
    EXPECT_EQ(world.sink.objects.size(), 2U);
  }
  world.Settle(20);
  EXPECT_EQ(world.sink.objects.size(), 0U);
}

TEST(Reflector, WaitsLongerAfterEachFailureAndAsLongAsTheServerAsks) {
  World world;
  world.api.next_error = 403;
  world.Start();
  world.Deliver();
  EXPECT_EQ(world.reflector->status().state, KindState::kFailing);
  EXPECT_NE(world.reflector->status().last_error.find("HTTP 403: as the test wants it"),
            std::string::npos);
  const auto first = *world.reflector->deadline() - world.clock.Now();
  EXPECT_LE(first, std::chrono::milliseconds(500));
  world.api.next_error = 500;
  world.Advance(seconds(1));
  world.Deliver();
  EXPECT_GE(*world.reflector->deadline() - world.clock.Now(), std::chrono::milliseconds(500));
  world.Advance(seconds(1));
  world.reflector->OnStatus(429, seconds(20));
  world.End({});
  EXPECT_EQ(*world.reflector->deadline() - world.clock.Now(), seconds(20));
}

TEST(Reflector, ASinkThatFailsGetsTheSameChangesAgain) {
  World world;
  Fill(world.api, 4);
  world.sink.failures = 2;
  world.Start();
  world.Settle(20);
  EXPECT_EQ(world.sink.objects, world.api.objects);
  world.api.Put("shop/c1", 50);
  world.sink.failures = 1;
  world.Settle(5);
  EXPECT_EQ(world.sink.objects, world.api.objects);
}

TEST(Reflector, APageTooLongIsAskedForInSmallerPages) {
  World world;
  world.options.page_size = 100;
  world.options.max_page_bytes = 1'500;
  Fill(world.api, 40);
  world.Start();
  world.Settle(60);
  EXPECT_EQ(world.sink.objects, world.api.objects);
}

// Thousands of random steps: whatever the network does, what is in the sink at a position is what the server had there.
void Simulate(std::uint64_t seed, int steps) {
  World world(seed);
  std::mt19937_64 random(seed);
  const auto roll = [&](std::uint64_t sides) { return random() % sides; };
  Fill(world.api, 7);
  world.Start();
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t what = roll(1000);
    if (what < 330) {
      const std::string name = "n" + std::to_string(roll(3)) + "/c" + std::to_string(roll(9));
      if (world.api.served && roll(3) > 0) {
        world.api.Put(name, static_cast<int>(roll(1000)));
      } else {
        world.api.Delete(name);
      }
    } else if (what < 800) {
      world.Deliver(roll(4) == 0 ? std::string::npos : roll(300));
    } else if (what < 830) {
      world.End(Fail(ErrorCode::kUnavailable, "cut"));
    } else if (what < 840) {
      if (world.answer && world.answer->is_watch) {
        world.End({});
      }
    } else if (what < 930) {
      world.Advance(seconds(roll(40)));
    } else if (what < 940) {
      world.Advance(seconds(95));
    } else if (what < 950) {
      world.api.oldest = world.api.version();
    } else if (what < 960) {
      if (world.answer && world.answer->is_watch && world.answer->bytes.empty()) {
        world.answer->bytes += world.api.Bookmark(world.answer->seen);
      }
    } else if (what < 967) {
      if (world.answer && world.answer->is_watch && world.answer->seen > 2) {
        world.answer->bytes += world.api.EventAt(2 + roll(world.answer->seen - 1));
      }
    } else if (what < 974) {
      if (world.answer && world.answer->is_watch) {
        world.answer->bytes += roll(2) == 0 ? "{garbage}\n" : FakeApi::ErrorEvent(410);
      }
    } else if (what < 984) {
      const int codes[] = {500, 503, 429, 403, 410, 504, 400};
      world.api.next_error = codes[roll(7)];
    } else if (what < 988) {
      world.api.served = !world.api.served;
      while (!world.api.served && !world.api.objects.empty()) {
        world.api.Delete(world.api.objects.begin()->first);
      }
    } else if (what < 994) {
      world.sink.failures = 1 + static_cast<int>(roll(2));
    } else {
      world.reflector.reset();
      world.sink.listing = false;
      world.Start();
    }
    const bool is_settled = world.sink.position && world.sink.position->complete &&
                            !world.sink.position->resource_version.empty();
    if (is_settled) {
      const auto at = std::stoull(world.sink.position->resource_version);
      ASSERT_LT(at, world.api.states.size());
      ASSERT_EQ(world.sink.objects, world.api.states[at]) << "seed " << seed << " step " << step;
    }
  }
  world.api.served = true;
  world.api.next_error.reset();
  world.sink.failures = 0;
  world.Settle();
  EXPECT_EQ(world.sink.objects, world.api.objects) << "seed " << seed;
  EXPECT_EQ(world.reflector->status().state, KindState::kWatching) << "seed " << seed;
}

TEST(Reflector, HoldsWhatTheServerHadAtItsPositionWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Simulate(seed, 1'500);
    if (HasFatalFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace portcullis::replicator
