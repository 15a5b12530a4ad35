#include "mutation/conflicts.h"

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

class ConflictsTest : public testing::Test {
 protected:
  struct One {
    const char* kind;
    const char* location;
  };
  // The names (a, b, …) of those in conflict.
  std::string Conflicting(const std::vector<One>& all, const std::string& apply_to = "") {
    std::vector<std::shared_ptr<const Mutator>> mutators;
    char name = 'a';
    for (const One& one : all) {
      const std::string parameters =
          std::string(one.kind) == "AssignImage" ? "{assignTag: ':v1'}" : "{assign: {value: 1}}";
      const auto made = Mutator::Make(documents_.Yaml(
          Manifest(one.kind, std::string(1, name++),
                   (apply_to.empty() ? std::string(kOfPods) : apply_to) + ", location: '" +
                       one.location + "', parameters: " + parameters)));
      EXPECT_TRUE(made) << (made ? "" : made.error().message);
      mutators.push_back(*made);
    }
    std::string names;
    const auto conflicts = FindConflicts(mutators);
    for (std::size_t i = 0; i < mutators.size(); ++i) {
      if (!conflicts[i].empty()) {
        names += mutators[i]->id().name;
      }
    }
    return names;
  }
  Documents documents_;
};

TEST_F(ConflictsTest, FormsOfOneFieldConflict) {
  EXPECT_EQ(Conflicting({{"Assign", "s.a.b"}, {"Assign", "s.a[k:v].b"}, {"Assign", "s.c"}}), "ab");
  EXPECT_EQ(Conflicting({{"Assign", "s.a[k:v].b"}, {"Assign", "s.a[l:v].b"}}), "ab");
  EXPECT_EQ(Conflicting({{"ModifySet", "s.a"}, {"Assign", "s.a.b"}}), "ab");
  EXPECT_EQ(Conflicting({{"ModifySet", "s.a"}, {"AssignImage", "s.a"}}), "ab");
  EXPECT_EQ(Conflicting({{"AssignImage", "s.a"}, {"Assign", "s.a.b"}}), "ab");
}

TEST_F(ConflictsTest, WhatFitsTogetherDoesNot) {
  EXPECT_EQ(Conflicting({{"Assign", "s.a"}, {"Assign", "s.a.b"}, {"Assign", "s.a"}}), "");
  EXPECT_EQ(Conflicting({{"Assign", "s.a[k:v].b"}, {"Assign", "s.a[k:*].c"}}), "");
  EXPECT_EQ(Conflicting({{"Assign", "s.a"}, {"ModifySet", "s.a"}}), "");
}

// A mutator that says nothing of the form stays in force among others that contradict each other about it.
TEST_F(ConflictsTest, AnUnknownFormTakesNoPart) {
  EXPECT_EQ(Conflicting({{"Assign", "s.a"}, {"Assign", "s.a.b"}, {"Assign", "s.a[k:v].b"}}), "bc");
}

TEST_F(ConflictsTest, TheTextNamesAllInOrder) {
  std::vector<std::shared_ptr<const Mutator>> mutators;
  for (const char* location : {"s.a[k:v].b", "s.a.b"}) {
    mutators.push_back(
        *Mutator::Make(documents_.Yaml(Manifest("Assign", mutators.empty() ? "z" : "q",
                                                std::string(kOfPods) + ", location: '" + location +
                                                    "', parameters: {assign: {value: 1}}"))));
  }
  EXPECT_EQ(ConflictText(FindConflicts(mutators)[0]),
            "the following mutators have conflicting schemas: [Assign.mutations.gatekeeper.sh "
            "/q,Assign.mutations.gatekeeper.sh /z]");
}

}  // namespace
}  // namespace portcullis::mutation
