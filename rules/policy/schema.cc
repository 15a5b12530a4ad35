#include "rules/policy/schema.h"

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/schema_node.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::string_view kSchemaPath = "spec.validation.openAPIV3Schema";

// All of a constraint but its parameters (gatekeeper.md 1.2).
constexpr std::string_view kConstraintSchema = R"json({
  "type": "object",
  "properties": {
    "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}},
    "spec": {"type": "object", "properties": {
      "enforcementAction": {"type": "string", "default": "deny"},
      "scopedEnforcementActions": {"type": "array", "items": {"type": "object", "properties": {
        "action": {"type": "string"},
        "enforcementPoints": {"type": "array", "items": {"type": "object",
          "properties": {"name": {"type": "string"}}}}}}},
      "match": {"type": "object", "properties": {
        "source": {"type": "string", "enum": ["All", "Generated", "Original"]},
        "kinds": {"type": "array", "items": {"type": "object", "properties": {
          "apiGroups": {"type": "array", "items": {"type": "string"}},
          "kinds": {"type": "array", "items": {"type": "string"}}}}},
        "scope": {"type": "string"},
        "name": {"type": "string", "pattern": "^\\*?[-:a-z0-9]*\\*?$"},
        "namespaces": {"type": "array", "items": {"type": "string", "pattern": "^\\*?[-:a-z0-9]*\\*?$"}},
        "excludedNamespaces": {"type": "array", "items": {"type": "string", "pattern": "^\\*?[-:a-z0-9]*\\*?$"}},
        "labelSelector": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
          "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
          "matchExpressions": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "object", "required": ["key", "operator"],
            "properties": {"key": {"type": "string"}, "operator": {"type": "string"},
              "values": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}}}}}}},
        "namespaceSelector": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
          "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
          "matchExpressions": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "object", "required": ["key", "operator"],
            "properties": {"key": {"type": "string"}, "operator": {"type": "string"},
              "values": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}}}}}}}
      }}
    }},
    "status": {"x-kubernetes-preserve-unknown-fields": true}
  }
})json";

bool IsObjectMeta(std::string_view key) {
  return key == "apiVersion" || key == "kind" || key == "metadata";
}

// Walks a value beside its schema and writes down the members that the schema does not know. As Kubernetes' pruning: below
// a member that is kept as it is (preserve-unknown), members that the schema does name are still looked into.
class UnknownFieldFinder {
 public:
  explicit UnknownFieldFinder(std::vector<std::string>* found) : found_(found) {}

  void Visit(const Value& value, const SchemaNode* node, const std::string& path, bool resource) {
    if (value.is_array()) {
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        Visit(value.ItemAt(i), node == nullptr ? nullptr : node->items.get(),
              path + "[" + std::to_string(i) + "]", false);
      }
      return;
    }
    for (std::uint32_t i = 0; i < value.size() && value.is_object(); ++i) {
      if (value.KeyAt(i).is_string()) {
        VisitMember(value, i, node, path, resource);
      }
    }
  }

 private:
  void VisitMember(const Value& object, std::uint32_t i, const SchemaNode* node,
                   const std::string& path, bool resource) {
    const std::string_view key = object.KeyAt(i).string();
    if ((resource || (node != nullptr && node->embedded_resource)) && IsObjectMeta(key)) {
      return;
    }
    std::string member = path.empty() ? std::string(key) : path + "." + std::string(key);
    if (node != nullptr) {
      if (const auto property = node->properties.find(key); property != node->properties.end()) {
        Visit(object.ValueAt(i), property->second.get(), member, false);
        return;
      }
      if (node->additional != nullptr) {
        Visit(object.ValueAt(i), node->additional.get(), member, false);
        return;
      }
      if (node->preserve_unknown) {
        return;
      }
      if (node->additional_allowed.value_or(false)) {
        Visit(object.ValueAt(i), nullptr, member, false);
        return;
      }
    }
    found_->push_back(std::move(member));
  }

  std::vector<std::string>* found_;
};

bool IsMissing(const Value& value, const SchemaNode& node) {
  return value.is_undefined() || (value.is_null() && !node.nullable);
}

Value Defaulted(const Value& value, const SchemaNode& node, document::Arena& arena) {
  if (value.is_array() && node.items != nullptr) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value item = value.ItemAt(i);
      const bool replace =
          item.is_null() && !node.items->nullable && node.items->default_value.is_defined();
      items.Add(Defaulted(replace ? DeepCopy(node.items->default_value, arena) : item, *node.items,
                          arena));
    }
    return items.Finish();
  }
  if (!value.is_object()) {
    return value;
  }
  document::ObjectBuilder members(arena);
  for (const auto& [name, property] : node.properties) {
    if (property->default_value.is_defined() && IsMissing(value.Find(name), *property)) {
      const Value key = Value::String(arena.CopyString(name));
      members.Add(key, Defaulted(DeepCopy(property->default_value, arena), *property, arena));
    }
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value key = value.KeyAt(i);
    Value member = value.ValueAt(i);
    const SchemaNode* below = node.additional.get();
    if (const auto property = node.properties.find(key.string());
        property != node.properties.end()) {
      below = property->second.get();
    }
    if (below != nullptr) {
      if (below->default_value.is_defined() && IsMissing(member, *below)) {
        member = DeepCopy(below->default_value, arena);
      }
      member = Defaulted(member, *below, arena);
    }
    members.Add(key, member);
  }
  return members.Finish();
}

}  // namespace

std::string_view ConstraintSchemaText() {
  return kConstraintSchema;
}

Schema::Schema() : arena_(std::make_unique<document::Arena>()) {}
Schema::~Schema() = default;

Result<std::unique_ptr<const Schema>> Schema::ForConstraints(const Value& parameters, bool legacy) {
  std::unique_ptr<Schema> schema(new Schema);
  const Value text = TRY(document::ParseJson(kConstraintSchema, *schema->arena_));
  std::unique_ptr<SchemaNode> root = TRY(ParseSchemaNode(text, kSchemaPath, *schema->arena_));
  if (parameters.is_defined() || legacy) {
    const std::string path = std::string(kSchemaPath) + ".properties[spec].properties[parameters]";
    std::unique_ptr<SchemaNode> node = std::make_unique<SchemaNode>();
    if (parameters.is_defined()) {
      node = TRY(ParseSchemaNode(parameters, path, *schema->arena_));
    }
    if (legacy) {
      PreserveUnknownFields(*node);
    }
    root->properties.at("spec")->properties["parameters"] = std::move(node);
  }
  const std::vector<std::string> problems = CheckStructure(*root, kSchemaPath);
  if (!problems.empty()) {
    return Fail(ErrorCode::kInvalidArgument, Aggregate(problems));
  }
  schema->root_ = std::move(root);
  return schema;
}

std::vector<std::string> Schema::Validate(const Value& object) const {
  std::vector<std::string> errors;
  document::Arena arena;
  ValidateValue(*root_, document::WithFloatNumbers(object, arena), "[]", &errors);
  return errors;
}

std::vector<std::string> Schema::UnknownFields(const Value& object) const {
  std::vector<std::string> found;
  UnknownFieldFinder(&found).Visit(object, root_.get(), "", true);
  std::ranges::sort(found);
  return found;
}

Value Schema::WithDefaults(const Value& object, document::Arena& arena) const {
  return Defaulted(object, *root_, arena);
}

}  // namespace portcullis::policy
