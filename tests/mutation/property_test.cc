// What holds for any mutators and objects: a second mutation changes nothing, the order in which mutators came does not matter, and
// nothing outside of their locations changes. PORTCULLIS_SEED sets the first seed, PORTCULLIS_LONG makes 20,000 cases.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mutation/json_patch.h"
#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

using nlohmann::json;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t Below(std::size_t limit) { return engine_() % limit; }
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  template <class T>
  T Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

const std::vector<std::string> kFields = {"a", "b", "c"};
const std::vector<std::string> kKeys = {"x", "w", "v"};

json RandomValue(Random& random, int depth) {
  switch (random.Below(depth > 0 ? 9 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return random.OneIn(2);
    case 2:
      return static_cast<int>(random.Below(3));
    case 3:
      return 0.5 + static_cast<double>(random.Below(2));
    case 4:
    case 5:
      return random.Pick<std::string>({"x", "w", "img:1", "r.io/img@sha256:00", ""});
    case 6: {
      json list = json::array();
      for (std::size_t i = random.Below(4); i > 0; --i) {
        list.push_back(RandomValue(random, depth - 1));
      }
      return list;
    }
    case 7: {  // A list that locations can go into.
      json list = json::array();
      for (std::size_t i = random.Below(4); i > 0; --i) {
        json item = RandomValue(random, 0);
        item = {{"k", random.Pick(kKeys)}};
        item[random.Pick(kFields)] = RandomValue(random, depth - 1);
        list.push_back(std::move(item));
      }
      return list;
    }
    default: {
      json object = json::object();
      for (std::size_t i = random.Below(4); i > 0; --i) {
        object[random.Pick(kFields)] = RandomValue(random, depth - 1);
      }
      return object;
    }
  }
}

std::string RandomLocation(Random& random) {
  std::string text = "spec";
  for (std::size_t i = 1 + random.Below(3); i > 0; --i) {
    text += "." + random.Pick(kFields);
    if (random.OneIn(3)) {
      text += random.OneIn(2) ? "[k:*]" : "[k:" + random.Pick(kKeys) + "]";
      if (i == 1) {
        text += "." + random.Pick(kFields);
      }
    }
  }
  return text;
}

json RandomMutator(Random& random, std::size_t number) {
  const std::string kind =
      random.Pick<std::string>({"Assign", "Assign", "ModifySet", "AssignImage", "AssignMetadata"});
  json spec;
  json parameters = json::object();
  std::string location = RandomLocation(random);
  if (kind == "AssignMetadata") {
    location = "metadata.labels." + random.Pick(kFields);
    parameters["assign"]["value"] = random.Pick(kKeys);
  } else {
    spec["applyTo"] = json::array({{{"groups", {""}}, {"versions", {"v1"}}, {"kinds", {"Pod"}}}});
    if (random.OneIn(3)) {
      const std::size_t dot = location.rfind('.');
      parameters["pathTests"] =
          json::array({{{"subPath", random.OneIn(2) ? location : location.substr(0, dot)},
                        {"condition", random.OneIn(2) ? "MustExist" : "MustNotExist"}}});
    }
  }
  if (kind == "Assign") {
    parameters["assign"]["value"] = random.OneIn(6) ? json("x") : RandomValue(random, 2);
    if (parameters["assign"]["value"].is_null()) {
      parameters["assign"]["value"] = false;
    }
  } else if (kind == "ModifySet") {
    parameters["operation"] = random.OneIn(2) ? "merge" : "prune";
    parameters["values"]["fromList"] = {RandomValue(random, 0), RandomValue(random, 0)};
  } else if (kind == "AssignImage") {
    parameters[random.Pick<std::string>({"assignDomain", "assignTag", "assignPath"})] = "";
    parameters["assignTag"] = ":v2";
    if (random.OneIn(2)) {
      parameters["assignDomain"] = "r.io";
    }
  }
  if (random.OneIn(4)) {
    spec["match"]["labelSelector"]["matchLabels"][random.Pick(kFields)] = random.Pick(kKeys);
  }
  spec["location"] = location;
  spec["parameters"] = parameters;
  return {{"apiVersion", "mutations.gatekeeper.sh/v1alpha1"},
          {"kind", kind},
          {"metadata", {{"name", "m" + std::to_string(number)}}},
          {"spec", spec}};
}

// Whether a change at `path` (the keys to it) is one that a mutator with these steps may make.
bool Covers(const std::vector<LocationStep>& steps, const std::vector<std::string>& path) {
  std::size_t at = 0;
  for (const LocationStep& step : steps) {
    if (at == path.size()) {
      return true;  // What leads to the location may come into being.
    }
    if (!step.is_list() && path[at] != step.name) {
      return false;
    }
    ++at;  // A list step: any item, since it is its key that counts.
  }
  return true;
}

std::vector<std::string> Keys(const std::string& pointer) {
  std::vector<std::string> keys;
  for (std::size_t begin = 1; begin <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
    keys.push_back(pointer.substr(begin, end - begin));
    begin = end + 1;
  }
  return keys;
}

std::string Mutated(const MutationSet& set, const std::string& object, document::Arena& arena,
                    std::string* patch) {
  const auto parsed = document::ParseJson(object, arena);
  EXPECT_TRUE(parsed);
  const auto outcome = set.Mutate({.object = *parsed,
                                   .name_space = {},
                                   .username = {},
                                   .source = "Original",
                                   .operation = Operation::kCreate},
                                  WithFixedId(), arena);
  if (!outcome) {
    return "error: " + outcome.error().message;
  }
  if (patch != nullptr) {
    AppendJsonPatch(*parsed, outcome->object, patch);
  }
  EXPECT_EQ(outcome->mutated, outcome->iterations > 0);
  return Json(outcome->object);
}

class Case {
 public:
  explicit Case(std::uint64_t seed) : random_(seed) {
    const std::size_t count = 1 + random_.Below(6);
    for (std::size_t i = 0; i < count; ++i) {
      const json manifest = RandomMutator(random_, i);
      const auto parsed = document::ParseJson(manifest.dump(), arena_);
      if (Mutator::Make(*parsed)) {
        manifests_.push_back(*parsed);
      }
    }
    object_ = {{"apiVersion", "v1"},
               {"kind", "Pod"},
               {"metadata", {{"name", "p"}, {"labels", {{"a", "x"}}}}},
               {"spec", random_.OneIn(8) ? RandomValue(random_, 3)
                                         : json{{random_.Pick(kFields), RandomValue(random_, 3)},
                                                {random_.Pick(kFields), RandomValue(random_, 3)}}}};
    if (random_.OneIn(8)) {
      object_["metadata"].erase("labels");
    }
  }

  void Check() {
    const std::shared_ptr<const MutationSet> set = Load();
    const std::string text = object_.dump();
    std::string patch;
    const std::string once = Mutated(*set, text, arena_, &patch);
    CheckOrder(text, once);
    if (once.starts_with("error: ")) {
      return;
    }
    EXPECT_EQ(json::parse(Mutated(*set, once, arena_, nullptr)), json::parse(once));
    EXPECT_EQ(json::parse(text).patch(json::parse(patch)), json::parse(once)) << patch;
    CheckPlaces(*set, json::parse(text), json::parse(once));
  }

 private:
  std::shared_ptr<const MutationSet> Load() {
    MutationStore store;
    for (const document::Value& each : manifests_) {
      EXPECT_TRUE(store.Put(each));
    }
    return store.current();
  }

  void CheckOrder(const std::string& text, const std::string& once) {
    std::ranges::shuffle(manifests_, random_.engine());
    MutationStore store;
    for (const document::Value& each : manifests_) {
      EXPECT_TRUE(store.Put(each));
      if (random_.OneIn(4)) {
        static_cast<void>(store.current());
      }
    }
    EXPECT_EQ(Mutated(*store.current(), text, arena_, nullptr), once);
  }

  // Every difference lies at a location, or where something on the way to one was missing.
  static void CheckPlaces(const MutationSet& set, const json& before, const json& after) {
    for (const json& operation : json::diff(before, after)) {
      const std::vector<std::string> path = Keys(operation["path"].get<std::string>());
      EXPECT_TRUE(std::ranges::any_of(set.all(), [&](const auto& mutator) {
        return Covers(mutator->location().steps, path);
      })) << operation.dump();
    }
  }

  Random random_;
  document::Arena arena_;
  std::vector<document::Value> manifests_;
  json object_;
};

TEST(MutationPropertyTest, MutationIsIdempotentAndKeepsToItsPlace) {
  const char* const given = std::getenv("PORTCULLIS_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const std::uint64_t count = std::getenv("PORTCULLIS_LONG") != nullptr ? 20000 : 1000;
  std::cout << fmt::format("seeds {} to {}\n", first, first + count - 1);
  for (std::uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("PORTCULLIS_SEED={}", seed));
    Case(seed).Check();
  }
}

}  // namespace
}  // namespace portcullis::mutation
