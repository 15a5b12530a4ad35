#include "controller/constraint_crd.h"

#include <nlohmann/json.hpp>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/schema.h"

namespace portcullis::controller {
namespace {

using nlohmann::json;

constexpr std::string_view kGroup = "constraints.gatekeeper.sh";
constexpr const char* kPreserve = "x-kubernetes-preserve-unknown-fields";

// legacySchema: whatever may be an object keeps the members that the schema does not name.
void PreserveUnknown(json& schema) {
  if (!schema.is_object()) {
    return;
  }
  const std::string type = schema.value("type", "");
  if (type.empty() || type == "object") {
    schema[kPreserve] = true;
  }
  if (type == "array" && !schema.contains("items")) {
    schema["items"] = json::object();
  }
  for (const char* one : {"items", "additionalProperties"}) {
    if (schema.contains(one)) {
      PreserveUnknown(schema[one]);
    }
  }
  if (schema.contains("properties") && schema["properties"].is_object()) {
    for (json& property : schema["properties"]) {
      PreserveUnknown(property);
    }
  }
}

Result<json> ConstraintSchema(const policy::Template& of) {
  json schema = json::parse(policy::ConstraintSchemaText());
  if (of.parameters_schema.empty() && !of.legacy_schema) {
    return schema;
  }
  json parameters = json::object();
  if (!of.parameters_schema.empty()) {
    parameters = json::parse(of.parameters_schema, nullptr, /*allow_exceptions=*/false);
    if (!parameters.is_object()) {
      return Fail(ErrorCode::kInvalidArgument, "openAPIV3Schema is not an object");
    }
  }
  if (of.legacy_schema) {
    PreserveUnknown(parameters);
  }
  schema["properties"]["spec"]["properties"]["parameters"] = std::move(parameters);
  return schema;
}

json Version(const char* name, bool storage, const json& schema) {
  return {{"name", name},
          {"served", true},
          {"storage", storage},
          {"schema", {{"openAPIV3Schema", schema}}},
          {"subresources", {{"status", json::object()}}},
          {"additionalPrinterColumns",
           {{{"name", "enforcement-action"},
             {"type", "string"},
             {"jsonPath", ".spec.enforcementAction"}},
            {{"name", "total-violations"},
             {"type", "integer"},
             {"jsonPath", ".status.totalViolations"}}}}};
}

json Strings(const document::Value& list) {
  json strings = json::array();
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    if (list.ItemAt(i).is_string()) {
      strings.push_back(list.ItemAt(i).string());
    }
  }
  return strings;
}

}  // namespace

std::string ConstraintCrdName(std::string_view kind) {
  return policy::LowerCase(kind) + "." + std::string(kGroup);
}

Result<std::string> MakeConstraintCrd(const document::Value& object, const policy::Template& of) {
  const json schema = TRY(ConstraintSchema(of));
  const std::string plural = policy::LowerCase(of.kind);
  json names = {{"kind", of.kind},
                {"listKind", of.kind + "List"},
                {"plural", plural},
                {"singular", plural},
                {"categories", {"constraint", "constraints"}}};
  const json short_names = Strings(object.Get({"spec", "crd", "spec", "names", "shortNames"}));
  if (!short_names.empty()) {
    names["shortNames"] = short_names;
  }
  json labels = json::object();
  const document::Value given = object.Get({"metadata", "labels"});
  for (std::uint32_t i = 0; given.is_object() && i < given.size(); ++i) {
    if (given.ValueAt(i).is_string()) {
      labels[std::string(given.KeyAt(i).string())] = given.ValueAt(i).string();
    }
  }
  labels["gatekeeper.sh/constraint"] = "yes";
  const json manifest = {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata",
       {{"name", ConstraintCrdName(of.kind)},
        {"labels", labels},
        // v1beta1, whichever version the template has: two controllers then agree on one owner.
        {"ownerReferences",
         {{{"apiVersion", "templates.gatekeeper.sh/v1beta1"},
           {"kind", "ConstraintTemplate"},
           {"name", object.GetString({"metadata", "name"})},
           {"uid", object.GetString({"metadata", "uid"})},
           {"controller", true},
           {"blockOwnerDeletion", true}}}}}},
      {"spec",
       {{"group", kGroup},
        {"scope", "Cluster"},
        {"names", names},
        {"versions", {Version("v1beta1", true, schema), Version("v1alpha1", false, schema)}}}}};
  // Text that is not UTF-8 is replaced, not refused: the API server would not have stored it.
  return manifest.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace portcullis::controller
