#include "controller/events.h"

#include <atomic>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "controller/event_queue.h"

namespace portcullis::controller {
namespace {

using nlohmann::json;

Event Denied(const std::string& message, const std::string& name = "web") {
  Event event;
  event.component = "gatekeeper-webhook";
  event.reason = "FailedAdmission";
  event.message = message;
  event.annotations = {{"process", "admission"}};
  SetSubject({.kind = "Ingress",
              .name = name,
              .name_space = "shop",
              .uid = "u-1",
              .resource_version = "7",
              .constraint_kind = "OneHost",
              .constraint_name = "one"},
             {}, &event);
  return event;
}

TEST(Events, LieInGatekeepersNamespaceOrBesideTheirObject) {
  Event event = Denied("taken");
  EXPECT_EQ(event.name_space, "gatekeeper-system");
  EXPECT_EQ(event.uid, "Ingress/shop/web/OneHost//one");
  EXPECT_EQ(event.resource_version, "");
  ViolationSubject subject{.kind = "Ingress",
                           .name = "web",
                           .name_space = "shop",
                           .uid = "u-1",
                           .resource_version = "7",
                           .constraint_kind = "OneHost",
                           .constraint_name = "one"};
  const EventPlace beside{.gatekeeper_namespace = "gk", .beside_objects = true};
  event = {};
  SetSubject(subject, beside, &event);
  EXPECT_EQ(event.name_space, "shop");
  EXPECT_EQ(event.uid, "u-1");
  EXPECT_EQ(event.resource_version, "7");
  // Both, or none.
  event = {};
  subject.resource_version = {};
  subject.name_space = {};
  SetSubject(subject, beside, &event);
  EXPECT_EQ(event.name_space, "gk");
  EXPECT_EQ(event.uid, "");
}

TEST(Events, OneThatIsRepeatedIsCountedInTheFirst) {
  ManualClock clock;
  EventCorrelator correlator(clock);
  const auto first = correlator.Observe(Denied("taken"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->verb, EventWrite::Verb::kCreate);
  EXPECT_EQ(first->path, "/api/v1/namespaces/gatekeeper-system/events");
  const json made = json::parse(first->body);
  EXPECT_EQ(made["message"], "taken");
  EXPECT_EQ(made["count"], 1);
  EXPECT_EQ(made["type"], "Warning");
  EXPECT_EQ(made["source"], (json{{"component", "gatekeeper-webhook"}}));
  EXPECT_EQ(made["metadata"]["annotations"], (json{{"process", "admission"}}));
  EXPECT_EQ(made["involvedObject"], (json{{"kind", "Ingress"},
                                          {"name", "web"},
                                          {"namespace", "gatekeeper-system"},
                                          {"uid", "Ingress/shop/web/OneHost//one"}}));
  clock.Advance(std::chrono::minutes(30));
  const auto second = correlator.Observe(Denied("taken"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->verb, EventWrite::Verb::kPatch);
  EXPECT_EQ(second->path, first->path + "/" + made["metadata"]["name"].get<std::string>());
  EXPECT_EQ(json::parse(second->body),
            (json{{"count", 2}, {"lastTimestamp", "1970-01-01T00:30:00Z"}}));
  // The API server has forgotten it by then.
  clock.Advance(std::chrono::minutes(60));
  const auto third = correlator.Observe(Denied("taken"));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->verb, EventWrite::Verb::kCreate);
}

TEST(Events, ManyTextsAboutOneObjectAreCombined) {
  ManualClock clock;
  EventCorrelator correlator(clock);
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(correlator.Observe(Denied(std::to_string(i)))->verb, EventWrite::Verb::kCreate);
  }
  const auto tenth = correlator.Observe(Denied("tenth"));
  EXPECT_EQ(tenth->verb, EventWrite::Verb::kCreate);
  EXPECT_EQ(json::parse(tenth->body)["message"], "(combined from similar events): tenth");
  const auto eleventh = correlator.Observe(Denied("eleventh"));
  EXPECT_EQ(eleventh->verb, EventWrite::Verb::kPatch);
  EXPECT_EQ(json::parse(eleventh->body)["message"], "(combined from similar events): eleventh");
  // Of another object they are not.
  EXPECT_EQ(json::parse(correlator.Observe(Denied("x", "other"))->body)["message"], "x");
  clock.Advance(std::chrono::minutes(11));
  EXPECT_EQ(json::parse(correlator.Observe(Denied("y"))->body)["message"], "y");
}

TEST(Events, OneObjectHasTwentyFiveInABurst) {
  ManualClock clock;
  EventCorrelator correlator(clock);
  int written = 0;
  for (int i = 0; i < 100; ++i) {
    written += correlator.Observe(Denied("taken")) ? 1 : 0;
  }
  EXPECT_EQ(written, 25);
  EXPECT_TRUE(correlator.Observe(Denied("taken", "other")));
  clock.Advance(std::chrono::minutes(5));
  EXPECT_TRUE(correlator.Observe(Denied("taken")));
  EXPECT_FALSE(correlator.Observe(Denied("taken")));
}

TEST(Events, AMessageIsCutBetweenCharacters) {
  ManualClock clock;
  EventCorrelator correlator(clock);
  std::string text = "x";
  while (text.size() < 40'000) {
    text += "ü";
  }
  const std::string cut =
      json::parse(correlator.Observe(Denied(text))->body)["message"].get<std::string>();
  EXPECT_EQ(cut, text.substr(0, 16'383));
}

TEST(EventQueue, NeverWaitsAndCountsWhatItDrops) {
  Metrics metrics;
  std::promise<void> entered;
  std::promise<void> release;
  std::atomic<std::size_t> emitted = 0;
  {
    EventQueue queue({.emit =
                          [&](const Event&) {
                            if (emitted++ == 0) {
                              entered.set_value();
                              release.get_future().wait();
                            }
                          },
                      .is_free = [] { return true; }},
                     metrics);
    EXPECT_TRUE(queue.Offer(Denied("0")));
    entered.get_future().wait();
    for (std::size_t i = 0; i < EventQueue::kMostWaiting; ++i) {
      EXPECT_TRUE(queue.Offer(Denied("1")));
    }
    EXPECT_FALSE(queue.Offer(Denied("2")));
    EXPECT_FALSE(queue.Offer(Denied("3")));
    release.set_value();
    while (emitted < EventQueue::kMostWaiting + 1) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(metrics.GetCounter("portcullis_events_dropped_total", "").value(), 2);
}

TEST(EventQueue, EndsWhileItsOutletTakesNothing) {
  Metrics metrics;
  std::atomic<bool> emitted = false;
  {
    EventQueue queue(
        {.emit = [&](const Event&) { emitted = true; }, .is_free = [] { return false; }}, metrics);
    EXPECT_TRUE(queue.Offer(Denied("0")));
  }
  EXPECT_FALSE(emitted);
}

}  // namespace
}  // namespace portcullis::controller
