#include "rules/policy/schema_node.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rules/builtins/regex.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr int kMaxDepth = 100;

// Reads the fields of one schema object; the first field of a wrong type is remembered.
class FieldReader {
 public:
  FieldReader(const Value& object, std::string_view path) : object_(object), path_(path) {}

  void String(std::string_view name, std::string* out) {
    const Value value = Present(name);
    if (value.is_string()) {
      *out = std::string(value.string());
    }
    Require(value.is_undefined() || value.is_string(), name, "a string");
  }
  void Boolean(std::string_view name, bool* out) {
    const Value value = Present(name);
    if (value.is_boolean()) {
      *out = value.is_true();
    }
    Require(value.is_undefined() || value.is_boolean(), name, "a boolean");
  }
  void Integer(std::string_view name, std::optional<std::int64_t>* out) {
    const Value value = Present(name);
    if (value.is_undefined()) {
      return;
    }
    if (value.is_number()) {
      *out = document::ToInt64(value);
    }
    Require(out->has_value(), name, "an integer");
  }
  void Number(std::string_view name, std::optional<double>* out) {
    const Value value = Present(name);
    if (value.is_number()) {
      *out = document::ToDouble(value);
    }
    Require(value.is_undefined() || value.is_number(), name, "a number");
  }
  void Strings(std::string_view name, std::vector<std::string>* out) {
    const Value value = List(name);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value item = value.ItemAt(i);
      Require(item.is_string(), name, "a list of strings");
      if (item.is_string()) {
        out->emplace_back(item.string());
      }
    }
  }
  Value List(std::string_view name) {
    const Value value = Present(name);
    Require(value.is_undefined() || value.is_array(), name, "a list");
    return value.is_array() ? value : Value();
  }
  Value Object(std::string_view name) {
    const Value value = Present(name);
    Require(value.is_undefined() || value.is_object(), name, "an object");
    return value.is_object() ? value : Value();
  }
  // Absent and null are the same here, as in Go's decoding.
  Value Present(std::string_view name) {
    const Value value = object_.Find(name);
    return value.is_null() ? Value() : value;
  }

  void Require(bool holds, std::string_view name, std::string_view wanted) {
    if (holds || problem_) {
      return;
    }
    problem_ = std::string(path_) + "." + std::string(name) + " must be " + std::string(wanted);
  }
  [[nodiscard]] const std::optional<std::string>& problem() const { return problem_; }

 private:
  const Value& object_;
  std::string_view path_;
  std::optional<std::string> problem_;
};

Result<std::unique_ptr<SchemaNode>> Parse(const Value& schema, const std::string& path,
                                          document::Arena& arena, int depth);

Result<void> ParseScalars(FieldReader& fields, SchemaNode& node, document::Arena& arena) {
  fields.String("type", &node.type);
  fields.Boolean("nullable", &node.nullable);
  fields.Boolean("x-kubernetes-int-or-string", &node.int_or_string);
  fields.Boolean("x-kubernetes-preserve-unknown-fields", &node.preserve_unknown);
  fields.Boolean("x-kubernetes-embedded-resource", &node.embedded_resource);
  node.described =
      fields.Present("title").is_defined() || fields.Present("description").is_defined();
  fields.String("pattern", &node.pattern);
  fields.Integer("minLength", &node.min_length);
  fields.Integer("maxLength", &node.max_length);
  fields.Number("minimum", &node.minimum);
  fields.Number("maximum", &node.maximum);
  fields.Number("multipleOf", &node.multiple_of);
  fields.Boolean("exclusiveMinimum", &node.exclusive_minimum);
  fields.Boolean("exclusiveMaximum", &node.exclusive_maximum);
  fields.Integer("minItems", &node.min_items);
  fields.Integer("maxItems", &node.max_items);
  fields.Boolean("uniqueItems", &node.unique_items);
  fields.Integer("minProperties", &node.min_properties);
  fields.Integer("maxProperties", &node.max_properties);
  fields.Strings("required", &node.required);
  const Value enumeration = fields.List("enum");
  for (std::uint32_t i = 0; i < enumeration.size(); ++i) {
    node.enumeration.push_back(document::DeepCopy(enumeration.ItemAt(i), arena));
  }
  const Value default_value = fields.Present("default");
  if (default_value.is_defined()) {
    node.default_value = document::DeepCopy(default_value, arena);
  }
  if (!node.pattern.empty()) {
    auto regex = builtins::CompileRegex(node.pattern);
    if (regex) {
      node.regex = *std::move(regex);
    } else {
      node.pattern_error = regex.error();
    }
  }
  if (fields.problem()) {
    return Fail(ErrorCode::kInvalidArgument, *fields.problem());
  }
  return {};
}

Result<std::vector<std::unique_ptr<SchemaNode>>> ParseList(FieldReader& fields,
                                                           std::string_view name,
                                                           const std::string& path,
                                                           document::Arena& arena, int depth) {
  const Value list = fields.List(name);
  std::vector<std::unique_ptr<SchemaNode>> nodes;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const std::string below = path + "." + std::string(name) + "[" + std::to_string(i) + "]";
    nodes.push_back(TRY(Parse(list.ItemAt(i), below, arena, depth)));
  }
  return nodes;
}

Result<std::unique_ptr<SchemaNode>> Parse(const Value& schema, const std::string& path,
                                          document::Arena& arena, int depth) {
  if (!schema.is_object()) {
    return Fail(ErrorCode::kInvalidArgument, path + " must be an object");
  }
  if (depth > kMaxDepth) {
    return Fail(ErrorCode::kInvalidArgument, path + " is nested too deep");
  }
  auto node = std::make_unique<SchemaNode>();
  FieldReader fields(schema, path);
  TRY(ParseScalars(fields, *node, arena));
  const Value properties = fields.Object("properties");
  for (std::uint32_t i = 0; i < properties.size(); ++i) {
    const std::string name(properties.KeyAt(i).string());
    node->properties[name] =
        TRY(Parse(properties.ValueAt(i), path + ".properties[" + name + "]", arena, depth + 1));
  }
  const Value additional = fields.Present("additionalProperties");
  if (additional.is_boolean()) {
    node->additional_allowed = additional.is_true();
  } else if (additional.is_defined()) {
    node->additional = TRY(Parse(additional, path + ".additionalProperties", arena, depth + 1));
  }
  if (const Value items = fields.Present("items"); items.is_defined()) {
    node->items = TRY(Parse(items, path + ".items", arena, depth + 1));
  }
  node->all_of = TRY(ParseList(fields, "allOf", path, arena, depth + 1));
  node->any_of = TRY(ParseList(fields, "anyOf", path, arena, depth + 1));
  node->one_of = TRY(ParseList(fields, "oneOf", path, arena, depth + 1));
  if (const Value negated = fields.Present("not"); negated.is_defined()) {
    node->negated = TRY(Parse(negated, path + ".not", arena, depth + 1));
  }
  if (fields.problem()) {
    return Fail(ErrorCode::kInvalidArgument, *fields.problem());
  }
  return node;
}

enum class Level : std::uint8_t { kRoot, kItem, kField };

// The rules that make a schema structural, and those of CRDs in general.
class StructureChecker {
 public:
  explicit StructureChecker(std::vector<std::string>* errors) : errors_(errors) {}

  void Check(const SchemaNode& node, Level level, const std::string& path) {
    CheckType(node, level, path);
    if (node.items != nullptr) {
      Check(*node.items, Level::kItem, path + ".items");
    }
    for (const auto& [name, property] : node.properties) {
      Check(*property, Level::kField, path + ".properties[" + name + "]");
    }
    CheckAdditional(node, level, path);
    if (node.unique_items) {
      errors_->push_back(FieldForbidden(
          path + ".uniqueItems",
          "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
    }
    if (node.int_or_string && node.preserve_unknown) {
      errors_->push_back(FieldInvalid(path + ".x-kubernetes-preserve-unknown-fields",
                                      Value::Boolean(true),
                                      "must be false if x-kubernetes-int-or-string is true"));
    }
    CheckValidation(node, path, IsIntOrString(node.any_of),
                    !node.all_of.empty() && IsIntOrString(node.all_of.front()->any_of));
    if (node.default_value.is_defined() && node.pattern_error.empty()) {
      ValidateValue(node, node.default_value, path + ".default", errors_);
    }
  }

 private:
  void CheckType(const SchemaNode& node, Level level, const std::string& path) {
    static constexpr std::array<std::string_view, 6> kTypes = {"array",  "boolean", "integer",
                                                               "number", "object",  "string"};
    if (!node.type.empty() && std::ranges::find(kTypes, node.type) == kTypes.end()) {
      errors_->push_back(
          node.type == "null"
              ? FieldForbidden(path + ".type",
                               "type cannot be set to null, use nullable as an alternative")
              : FieldNotSupported(path + ".type", Value::String(node.type),
                                  {kTypes.begin(), kTypes.end()}));
    }
    if (node.type.empty() && !node.int_or_string && !node.preserve_unknown) {
      constexpr std::array<std::string_view, 3> kWhere = {
          "at the root", "for specified array items", "for specified object fields"};
      errors_->push_back(FieldRequired(
          path + ".type",
          "must not be empty " + std::string(kWhere[static_cast<std::size_t>(level)])));
    }
    if (node.type == "array" && node.items == nullptr) {
      errors_->push_back(FieldRequired(path + ".items", "must be specified"));
    }
  }

  void CheckAdditional(const SchemaNode& node, Level level, const std::string& path) {
    const std::string additional = path + ".additionalProperties";
    if (node.additional != nullptr) {
      if (level == Level::kRoot) {
        errors_->push_back(FieldForbidden(additional, "must not be used at the root"));
      }
      Check(*node.additional, Level::kField, additional);
    }
    if (!node.properties.empty() &&
        (node.additional != nullptr || node.additional_allowed == false)) {
      errors_->push_back(
          FieldForbidden(additional, "additionalProperties and properties are mutual exclusive"));
    }
  }

  static bool IsIntOrString(const std::vector<std::unique_ptr<SchemaNode>>& any_of) {
    return any_of.size() == 2 && any_of[0]->type == "integer" && any_of[1]->type == "string";
  }

  void CheckValidation(const SchemaNode& node, const std::string& path, bool skip_any_of,
                       bool skip_all_of_any_of) {
    if (!skip_any_of) {
      CheckNested(node.any_of, path + ".anyOf");
    }
    for (std::size_t i = 0; i < node.all_of.size(); ++i) {
      CheckNested(*node.all_of[i], path + ".allOf[" + std::to_string(i) + "]",
                  i == 0 && skip_all_of_any_of);
    }
    CheckNested(node.one_of, path + ".oneOf");
    if (node.negated != nullptr) {
      CheckNested(*node.negated, path + ".not", false);
    }
    if (!node.pattern_error.empty()) {
      errors_->push_back(
          FieldInvalid(path + ".pattern", Value::String(node.pattern),
                       "must be a valid regular expression, but isn't: " + node.pattern_error));
    }
  }

  void CheckNested(const std::vector<std::unique_ptr<SchemaNode>>& nodes, const std::string& path) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      CheckNested(*nodes[i], path + "[" + std::to_string(i) + "]", false);
    }
  }

  // Below allOf, anyOf, oneOf and not only values may be restricted, no structure given.
  void CheckNested(const SchemaNode& node, const std::string& path, bool skip_any_of) {
    CheckValidation(node, path, skip_any_of, false);
    if (node.items != nullptr) {
      CheckNested(*node.items, path + ".items", false);
    }
    for (const auto& [name, property] : node.properties) {
      CheckNested(*property, path + ".properties[" + name + "]", false);
    }
    Forbid(!node.type.empty(), path + ".type", "must be empty to be structural");
    Forbid(node.additional != nullptr || node.additional_allowed.has_value(),
           path + ".additionalProperties", "must be undefined to be structural");
    Forbid(node.default_value.is_defined(), path + ".default",
           "must be undefined to be structural");
    Forbid(node.described, path + ".description", "must be empty to be structural");
    Forbid(node.nullable, path + ".nullable", "must be false to be structural");
    Forbid(node.preserve_unknown, path + ".x-kubernetes-preserve-unknown-fields",
           "must be false to be structural");
    Forbid(node.embedded_resource, path + ".x-kubernetes-embedded-resource",
           "must be false to be structural");
    Forbid(node.int_or_string, path + ".x-kubernetes-int-or-string",
           "must be false to be structural");
  }

  void Forbid(bool present, const std::string& path, std::string_view detail) {
    if (present) {
      errors_->push_back(FieldForbidden(path, detail));
    }
  }

  std::vector<std::string>* errors_;
};

}  // namespace

SchemaNode::SchemaNode() = default;
SchemaNode::~SchemaNode() = default;

Result<std::unique_ptr<SchemaNode>> ParseSchemaNode(const Value& schema, std::string_view path,
                                                    document::Arena& arena) {
  return Parse(schema, std::string(path), arena, 0);
}

void PreserveUnknownFields(SchemaNode& node) {
  if (node.type.empty() || node.type == "object") {
    node.preserve_unknown = true;
  } else if (node.type == "array" && node.items == nullptr) {
    node.items = std::make_unique<SchemaNode>();
  }
  for (const auto& [name, property] : node.properties) {
    PreserveUnknownFields(*property);
  }
  if (node.items != nullptr) {
    PreserveUnknownFields(*node.items);
  }
  if (node.additional != nullptr) {
    PreserveUnknownFields(*node.additional);
  }
}

std::vector<std::string> CheckStructure(const SchemaNode& root, std::string_view path) {
  std::vector<std::string> errors;
  StructureChecker(&errors).Check(root, Level::kRoot, std::string(path));
  std::ranges::sort(errors);
  return errors;
}

}  // namespace portcullis::policy
