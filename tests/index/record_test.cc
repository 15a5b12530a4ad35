#include "index/record.h"

#include <gtest/gtest.h>

#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

using std::string_literals::operator""s;

TEST(Record, HasFrozenBytes) {
  EXPECT_EQ(PositionKey(IngressType()), "pnetworking.k8s.io/v1\0Ingress"s);
  EXPECT_EQ(WipeKey(NamespaceType()), "wv1\0Namespace"s);
  EXPECT_EQ(CountsKey({.scope = store::Scope::kNamespaced, .group_version = "v1", .kind = "Pod"}),
            "snv1\0Pod"s);
  EXPECT_EQ(IndexKey(258), "i\0\0\1\2"s);
  EXPECT_EQ(ProgressKey(258), "b\0\0\1\2"s);
  EXPECT_EQ(EncodePosition({.resource_version = "77", .complete = true}),
            "\1\1\2"
            "77");
  EXPECT_EQ(EncodeCounts({.objects = 3, .encoded_bytes = 300}), "\1\3\xac\2");
  EXPECT_EQ(
      EncodeIndex({.definition = HostIndex(), .state = IndexState::kReady, .users = {"a", "b"}}),
      "\1\1\x29"
      "namespace/*/*/Ingress: spec.rules[_].host\2\1a\1b");
  EXPECT_EQ(StatisticsKey(258), "k\0\0\1\2"s);
  EXPECT_EQ(EncodeProgress({.entries = 1, .built_objects = 2, .cursor = "n", .changes = 3}),
            "\2\1\2\1n\3");
  EXPECT_EQ(EncodeStatistics({.entries = 9,
                              .distinct_keys = 4,
                              .changes = 12,
                              .frequent = {{.key = "\6a", .entries = 5}}}),
            "\1\x9\4\xc\1\2\6a\5");
  EXPECT_EQ(EncodeNumber(5), "\1\5");
}

TEST(Record, ReadsOldBytes) {
  EXPECT_EQ(DecodePosition("\1\1\2"
                           "77"),
            (ReplicationPosition{.resource_version = "77", .complete = true}));
  const auto counts = DecodeCounts("\1\3\xac\2");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->encoded_bytes, 300U);
  const auto record = DecodeIndex(
      "\1\1\x29"
      "namespace/*/*/Ingress: spec.rules[_].host\2\1a\1b");
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->definition, HostIndex());
  EXPECT_EQ(record->users.size(), 2U);
  const auto progress = DecodeProgress("\1\1\2\1n");
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->cursor, "n");
  EXPECT_EQ(progress->changes, 1U);
  const auto statistics = DecodeStatistics("\1\x9\4\xc\1\2\6a\5");
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->frequent, (std::vector<KeyCount>{{.key = "\6a", .entries = 5}}));
}

TEST(Record, RefusesDamagedBytes) {
  for (const std::string_view bytes : {"", "\2", "\1", "\1\2\1x", "\1\1\5x", "\1\1\1xy"}) {
    EXPECT_FALSE(DecodePosition(bytes));
  }
  EXPECT_FALSE(DecodeNumber("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
  EXPECT_FALSE(DecodeIndex("\1\1\3bad"));
  EXPECT_FALSE(DecodeProgress("\3\1\2\1n\3"));
  EXPECT_FALSE(DecodeProgress("\2\1\2\1n"));
  // More of one key than there are entries.
  EXPECT_FALSE(DecodeStatistics("\1\4\4\xc\1\2\6a\5"));
}

}  // namespace
}  // namespace portcullis::index
