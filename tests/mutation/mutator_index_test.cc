#include "mutation/mutator_index.h"

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

using Places = std::vector<std::uint32_t>;

class MutatorIndexTest : public testing::Test {
 protected:
  // `rest`: what the spec says besides the location and the parameters.
  void Add(std::string_view kind, const std::string& rest) {
    const bool metadata = kind == "AssignMetadata";
    const auto made = Mutator::Make(
        documents_.Yaml(Manifest(kind, "m",
                                 fmt::format("{}location: {}, parameters: {{assign: {{value: x}}}}",
                                             rest, metadata ? "metadata.labels.a" : "spec.a"))));
    ASSERT_TRUE(made) << made.error().message;
    mutators_.push_back(*made);
    index_.Add(next_++, **made);
  }
  Places Find(std::string_view kind, std::optional<std::string_view> name_space) {
    Places places;
    index_.Find(kind, name_space, &places);
    return places;
  }

  Documents documents_;
  std::vector<std::shared_ptr<const Mutator>> mutators_;
  MutatorIndex index_;
  std::uint32_t next_ = 0;
};

TEST_F(MutatorIndexTest, OnlyMutatorsThatNameTheKindOrNoneAreFound) {
  Add("Assign", "applyTo: [{groups: [''], versions: [v1], kinds: [Pod, Service]}], ");
  Add("AssignMetadata", "");
  Add("AssignMetadata", "match: {kinds: [{apiGroups: ['*'], kinds: [Service]}]}, ");
  Add("AssignMetadata", "match: {kinds: [{kinds: ['*', Service]}]}, ");
  EXPECT_EQ(Find("Pod", "shop"), (Places{0, 1, 3}));
  EXPECT_EQ(Find("Service", "shop"), (Places{0, 1, 2, 3}));
  EXPECT_EQ(Find("Secret", std::nullopt), (Places{1, 3}));
}

TEST_F(MutatorIndexTest, OnlyMutatorsThatNameTheNamespaceOrHaveAGlobAreFound) {
  const std::string pods = std::string(kOfPods) + ", ";
  Add("Assign", pods + "match: {namespaces: [shop, shop, bank]}, ");
  Add("Assign", pods + "match: {namespaces: [bank]}, ");
  Add("Assign", pods + "match: {namespaces: [bank, 'sh*']}, ");
  Add("Assign", pods + "match: {namespaces: []}, ");
  Add("Assign", pods + "match: {excludedNamespaces: [shop]}, ");
  Add("AssignMetadata", "match: {namespaces: [shop]}, ");
  EXPECT_EQ(Find("Pod", "shop"), (Places{0, 2, 3, 4, 5}));
  EXPECT_EQ(Find("Pod", "bank"), (Places{0, 1, 2, 3, 4}));
  EXPECT_EQ(Find("Pod", ""), (Places{2, 3, 4}));
}

TEST_F(MutatorIndexTest, AnObjectOfNoNamespaceMayMatchWhateverNamespacesAreNamed) {
  Add("Assign", std::string(kOfPods) + ", match: {namespaces: [shop]}, ");
  EXPECT_EQ(Find("Pod", std::nullopt), Places{0});
}

// Mutators of few kinds, namespaces and names, so that many meet the object.
class RandomMutators {
 public:
  explicit RandomMutators(std::uint64_t seed) : random_(seed) {}

  // With `glob`, one namespace more that no object lies in: all mutators are then tried one by one.
  std::string Mutator(std::size_t number, const std::string& glob) {
    const bool metadata = OneIn(3);
    std::string match;
    if (!OneIn(3)) {
      std::string names = glob;
      for (std::size_t i = Below(3); i > 0; --i) {
        names += (names.empty() ? "" : ", ") + Pick({"shop", "bank", "'sh*'", "'*'", "''"});
      }
      // A list of the glob alone would say something else than an empty one.
      match += names == glob ? "" : "namespaces: [" + names + "], ";
    }
    match += OneIn(4) ? "excludedNamespaces: [" + Pick({"shop", "'b*'"}) + "], " : "";
    match += OneIn(4) ? "scope: " + Pick({"Cluster", "Namespaced"}) + ", " : "";
    match += OneIn(5) ? "namespaceSelector: {matchLabels: {a: x}}, " : "";
    match += OneIn(4) ? "labelSelector: {matchLabels: {l" + Number(3) + ": x}}, " : "";
    match += OneIn(12) ? "source: Other, " : "";
    if (metadata) {
      match += OneIn(2) ? "" : "kinds: [{kinds: [" + Pick({"Pod", "Namespace", "'*'"}) + "]}]";
      return Manifest("AssignMetadata", "m" + std::to_string(number),
                      "match: {" + match + "}, location: metadata.labels.l" + Number(3) +
                          ", parameters: {assign: {value: x}}");
    }
    const bool kind = OneIn(8);
    return Manifest("Assign", "m" + std::to_string(number),
                    "applyTo: [{groups: [''], versions: [v1], kinds: [" +
                        Pick({"Pod", "Namespace", "Pod, Namespace"}) + "]}], match: {" + match +
                        "}, location: " + (kind ? "kind" : "spec.f" + Number(2)) +
                        ", parameters: {assign: {value: " +
                        (kind ? Pick({"Pod", "Namespace"}) : Number(2)) + "}}");
  }

  std::string Object() {
    return "{apiVersion: v1, kind: " + Pick({"Pod", "Namespace"}) +
           ", metadata: {name: " + Pick({"shop", "bank"}) +
           (OneIn(3) ? "" : ", namespace: " + Pick({"shop", "bank", "shed"})) + ", labels: {l" +
           Number(3) + ": x}}}";
  }
  std::string Namespace() {
    return OneIn(2) ? "" : "{metadata: {name: " + Pick({"shop", "bank"}) + ", labels: {a: x}}}";
  }
  std::size_t Below(std::size_t limit) { return random_() % limit; }

 private:
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  std::string Number(std::size_t limit) { return std::to_string(Below(limit)); }
  std::string Pick(const std::vector<std::string>& from) { return from[Below(from.size())]; }

  std::mt19937_64 random_;
};

struct Seen {
  std::string matching;  // Or why that cannot be told.
  std::string object;    // Likewise.
};

// Those in force that match, each asked; "error": one cannot be asked.
std::string MatchingOneByOne(const MutationSet& set, const Mutable& target) {
  std::string names;
  const policy::MatchSubject subject(policy::MatchTarget{.object = target.object,
                                                         .old_object = {},
                                                         .name_space = target.name_space,
                                                         .source = target.source});
  for (std::size_t i = 0; i < set.all().size(); ++i) {
    const Mutator& mutator = *set.all()[i];
    const auto matches = mutator.Matches(TypeOf(target.object), target.operation, subject);
    if (set.ConflictsOf(i).empty() && !matches) {
      return "error";
    }
    names += set.ConflictsOf(i).empty() && *matches ? mutator.Summary() + " " : "";
  }
  return names;
}

Seen Mutated(std::uint64_t seed, const std::string& glob) {
  RandomMutators random(seed);
  Documents documents;
  const std::string object = random.Object();
  const std::string name_space = random.Namespace();
  MutationStore store;
  for (std::size_t i = random.Below(8) + 1; i > 0; --i) {
    const std::string manifest = random.Mutator(i, glob);
    EXPECT_TRUE(store.Put(documents.Yaml(manifest))) << manifest;
  }
  const Mutable target{
      .object = documents.Yaml(object),
      .name_space = name_space.empty() ? document::Value() : documents.Yaml(name_space),
      .username = {},
      .source = "Original",
      .operation = Operation::kCreate};
  Seen seen;
  const auto matching = store.current()->Matching(target);
  for (const Mutator* mutator : matching ? *matching : std::vector<const Mutator*>()) {
    seen.matching += mutator->Summary() + " ";
  }
  seen.matching = matching ? seen.matching : "error";
  EXPECT_EQ(seen.matching, MatchingOneByOne(*store.current(), target));
  const auto outcome = store.current()->Mutate(target, WithFixedId(), documents.arena());
  seen.object = outcome ? Json(outcome->object) : outcome.error().message;
  return seen;
}

TEST(MutatorIndexPropertyTest, WhatIsFoundIsWhatMatchesOneByOne) {
  const char* const given = std::getenv("PORTCULLIS_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  const std::uint64_t count = std::getenv("PORTCULLIS_LONG") != nullptr ? 20000 : 1000;
  std::cout << fmt::format("seeds {} to {}\n", first, first + count - 1);
  std::size_t matched = 0;
  for (std::uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("PORTCULLIS_SEED={}", seed));
    const Seen by_index = Mutated(seed, "");
    const Seen one_by_one = Mutated(seed, "'nowhere-*'");
    EXPECT_EQ(by_index.matching, one_by_one.matching);
    EXPECT_EQ(by_index.object, one_by_one.object);
    matched += by_index.matching.size();
  }
  EXPECT_GT(matched, count / 2);
}

}  // namespace
}  // namespace portcullis::mutation
