// The types of a GraphQL schema by name, its extensions merged in. Only for the checks of graphql_*.cc.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

struct GraphqlType {
  std::string_view name;
  std::string_view kind;  // "OBJECT", "INPUT_OBJECT", …
  std::vector<Value> fields;
  std::vector<Value> values;  // Of an enum.
  std::vector<std::string_view> interfaces;
  std::vector<std::string_view> members;  // Of a union.
  std::vector<Value> directives;

  [[nodiscard]] bool is_composite() const {
    return kind == "OBJECT" || kind == "INTERFACE" || kind == "UNION";
  }
  [[nodiscard]] bool is_input() const {
    return kind == "SCALAR" || kind == "ENUM" || kind == "INPUT_OBJECT";
  }
  [[nodiscard]] bool is_leaf() const { return kind == "SCALAR" || kind == "ENUM"; }
  [[nodiscard]] Value Field(std::string_view field) const;
};

struct GraphqlSchema {
  std::map<std::string_view, GraphqlType> types;
  std::map<std::string_view, Value> directives;
  std::map<std::string_view, std::string_view> roots;  // "query": "Query"
  std::optional<std::string> error;                    // What was wrong while joining.

  [[nodiscard]] const GraphqlType* Find(std::string_view name) const {
    const auto found = types.find(name);
    return found == types.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const GraphqlType* Root(std::string_view operation) const {
    const auto found = roots.find(operation);
    return found == roots.end() ? nullptr : Find(found->second);
  }
};

// The types of a syntax tree together with those that every schema has.
[[nodiscard]] GraphqlSchema JoinGraphqlSchema(CallContext& context, const Value& schema);

// "[String!]" of a node "Type".
[[nodiscard]] std::string GraphqlTypeText(const Value& type);
// The name at the bottom of a node "Type".
[[nodiscard]] std::string_view GraphqlTypeName(const Value& type);
// The member `name` of each item of a list; a list that is missing has none.
[[nodiscard]] std::vector<Value> GraphqlItems(const Value& node, std::string_view list);
// The item of `node[list]` whose "Name" is `name`, or undefined.
[[nodiscard]] Value GraphqlNamed(const Value& node, std::string_view list, std::string_view name);

}  // namespace portcullis::builtins
