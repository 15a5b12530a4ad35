// Random histories of the inventory against a plain map that does the same. PORTCULLIS_LONG=1 runs many more;
// PORTCULLIS_SEED=n runs that one.

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "document/json.h"
#include "tests/index/test_inventory.h"

namespace portcullis::index {
namespace {

constexpr std::size_t kSteps = 60;

struct Object {
  std::string json;
  std::set<std::string> hosts;
};

class History {
 public:
  History(const std::filesystem::path& path, std::uint32_t seed)
      : random_(seed), inventory_(path) {}

  void Run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      Step();
      Compare();
    }
  }

 private:
  std::size_t Pick(std::size_t below) { return random_() % below; }
  std::string Name(std::string_view prefix, std::size_t kinds) {
    return std::string(prefix) + std::to_string(Pick(kinds));
  }

  std::pair<store::ObjectKey, Object> MakeObject() {
    const store::ObjectKey key = IngressKey(Name("space", 4), Name("name", 6));
    std::vector<std::string> hosts;
    for (std::size_t i = Pick(4); i > 0; --i) {
      hosts.push_back(Pick(8) == 0 ? std::string(300, 'x') + Name("", 3) : Name("host", 6));
    }
    const std::string version = std::to_string(++version_);
    return {key,
            {.json = IngressJson(key.name_space, key.name, hosts, version),
             .hosts = {hosts.begin(), hosts.end()}}};
  }

  void Step() {
    switch (Pick(12)) {
      case 0:
        inventory_.Reopen();
        break;
      case 1:
        ASSERT_TRUE(inventory_->Wipe(IngressType()));
        model_.clear();
        parents_.clear();
        break;
      case 2:
        inventory_.WantIndexes(Pick(2) == 0 ? std::vector<Definition>() : std::vector{HostIndex()});
        break;
      case 3:
        ASSERT_TRUE(inventory_->store().Flush());
        break;
      case 4:
        List();
        break;
      case 5:
        ASSERT_TRUE(inventory_->SetWantedIndexes({{.definition = HostIndex(), .user = "test"}}));
        Apply();
        break;
      default:
        Apply();
    }
  }

  void Apply() {
    ChangeSet changes;
    changes.type = IngressType();
    std::set<store::ObjectKey> deleted;
    for (std::size_t i = Pick(8); i > 0; --i) {
      if (Pick(3) == 0) {
        const store::ObjectKey key = IngressKey(Name("space", 4), Name("name", 6));
        changes.deletes.push_back(key);
        deleted.insert(key);
        continue;
      }
      auto [key, object] = MakeObject();
      changes.puts.push_back(inventory_.Parse(object.json));
      // What the same changes delete was never there, and leaves no parent either.
      last_[key] = object;
    }
    for (const store::ObjectKey& key : deleted) {
      last_.erase(key);
      model_.erase(key);
    }
    for (auto& [key, object] : last_) {
      parents_.insert(key.name_space);
      model_[key] = object;
    }
    last_.clear();
    changes.position =
        ReplicationPosition{.resource_version = std::to_string(version_), .complete = true};
    ASSERT_TRUE(inventory_->Apply(changes));
  }

  void List() {
    auto list = inventory_->BeginList(IngressType());
    ASSERT_TRUE(list);
    std::map<store::ObjectKey, Object> listed;
    for (const auto& [key, object] : model_) {
      if (Pick(3) != 0) {
        listed.emplace(key, object);
      }
    }
    for (std::size_t i = Pick(4); i > 0; --i) {
      auto [key, object] = MakeObject();
      listed[key] = object;
    }
    std::size_t unchanged = 0;
    for (const auto& [key, object] : listed) {
      const auto known = model_.find(key);
      unchanged += known != model_.end() && known->second.json == object.json ? 1 : 0;
      parents_.insert(key.name_space);
      const std::vector<document::Value> page = {inventory_.Parse(object.json)};
      ASSERT_TRUE(list->get()->Add(page));
    }
    if (Pick(4) == 0) {
      // Abandoned: what was written stays.
      for (auto& [key, object] : listed) {
        model_[key] = object;
      }
      list->reset();
      EXPECT_FALSE((*inventory_->Position(IngressType()))->complete);
      return;
    }
    const auto result = list->get()->Finish(std::to_string(version_));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->unchanged, unchanged);
    EXPECT_EQ(result->written, listed.size() - unchanged);
    model_ = std::move(listed);
    EXPECT_TRUE((*inventory_->Position(IngressType()))->complete);
  }

  void Compare() {
    std::string objects;
    std::map<std::string, std::string> by_host;
    for (const auto& [key, object] : model_) {
      const std::string name = key.name_space + "/" + key.name;
      objects += (objects.empty() ? "" : " ") + name;
      EXPECT_EQ(inventory_.Get(key), document::ToJson(inventory_.Parse(object.json)));
      for (const std::string& host : object.hosts) {
        by_host[host] += (by_host[host].empty() ? "" : " ") + name;
      }
    }
    EXPECT_EQ(inventory_.Objects(store::Scope::kNamespaced, {}), objects);
    std::string parents;
    for (const std::string& parent : parents_) {
      parents += (parents.empty() ? "" : " ") + parent;
    }
    EXPECT_EQ(inventory_.Segments(store::Scope::kNamespaced, {}), parents);
    if (inventory_->View()->FindIndex(HostIndex())) {
      for (const auto& [host, names] : by_host) {
        EXPECT_EQ(inventory_.Find(HostIndex(), '"' + host + '"'), names);
      }
      EXPECT_EQ(inventory_.Find(HostIndex(), R"("no such host")"), "");
    }
    EXPECT_EQ(inventory_->View()->EstimateObjects(store::Scope::kNamespaced, "Ingress"),
              model_.size());
    EXPECT_EQ(inventory_.Problems(), "");
    inventory_.arena.Reset();
  }

  std::mt19937 random_;
  TestInventory inventory_;
  std::map<store::ObjectKey, Object> model_;
  std::map<store::ObjectKey, Object> last_;
  std::set<std::string> parents_;
  std::uint64_t version_ = 0;
};

TEST(History, ARandomOneLeavesWhatAPlainMapHolds) {
  std::vector<std::uint32_t> seeds = {1, 2, 3};
  if (std::getenv("PORTCULLIS_LONG") != nullptr) {
    for (std::uint32_t seed = 4; seed < 300; ++seed) {
      seeds.push_back(seed);
    }
  }
  if (const char* seed = std::getenv("PORTCULLIS_SEED")) {
    seeds = {static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10))};
  }
  for (const std::uint32_t seed : seeds) {
    SCOPED_TRACE("PORTCULLIS_SEED=" + std::to_string(seed));
    const TemporaryFolder folder;
    History(folder.path(), seed).Run(kSteps);
    if (HasFailure()) {
      break;
    }
  }
}

}  // namespace
}  // namespace portcullis::index
