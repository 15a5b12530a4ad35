#include "controller/trace_settings.h"

#include <string>

#include <gtest/gtest.h>

#include "document/yaml.h"

namespace portcullis::controller {
namespace {

TraceSettings Parse(const std::string& traces) {
  document::Arena arena;
  return TraceSettings(document::ParseYaml(traces, arena).value().at(0).value);
}

TEST(TraceSettings, NameAUserAndExactlyOneKind) {
  const TraceSettings traces = Parse(R"(
- {user: alice, kind: {group: "", version: v1, kind: Pod}}
- {user: alice, kind: {group: apps, version: v1, kind: Deployment}, dump: all}
- {user: bob, kind: {group: "", version: v1, kind: Pod}, dump: Some}
)");
  EXPECT_FALSE(traces.empty());
  EXPECT_EQ(traces.LevelOf("alice", {"", "v1", "Pod"}), TraceLevel::kTrace);
  EXPECT_EQ(traces.LevelOf("alice", {"apps", "v1", "Deployment"}), TraceLevel::kTraceAndDump);
  EXPECT_EQ(traces.LevelOf("bob", {"", "v1", "Pod"}), TraceLevel::kTrace);
  EXPECT_EQ(traces.LevelOf("bob", {"apps", "v1", "Deployment"}), TraceLevel::kNone);
  EXPECT_EQ(traces.LevelOf("alice", {"apps", "v1beta1", "Deployment"}), TraceLevel::kNone);
}

TEST(TraceSettings, WhatHasNotTheirFormIsPassedOver) {
  EXPECT_TRUE(TraceSettings(document::Value()).empty());
  EXPECT_TRUE(Parse("{user: alice}").empty());
  EXPECT_TRUE(Parse("[alice, 1]").empty());
}

}  // namespace
}  // namespace portcullis::controller
