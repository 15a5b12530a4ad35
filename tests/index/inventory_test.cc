#include "index/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

using store::Scope;

TEST(Inventory, ReturnsWhatWasPut) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  const std::string json = IngressJson("shop", "web", {"a.com"});
  inventory.Put(json);
  EXPECT_EQ(inventory.Get(IngressKey("shop", "web")), json);
  EXPECT_EQ(inventory.Get(IngressKey("shop", "other")), "");
  inventory.Reopen();
  EXPECT_EQ(inventory.Get(IngressKey("shop", "web")), json);
  EXPECT_EQ(inventory.Problems(), "");
}

TEST(Inventory, OrdersEachLevelByItsBytes) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  for (const char* space : {"zed", "foo-1", "foo"}) {
    for (const char* name : {"b", "a10", "a.2", "a", "a-1"}) {
      inventory.Put(IngressJson(space, name, {}));
    }
  }
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {}), "foo foo-1 zed");
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {"foo"}), "networking.k8s.io/v1");
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {"foo", "networking.k8s.io/v1"}), "Ingress");
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {"foo", "networking.k8s.io/v1", "Ingress"}),
            "a a-1 a.2 a10 b");
  EXPECT_EQ(inventory.Objects(Scope::kNamespaced, {"foo"}), "foo/a foo/a-1 foo/a.2 foo/a10 foo/b");
  EXPECT_EQ(inventory.Objects(Scope::kNamespaced, {"foo", "networking.k8s.io/v1", "Ingress", "a"}),
            "foo/a");
  EXPECT_EQ(inventory.Objects(Scope::kCluster, {}), "");
}

TEST(Inventory, KeepsTheParentsOfWhatWasDeletedUntilTheKindIsWiped) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {}), "");
  inventory.Put(IngressJson("shop", "web", {}));
  inventory.Delete(IngressKey("shop", "web"));
  const std::vector<std::string_view> kind = {"shop", "networking.k8s.io/v1", "Ingress"};
  const std::vector<std::string_view> other = {"shop", "networking.k8s.io/v1", "Other"};
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, {}), "shop");
  EXPECT_EQ(inventory.Segments(Scope::kNamespaced, kind), "");
  EXPECT_TRUE(*inventory->View()->Exists({.scope = Scope::kNamespaced, .segments = kind}));
  EXPECT_FALSE(*inventory->View()->Exists({.scope = Scope::kNamespaced, .segments = other}));
  ASSERT_TRUE(inventory->Wipe(IngressType()));
  EXPECT_FALSE(*inventory->View()->Exists({.scope = Scope::kNamespaced, .segments = kind}));
  EXPECT_FALSE(*inventory->View()->Exists({.scope = Scope::kNamespaced, .segments = {}}));
  inventory.Put(IngressJson("shop", "web", {}));
  EXPECT_TRUE(*inventory->View()->Exists({.scope = Scope::kNamespaced, .segments = kind}));
  EXPECT_EQ(inventory.Problems(), "");
}

TEST(Inventory, FindsObjectsByEachOfTheirValues) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.Put(IngressJson("shop", "before", {"a.com", "b.com", "a.com"}));
  inventory.WantIndexes({HostIndex()});
  inventory.Put(IngressJson("shop", "after", {"b.com"}));
  EXPECT_EQ(inventory.Find(HostIndex(), R"("a.com")"), "shop/before");
  EXPECT_EQ(inventory.Find(HostIndex(), R"("b.com")"), "shop/after shop/before");
  EXPECT_EQ(inventory.Find(HostIndex(), R"("c.com")"), "");
  inventory.Put(IngressJson("shop", "before", {"c.com"}));
  EXPECT_EQ(inventory.Find(HostIndex(), R"("a.com")"), "");
  EXPECT_EQ(inventory.Find(HostIndex(), R"("b.com")"), "shop/after");
  inventory.Delete(IngressKey("shop", "after"));
  EXPECT_EQ(inventory.Find(HostIndex(), R"("b.com")"), "");
  EXPECT_EQ(inventory.Find(HostIndex(), R"("c.com")"), "shop/before");
  EXPECT_EQ(inventory.Problems(), "");
  ASSERT_EQ(inventory->Indexes().size(), 1U);
  EXPECT_EQ(inventory->Indexes()[0].entries, 1U);
}

TEST(Inventory, DropsAnIndexThatNobodyWants) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.Put(IngressJson("shop", "web", {"a.com"}));
  inventory.WantIndexes({HostIndex()});
  const std::unique_ptr<InventoryView> before = inventory->View();
  inventory.WantIndexes({});
  EXPECT_EQ(inventory.Find(HostIndex(), R"("a.com")"), "no index");
  // A view that began earlier still has it whole.
  const auto index = before->FindIndex(HostIndex());
  ASSERT_TRUE(index);
  const auto cursor = before->Lookup(*index, document::Value::String("a.com"));
  ASSERT_TRUE(cursor);
  EXPECT_TRUE(cursor->get()->Next()->has_value());
  inventory.WantIndexes({HostIndex()});
  EXPECT_EQ(inventory.Find(HostIndex(), R"("a.com")"), "shop/web");
}

TEST(Inventory, AViewStaysAtItsMoment) {
  const TemporaryFolder folder;
  TestInventory inventory(folder.path());
  inventory.WantIndexes({HostIndex()});
  inventory.Put(IngressJson("shop", "web", {"a.com"}));
  const std::unique_ptr<InventoryView> view = inventory->View();
  inventory.Put(IngressJson("shop", "more", {"a.com"}));
  inventory.Delete(IngressKey("shop", "web"));
  const auto objects = view->Objects({.scope = Scope::kNamespaced, .segments = {}});
  ASSERT_TRUE(objects);
  EXPECT_EQ(objects->get()->Next()->value().key.name, "web");
  EXPECT_FALSE(objects->get()->Next()->has_value());
  const auto found = view->Lookup(*view->FindIndex(HostIndex()), document::Value::String("a.com"));
  EXPECT_EQ(found->get()->Next()->value().key.name, "web");
  EXPECT_FALSE(found->get()->Next()->has_value());
}

}  // namespace
}  // namespace portcullis::index
