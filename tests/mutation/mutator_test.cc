#include "mutation/mutator.h"

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

class MutatorTest : public testing::Test {
 protected:
  std::string Assign(const std::string& location, const std::string& assign = "value: 1",
                     const std::string& more = "") {
    return Refusal(documents_, "Assign",
                   std::string(kOfPods) + ", location: \"" + location + "\", parameters: {" + more +
                       "assign: {" + assign + "}}");
  }
  std::string Tests(const std::string& location, const std::string& tests) {
    return Assign(location, "value: 1", "pathTests: [" + tests + "], ");
  }
  Documents documents_;
};

TEST_F(MutatorTest, AssignNeedsALocationOutsideOfMetadata) {
  EXPECT_EQ(Assign("spec.a"), "");
  EXPECT_EQ(Assign(""), "empty path");
  EXPECT_EQ(Assign("metadata.labels.a"), "assign m can't change metadata");
  EXPECT_EQ(Assign("spec."),
            "invalid location format `spec.` for Assign m: trailing separators are forbidden");
  EXPECT_EQ(Assign("spec.a[k:v].k"), "invalid path format: changing the item key is not allowed");
}

TEST_F(MutatorTest, AssignHasOneSource) {
  EXPECT_EQ(
      Assign("spec.a", ""),
      "assign must set one of `externalData`, `value` or `fromMetadata`: invalid assign field");
  EXPECT_EQ(
      Assign("spec.a", "value: null"),
      "assign must set one of `externalData`, `value` or `fromMetadata`: invalid assign field");
  EXPECT_EQ(Assign("spec.a", "value: 1, fromMetadata: {field: name}"),
            "assign must only set one of `externalData`, `value` or `fromMetadata`: invalid assign "
            "field");
  EXPECT_EQ(Assign("spec.a", "fromMetadata: {field: uid}"),
            "field uid is not recognized: invalid fromMetadata field");
  EXPECT_EQ(Assign("spec.a", "externalData: {provider: p, failurePolicy: UseDefault}"),
            "`default` must not be empty when `failurePolicy` is set to `UseDefault`");
  EXPECT_EQ(Assign("spec.a", "externalData: {provider: p}"), "");
}

TEST_F(MutatorTest, AnAssignedItemHasTheKeyOfItsPlace) {
  EXPECT_EQ(Assign("spec.a[k:v]", "value: {k: v}"), "");
  EXPECT_EQ(Assign("spec.a[k:*]", "value: {k: v}"), "can't append to a globbed list");
  EXPECT_EQ(Assign("spec.a[k:v]", "value: [1, x]"),
            "invalid value: `[1 x]`, only objects can be added to keyed lists");
  EXPECT_EQ(Assign("spec.a[k:v]", "value: {k: w}"),
            "adding object to list with different key k: list key v, object key w");
  EXPECT_EQ(Assign("spec.a[k:v]", "value: {}"),
            "adding object to list with different key k: list key v, object key <nil>");
  // A value's numbers are float64 to Gatekeeper, a location's are not.
  EXPECT_EQ(Assign("spec.a[k:80]", "value: {k: 80}"),
            "adding object to list with different key k: list key 80, object key 80");
  EXPECT_EQ(Assign("spec.a[k:v]", "fromMetadata: {field: name}"),
            "cannot assign a metadata field to a list");
  EXPECT_EQ(Assign("spec.a[k:v]", "externalData: {provider: p}"),
            "cannot assign external data response to a list");
}

TEST_F(MutatorTest, PathTestsArePrefixesAndDoNotContradict) {
  EXPECT_EQ(Tests("spec.a.b", "{subPath: spec.a, condition: MustExist}"), "");
  EXPECT_EQ(Tests("spec.a.b", "{subPath: spec.c, condition: MustExist}"),
            "all subpaths must be a prefix of the `location` value of the mutation: subpath "
            R"("spec.c" is not a prefix of location "spec.a.b")");
  EXPECT_EQ(Tests("spec.a.b", "{subPath: spec., condition: MustExist}"),
            "problem parsing sub path `spec.` for Assign m: trailing separators are forbidden");
  EXPECT_EQ(Tests("spec.a",
                  "{subPath: spec, condition: MustExist}, "
                  "{subPath: spec, condition: MustNotExist}"),
            R"(conflicting path test conditions: path "spec" is marked both MustExist and )"
            "MustNotExist");
  EXPECT_EQ(Tests("spec.a",
                  "{subPath: spec, condition: MustNotExist}, "
                  "{subPath: spec.a, condition: MustExist}"),
            R"(conflicting path test conditions: path "spec.a" is marked MustExist but parent )"
            R"("spec" MustNotExist)");
}

TEST_F(MutatorTest, ApplyToIsWhole) {
  const auto refused = [&](const std::string& apply_to) {
    return Refusal(documents_, "Assign",
                   apply_to + "location: spec.a, parameters: {assign: {value: 1}}");
  };
  EXPECT_EQ(refused(""), "applyTo required for Assign mutator m");
  EXPECT_EQ(
      refused("applyTo: [{groups: [''], kinds: [Pod]}], "),
      "invalid applyTo for Assign mutator m, all of group, version and kind must be specified");
  EXPECT_EQ(
      refused("applyTo: [{groups: [''], versions: [v1], kinds: [Pod], operations: [DELETE, '*', "
              "'*']}], "),
      R"(invalid applyTo for Assign mutator m: invalid operation "DELETE" in )"
      R"(applyTo[0].operations: must be one of CREATE, UPDATE, *; duplicate operation "*" in )"
      R"(applyTo[0].operations; wildcard "*" in applyTo[0].operations must not be combined with )"
      "other operations");
}

TEST_F(MutatorTest, AssignMetadataKnowsLabelsAndAnnotations) {
  const auto refused = [&](const std::string& location, const std::string& assign) {
    return Refusal(documents_, "AssignMetadata",
                   "location: '" + location + "', parameters: {assign: {" + assign + "}}");
  };
  EXPECT_EQ(refused("metadata.labels.a", "value: x"), "");
  EXPECT_EQ(refused("metadata.annotations.a", "fromMetadata: {field: name}"), "");
  EXPECT_EQ(refused("metadata.finalizers.a", "value: x"),
            "invalid location for assignmetadata m: metadata.finalizers.a");
  EXPECT_EQ(refused("metadata.labels", "value: x"),
            "invalid location for assignmetadata m: metadata.labels");
  EXPECT_EQ(refused("metadata.labels.a", "value: 5"),
            R"(spec.parameters.assign.value field must be a string for AssignMetadata "m")");
  EXPECT_EQ(refused("metadata.labels.a", "externalData: {provider: p}"),
            "only username data source is supported for assignmetadata m");
}

TEST_F(MutatorTest, ModifySetAndAssignImageRefuseLists) {
  const std::string spec(kOfPods);
  EXPECT_EQ(Refusal(documents_, "ModifySet", spec + ", location: 'spec.a[k:v]'"),
            "final node in a modifyset location cannot be a keyed list");
  EXPECT_EQ(Refusal(documents_, "ModifySet", spec + ", location: metadata.finalizers"),
            "modifyset m can't change metadata");
  EXPECT_EQ(Refusal(documents_, "AssignImage", spec + ", location: 'spec.a[k:v]'"),
            "assignImage m cannot mutate list-type fields");
  EXPECT_EQ(Refusal(documents_, "AssignImage", spec + ", location: metadata.a"),
            "assignImage m can't change metadata");
  EXPECT_EQ(Refusal(documents_, "AssignImage", spec + ", location: spec.a"),
            "assignImage m has invalid parameters: at least one of [assignDomain, assignPath, "
            "assignTag] must be set");
}

TEST_F(MutatorTest, FieldsOfTheWrongTypeAreRefused) {
  EXPECT_EQ(Refusal(documents_, "Assign", "location: 5"),
            "json: cannot unmarshal number into Go struct field AssignSpec.spec.location of type "
            "string");
  EXPECT_EQ(Refusal(documents_, "Assign", "applyTo: {}"),
            "json: cannot unmarshal object into Go struct field AssignSpec.spec.applyTo of type "
            "[]match.MutationApplyTo");
  EXPECT_EQ(Refusal(documents_, "ModifySet", "parameters: []"),
            "json: cannot unmarshal array into Go struct field ModifySetSpec.spec.parameters of "
            "type v1alpha1.ModifySetParameters");
}

TEST_F(MutatorTest, ALongNameIsRefused) {
  const auto made =
      Mutator::Make(documents_.Yaml(Manifest("Assign", std::string(64, 'a'), "location: spec.a")));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "maximum name length is 63 characters");
}

}  // namespace
}  // namespace portcullis::mutation
