// What single mutators make of objects. How Gatekeeper does it is recorded in tests/cases/mutation; here is what those do not say.

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

class ApplyTest : public testing::Test {
 protected:
  // The object after one pass of the mutator; "same" where the very same handle comes back.
  std::string Apply(std::string_view kind, const std::string& spec, const std::string& object) {
    const auto made =
        Mutator::Make(documents_.Yaml(Manifest(kind, "m", std::string(kOfPods) + ", " + spec)));
    if (!made) {
      return "refused: " + made.error().message;
    }
    const document::Value before = documents_.Yaml(object);
    const auto after =
        (*made)->Apply({.object = before, .name_space = {}, .username = "alice", .source = ""}, 0,
                       documents_.arena());
    if (!after) {
      return "error: " + after.error().message;
    }
    if (after->is_undefined()) {
      return "does not apply";
    }
    return GoEqual(before, *after) ? "same" : Json(*after);
  }
  Documents documents_;
};

TEST_F(ApplyTest, WhatIsNotTouchedIsShared) {
  const document::Value before = documents_.Yaml("{spec: {a: 1, big: [1, 2, 3]}}");
  const auto made = Mutator::Make(documents_.Yaml(
      Manifest("Assign", "m",
               std::string(kOfPods) + ", location: spec.a, parameters: {assign: {value: 2}}")));
  ASSERT_TRUE(made);
  const auto after = (*made)->Apply(
      {.object = before, .name_space = {}, .username = {}, .source = {}}, 0, documents_.arena());
  ASSERT_TRUE(after);
  EXPECT_EQ(Json(*after), R"({"spec":{"a":2,"big":[1,2,3]}})");
  EXPECT_EQ(Json(before), R"({"spec":{"a":1,"big":[1,2,3]}})");
}

TEST_F(ApplyTest, APathTestThatFailsLeavesTheBranchAlone) {
  const std::string spec =
      "location: 'spec.c[name:*].a.b', parameters: {assign: {value: 1}, pathTests: [{subPath: "
      "'spec.c[name:*].a', condition: MustExist}]}";
  EXPECT_EQ(Apply("Assign", spec, "{spec: {c: [{name: x}, {name: w, a: {}}]}}"),
            R"({"spec":{"c":[{"name":"x"},{"a":{"b":1},"name":"w"}]}})");
  EXPECT_EQ(Apply("Assign", spec, "{spec: {c: [{name: x}]}}"), "does not apply");
}

TEST_F(ApplyTest, ModifySetWithoutValuesMakesGosNilList) {
  EXPECT_EQ(Apply("ModifySet", "location: spec.a", "{}"), R"({"spec":{"a":null}})");
  EXPECT_EQ(Apply("ModifySet", "location: spec.a", "{spec: {a: null}}"),
            "error: <nil> is not a list of values, cannot treat it as a set");
}

TEST_F(ApplyTest, ModifySetSaysWhatIsNoSet) {
  EXPECT_EQ(Apply("ModifySet", "location: spec.a, parameters: {values: {fromList: [1]}}",
                  "{spec: {a: {b: [x, null], c: 1.5}}}"),
            "error: map[b:[x <nil>] c:1.5] is not a list of values, cannot treat it as a set");
  EXPECT_EQ(Apply("ModifySet", "location: spec.a, parameters: {operation: join}", "{}"),
            "error: unrecognized operation for modifyset: join");
}

TEST_F(ApplyTest, AnEmptyLocationIsAnErrorOfTheObject) {
  EXPECT_EQ(Apply("ModifySet", "location: ''", "{}"),
            "error: attempting to mutate an empty target location");
}

TEST_F(ApplyTest, ExternalDataLeavesAPlaceholder) {
  const std::string spec = "location: spec.a, parameters: {assign: {externalData: {provider: p}}}";
  EXPECT_EQ(Apply("Assign", spec, "{spec: {a: 5}}"),
            "error: value assigned to external data placeholder is not a string, got 5 (int64)");
  EXPECT_EQ(Apply("Assign", spec, "{spec: {a: x}}"), R"({"spec":{"a":null}})");
}

}  // namespace
}  // namespace portcullis::mutation
