#include "rules/builtins/graphql_types.h"

#include <algorithm>

#include "rules/builtins/graphql.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

// What the specification gives every schema: section 3.5, 3.13 and 4.
constexpr std::string_view kPrelude = R"(
scalar Int scalar Float scalar String scalar Boolean scalar ID
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported")
  on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @specifiedBy(url: String!) on SCALAR
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @oneOf on INPUT_OBJECT
type __Schema {
  description: String types: [__Type!]! queryType: __Type! mutationType: __Type
  subscriptionType: __Type directives: [__Directive!]!
}
type __Type {
  kind: __TypeKind! name: String description: String
  fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
  enumValues(includeDeprecated: Boolean = false): [__EnumValue!]
  inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type specifiedByURL: String isOneOf: Boolean
}
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
type __Field {
  name: String! description: String args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type!
  isDeprecated: Boolean! deprecationReason: String
}
type __InputValue {
  name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean! deprecationReason: String
}
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
type __Directive {
  name: String! description: String locations: [__DirectiveLocation!]!
  args(includeDeprecated: Boolean = false): [__InputValue!]! isRepeatable: Boolean!
}
enum __DirectiveLocation {
  QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA
  SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION
}
)";

void Append(std::vector<Value>* items, const Value& node, std::string_view list) {
  for (const Value& item : GraphqlItems(node, list)) {
    items->push_back(item);
  }
}

void AppendNames(std::vector<std::string_view>* names, const Value& node, std::string_view list) {
  for (const Value& item : GraphqlItems(node, list)) {
    if (item.is_string()) {
      names->push_back(item.string());
    }
  }
}

void Extend(GraphqlType* type, const Value& node) {
  Append(&type->fields, node, "Fields");
  Append(&type->values, node, "EnumValues");
  Append(&type->directives, node, "Directives");
  AppendNames(&type->interfaces, node, "Interfaces");
  AppendNames(&type->members, node, "Types");
}

void Join(const Value& tree, GraphqlSchema* schema) {
  const auto fail = [schema](std::string message) {
    if (!schema->error) {
      schema->error = std::move(message);
    }
  };
  for (const Value& node : GraphqlItems(tree, "Definitions")) {
    const std::string_view name = node.GetString({"Name"});
    const auto [place, added] = schema->types.try_emplace(name);
    if (!added) {
      fail("Cannot redeclare type " + std::string(name));
      continue;
    }
    place->second.name = name;
    place->second.kind = node.GetString({"Kind"});
    Extend(&place->second, node);
  }
  for (const Value& node : GraphqlItems(tree, "Extensions")) {
    const std::string_view name = node.GetString({"Name"});
    const std::string_view kind = node.GetString({"Kind"});
    GraphqlType& type = schema->types[name];
    if (type.name.empty()) {
      type.name = name;
      type.kind = kind;
    }
    if (type.kind != kind) {
      fail("Cannot extend type " + std::string(name) + " because the base type is another kind");
    }
    Extend(&type, node);
  }
  for (const Value& node : GraphqlItems(tree, "Directives")) {
    const std::string_view name = node.GetString({"Name"});
    if (!schema->directives.emplace(name, node).second) {
      fail("Cannot redeclare directive " + std::string(name));
    }
  }
  if (GraphqlItems(tree, "Schema").size() > 1) {
    fail("Cannot have multiple schema entry points, consider schema extensions instead");
  }
  for (const std::string_view list : {"Schema", "SchemaExtension"}) {
    for (const Value& node : GraphqlItems(tree, list)) {
      for (const Value& root : GraphqlItems(node, "OperationTypes")) {
        const std::string_view type = root.GetString({"Type"});
        if (schema->Find(type) == nullptr) {
          fail("Schema root " + std::string(root.GetString({"Operation"})) + " refers to a type " +
               std::string(type) + " that does not exist");
        }
        schema->roots[root.GetString({"Operation"})] = type;
      }
    }
  }
}

}  // namespace

Value GraphqlType::Field(std::string_view field) const {
  const auto found = std::ranges::find_if(
      fields, [&](const Value& node) { return node.GetString({"Name"}) == field; });
  return found == fields.end() ? Value() : *found;
}

std::vector<Value> GraphqlItems(const Value& node, std::string_view list) {
  std::vector<Value> items;
  const Value value = node.Find(list);
  for (std::uint32_t i = 0; value.is_array() && i < value.size(); ++i) {
    items.push_back(value.ItemAt(i));
  }
  return items;
}

Value GraphqlNamed(const Value& node, std::string_view list, std::string_view name) {
  for (const Value& item : GraphqlItems(node, list)) {
    if (item.GetString({"Name"}) == name) {
      return item;
    }
  }
  return {};
}

std::string_view GraphqlTypeName(const Value& type) {
  Value bottom = type;
  while (bottom.Find("Elem").is_object()) {
    bottom = bottom.Find("Elem");
  }
  return bottom.GetString({"NamedType"});
}

std::string GraphqlTypeText(const Value& type) {
  const Value element = type.Find("Elem");
  std::string text = element.is_object() ? "[" + GraphqlTypeText(element) + "]"
                                         : std::string(type.GetString({"NamedType"}));
  return type.Find("NonNull").is_true() ? text + "!" : text;
}

GraphqlSchema JoinGraphqlSchema(CallContext& context, const Value& tree) {
  GraphqlSchema schema;
  Join(ParseGraphqlSchema(context, kPrelude), &schema);
  Join(tree, &schema);
  constexpr std::pair<std::string_view, std::string_view> kRoots[] = {
      {"query", "Query"}, {"mutation", "Mutation"}, {"subscription", "Subscription"}};
  if (GraphqlItems(tree, "Schema").empty()) {
    for (const auto& [operation, name] : kRoots) {
      if (schema.Find(name) != nullptr) {
        schema.roots.try_emplace(operation, name);
      }
    }
  }
  return schema;
}

}  // namespace portcullis::builtins
