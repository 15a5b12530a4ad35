#include "controller/constraint_crd.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "document/yaml.h"

namespace portcullis::controller {
namespace {

using nlohmann::json;

json Make(const std::string& parameters_schema, bool legacy) {
  document::Arena arena;
  const document::Value object = document::ParseYaml(R"(
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: uniquehost, uid: u-1, labels: {team: net, gatekeeper.sh/constraint: "no"}}
spec: {crd: {spec: {names: {kind: UniqueHost, shortNames: [uh]}}}}
)",
                                                     arena)
                                     .value()
                                     .at(0)
                                     .value;
  policy::Template of;
  of.name = "uniquehost";
  of.kind = "UniqueHost";
  of.parameters_schema = parameters_schema;
  of.legacy_schema = legacy;
  return json::parse(MakeConstraintCrd(object, of).value());
}

TEST(ConstraintCrd, HasGatekeepersNamesLabelsOwnerAndColumns) {
  const json crd = Make("", false);
  EXPECT_EQ(crd["metadata"]["name"], "uniquehost.constraints.gatekeeper.sh");
  EXPECT_EQ(crd["metadata"]["labels"],
            (json{{"team", "net"}, {"gatekeeper.sh/constraint", "yes"}}));
  EXPECT_EQ(crd["metadata"]["ownerReferences"],
            json::parse(
                R"([{"apiVersion": "templates.gatekeeper.sh/v1beta1", "kind": "ConstraintTemplate",
              "name": "uniquehost", "uid": "u-1", "controller": true, "blockOwnerDeletion": true}])"));
  EXPECT_EQ(crd["spec"]["names"],
            json::parse(R"({"kind": "UniqueHost", "listKind": "UniqueHostList",
    "plural": "uniquehost", "singular": "uniquehost", "shortNames": ["uh"],
    "categories": ["constraint", "constraints"]})"));
  ASSERT_EQ(crd["spec"]["versions"].size(), 2U);
  EXPECT_EQ(crd["spec"]["versions"][0]["name"], "v1beta1");
  EXPECT_EQ(crd["spec"]["versions"][0]["storage"], true);
  EXPECT_EQ(crd["spec"]["versions"][1]["name"], "v1alpha1");
  EXPECT_EQ(crd["spec"]["versions"][1]["additionalPrinterColumns"], json::parse(R"([
    {"name": "enforcement-action", "type": "string", "jsonPath": ".spec.enforcementAction"},
    {"name": "total-violations", "type": "integer", "jsonPath": ".status.totalViolations"}])"));
}

json Parameters(const json& crd) {
  const json& spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
  return spec["properties"].value("parameters", json());
}

TEST(ConstraintCrd, TakesTheTemplatesSchemaForTheParameters) {
  EXPECT_EQ(Parameters(Make("", false)), json());
  const json schema =
      json::parse(R"({"type": "object", "properties": {"hosts": {"type": "array"}}})");
  EXPECT_EQ(Parameters(Make(schema.dump(), false)), schema);
}

TEST(ConstraintCrd, ALegacySchemaKeepsUnknownFieldsEverywhere) {
  EXPECT_EQ(Parameters(Make("", true)),
            json::parse(R"({"x-kubernetes-preserve-unknown-fields": true})"));
  EXPECT_EQ(Parameters(
                Make(R"({"properties": {"a": {"type": "array"}, "s": {"type": "string"}}})", true)),
            json::parse(R"({"x-kubernetes-preserve-unknown-fields": true, "properties": {
              "a": {"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": true}},
              "s": {"type": "string"}}})"));
}

}  // namespace
}  // namespace portcullis::controller
