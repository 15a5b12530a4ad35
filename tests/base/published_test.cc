#include "base/published.h"

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

struct Pair {
  int one = 0;
  int other = 0;
};

TEST(PublishedTest, NothingIsThereBeforeTheFirst) {
  EXPECT_EQ(Published<int>().load(), nullptr);
}

TEST(PublishedTest, ReadersSeeWholeValuesInTheirOrderAndKeepThem) {
  Published<Pair> published(std::make_shared<const Pair>());
  const std::shared_ptr<const Pair> first = published.load();
  std::thread writer([&published] {
    for (int i = 1; i <= 1000; ++i) {
      published.store(std::make_shared<const Pair>(Pair{i, i}));
    }
  });
  for (int last = 0; last < 1000;) {
    const std::shared_ptr<const Pair> seen = published.load();
    EXPECT_EQ(seen->one, seen->other);
    EXPECT_GE(seen->one, last);
    last = seen->one;
  }
  writer.join();
  EXPECT_EQ(first->one, 0);
}

struct AtEnd {
  explicit AtEnd(std::function<void()> then) : run(std::move(then)) {}
  ~AtEnd() { run(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  std::function<void()> run;
};

TEST(PublishedTest, WhatIsReplacedMayReadAsItEnds) {
  Published<AtEnd> published;
  std::shared_ptr<const AtEnd> seen;
  published.store(std::make_shared<const AtEnd>([&] { seen = published.load(); }));
  const auto next = std::make_shared<const AtEnd>([] {});
  published.store(next);
  EXPECT_EQ(seen, next);
}

}  // namespace
}  // namespace portcullis
