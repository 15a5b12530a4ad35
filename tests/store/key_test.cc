#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/entry_key.h"
#include "store/object_key.h"

namespace portcullis::store {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

ObjectKey Namespaced(std::string name_space, std::string name) {
  return {.scope = Scope::kNamespaced,
          .name_space = std::move(name_space),
          .group_version = "apps/v1",
          .kind = "Deployment",
          .name = std::move(name)};
}

TEST(ObjectKey, HasFrozenBytes) {
  EXPECT_EQ(EncodeKey(Namespaced("shop", "web")), "nshop\0apps/v1\0Deployment\0web"s);
  EXPECT_EQ(EncodeKey({.scope = Scope::kCluster,
                       .name_space = "",
                       .group_version = "v1",
                       .kind = "Namespace",
                       .name = "shop"}),
            "cv1\0Namespace\0shop"s);
}

TEST(ObjectKey, DecodesWhatItEncodes) {
  const ObjectKey key = Namespaced("shop", "web");
  const std::string bytes = EncodeKey(key);
  const auto decoded = DecodeKey(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->ToKey(), key);
}

TEST(ObjectKey, SortsAsTheLevelsDo) {
  const std::vector<ObjectKey> keys = {Namespaced("foo", "a"),   Namespaced("foo", "a-1"),
                                       Namespaced("foo", "a.2"), Namespaced("foo", "a10"),
                                       Namespaced("foo-1", "a"), Namespaced("zed", "a")};
  for (std::size_t i = 1; i < keys.size(); ++i) {
    EXPECT_LT(EncodeKey(keys[i - 1]), EncodeKey(keys[i]));
  }
}

TEST(ObjectKey, IsNotDecodedFromOtherBytes) {
  for (const std::string_view bytes : {""sv, "x"sv, "n"sv, "nshop"sv, "nshop\0apps/v1"sv,
                                       "n\0v1\0Pod\0a"sv, "cv1\0Pod\0a\0b"sv, "cv1\0\0a"sv}) {
    EXPECT_FALSE(DecodeKey(bytes)) << bytes;
  }
}

TEST(ObjectKey, RefusesANulByteAndMissingParts) {
  document::ObjectIdentity identity;
  identity.type = {.group = "apps", .version = "v1", .kind = "Deployment"};
  identity.name = "web";
  EXPECT_EQ(KeyOf(identity)->scope, Scope::kCluster);
  identity.name_space = "shop";
  EXPECT_EQ(KeyOf(identity)->scope, Scope::kNamespaced);
  identity.name_space = "sh\0op"s;
  EXPECT_FALSE(KeyOf(identity));
  identity.name_space = "shop";
  identity.name = "";
  EXPECT_FALSE(KeyOf(identity));
}

TEST(EntryKey, HasFrozenBytes) {
  std::string entry;
  AppendEntryPrefix(258, "a\0b"sv, &entry);
  EXPECT_EQ(entry,
            "\0\0\1\2a\0\xff"
            "b\0\1"s);
}

TEST(EntryKey, SeparatesValuesFromObjects) {
  for (const std::string_view value :
       {""sv, "a"sv, "\0"sv, "\0\1"sv, "a\0\1b"sv, "\0\0"sv, "\xff"sv}) {
    std::string entry;
    AppendEntryPrefix(7, value, &entry);
    const std::size_t size = entry.size();
    EXPECT_EQ(EntryPrefixSize(entry), size);
    entry += "nshop\0apps/v1\0Deployment\0web"sv;
    const auto decoded = DecodeEntryKey(entry);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->index, 7U);
    EXPECT_EQ(decoded->prefix.size(), size);
    EXPECT_EQ(decoded->object_key, "nshop\0apps/v1\0Deployment\0web"sv);
  }
}

TEST(EntryKey, SortsByValueThenByObject) {
  const std::vector<std::string_view> values = {""sv,    "\0"sv,   "\0\0"sv, "\0a"sv, "a"sv,
                                                "a\0"sv, "a\0b"sv, "aa"sv,   "b"sv};
  std::vector<std::string> entries;
  for (const std::string_view value : values) {
    for (const std::string_view object : {"c1"sv, "n1"sv}) {
      AppendEntryPrefix(1, value, &entries.emplace_back());
      entries.back() += object;
    }
  }
  EXPECT_TRUE(std::ranges::is_sorted(entries));
}

TEST(EntryKey, IsNotDecodedFromOtherBytes) {
  for (const std::string_view bytes :
       {""sv, "\0\0\0\1"sv, "\0\0\0\1a"sv, "\0\0\0\1a\0"sv, "\0\0\0\1a\0\2"sv}) {
    EXPECT_FALSE(DecodeEntryKey(bytes));
  }
}

}  // namespace
}  // namespace portcullis::store
