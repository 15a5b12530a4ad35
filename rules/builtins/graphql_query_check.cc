#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/builtins/graphql.h"
#include "rules/builtins/graphql_types.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

class QueryChecker {
 public:
  QueryChecker(CallContext& context, const GraphqlSchema& schema, const Value& query)
      : context_(context),
        schema_(schema),
        operations_(GraphqlItems(query, "Operations")),
        fragment_list_(GraphqlItems(query, "Fragments")),
        typename_(ParseGraphqlSchema(context, "type T { __typename: String! }")
                      .Find("Definitions")
                      .ItemAt(0)),
        introspection_(ParseGraphqlSchema(
                           context, "type T { __schema: __Schema! __type(name: String!): __Type }")
                           .Find("Definitions")
                           .ItemAt(0)) {}

  std::optional<std::string> Check() {
    CheckFragments();
    std::set<std::string_view> names;
    for (const Value& operation : operations_) {
      const std::string_view name = operation.GetString({"Name"});
      if (name.empty() && operations_.size() > 1) {
        Fail("This anonymous operation must be the only defined operation");
      }
      if (!names.insert(name).second) {
        Fail("There can be only one operation named " + Quoted(name));
      }
      CheckOperation(operation);
    }
    for (const auto& [name, fragment] : fragments_) {
      if (!used_fragments_.contains(name)) {
        Fail("Fragment " + Quoted(name) + " is never used");
      }
    }
    return problem_;
  }

 private:
  void Fail(std::string message) {
    if (!problem_) {
      problem_ = std::move(message);
    }
  }

  void CheckFragments() {
    for (const Value& fragment : fragment_list_) {
      const std::string_view name = fragment.GetString({"Name"});
      if (!fragments_.emplace(name, fragment).second) {
        Fail("There can be only one fragment named " + Quoted(name));
      }
      CheckCondition(fragment.GetString({"TypeCondition"}));
    }
  }
  const GraphqlType* CheckCondition(std::string_view name) {
    const GraphqlType* type = schema_.Find(name);
    if (type == nullptr) {
      Fail("Unknown type " + Quoted(name));
    } else if (!type->is_composite()) {
      Fail("Fragment cannot condition on non composite type " + Quoted(name));
      return nullptr;
    }
    return type;
  }

  void CheckOperation(const Value& operation) {
    const std::string_view kind = operation.GetString({"Operation"});
    const GraphqlType* root = schema_.Root(kind);
    if (root == nullptr) {
      return Fail("Schema does not support operation type " + Quoted(kind));
    }
    variables_.clear();
    used_variables_.clear();
    for (const Value& variable : GraphqlItems(operation, "VariableDefinitions")) {
      const std::string_view name = variable.GetString({"Variable"});
      if (!variables_.emplace(name, variable).second) {
        Fail("There can be only one variable named " + Quoted(name));
      }
      const GraphqlType* type = schema_.Find(GraphqlTypeName(variable.Find("Type")));
      if (type == nullptr) {
        Fail("Unknown type " + Quoted(GraphqlTypeName(variable.Find("Type"))));
      } else if (!type->is_input()) {
        Fail("Variable \"$" + std::string(name) + "\" cannot be non-input type " +
             Quoted(GraphqlTypeText(variable.Find("Type"))));
      }
      CheckDirectives(variable, "VARIABLE_DEFINITION");
    }
    CheckDirectives(operation, kind == "query"      ? "QUERY"
                               : kind == "mutation" ? "MUTATION"
                                                    : "SUBSCRIPTION");
    CheckSelections(operation, *root, 0);
    for (const auto& [name, variable] : variables_) {
      if (!used_variables_.contains(name)) {
        Fail("Variable \"$" + std::string(name) + "\" is never used");
      }
    }
  }

  void CheckSelections(const Value& node, const GraphqlType& parent, int depth) {
    constexpr int kMaxDepth = 500;
    if (depth > kMaxDepth) {
      return Fail("nested too deeply");
    }
    for (const Value& selection : GraphqlItems(node, "SelectionSet")) {
      if (context_.ShouldHalt() || problem_) {
        return;
      }
      if (selection.Find("Alias").is_defined()) {
        CheckField(selection, parent, depth);
      } else if (selection.Find("TypeCondition").is_defined()) {
        const std::string_view condition = selection.GetString({"TypeCondition"});
        const GraphqlType* type = condition.empty() ? &parent : CheckCondition(condition);
        CheckDirectives(selection, "INLINE_FRAGMENT");
        if (type != nullptr) {
          CheckPossible(*type, parent, "Fragment");
          CheckSelections(selection, *type, depth + 1);
        }
      } else {
        CheckSpread(selection, parent, depth);
      }
    }
  }

  void CheckSpread(const Value& selection, const GraphqlType& parent, int depth) {
    const std::string_view name = selection.GetString({"Name"});
    const auto fragment = fragments_.find(name);
    if (fragment == fragments_.end()) {
      return Fail("Unknown fragment " + Quoted(name));
    }
    used_fragments_.insert(name);
    CheckDirectives(selection, "FRAGMENT_SPREAD");
    if (std::ranges::find(open_fragments_, name) != open_fragments_.end()) {
      return Fail("Cannot spread fragment " + Quoted(name) + " within itself");
    }
    const GraphqlType* type = CheckCondition(fragment->second.GetString({"TypeCondition"}));
    if (type == nullptr) {
      return;
    }
    CheckPossible(*type, parent, "Fragment " + Quoted(name));
    open_fragments_.push_back(name);
    CheckDirectives(fragment->second, "FRAGMENT_DEFINITION");
    CheckSelections(fragment->second, *type, depth + 1);
    open_fragments_.pop_back();
  }

  // The object types that a value of `type` may be of.
  std::set<std::string_view> Possible(const GraphqlType& type) const {
    std::set<std::string_view> names;
    if (type.kind == "OBJECT") {
      names.insert(type.name);
    }
    if (type.kind == "UNION") {
      names.insert(type.members.begin(), type.members.end());
    }
    if (type.kind == "INTERFACE") {
      for (const auto& [name, candidate] : schema_.types) {
        const bool implements =
            std::ranges::find(candidate.interfaces, type.name) != candidate.interfaces.end();
        if (candidate.kind == "OBJECT" && implements) {
          names.insert(name);
        }
      }
    }
    return names;
  }
  void CheckPossible(const GraphqlType& type, const GraphqlType& parent, const std::string& what) {
    if (&type == &parent) {
      return;
    }
    const std::set<std::string_view> a = Possible(type);
    const bool common = std::ranges::any_of(
        Possible(parent), [&](std::string_view name) { return a.contains(name); });
    if (!common) {
      Fail(what + " cannot be spread here as objects of type " + Quoted(parent.name) +
           " can never be of type " + Quoted(type.name));
    }
  }

  void CheckField(const Value& selection, const GraphqlType& parent, int depth) {
    const std::string_view name = selection.GetString({"Name"});
    Value field = parent.kind == "UNION" ? Value() : parent.Field(name);
    if (name == "__typename") {
      field = GraphqlNamed(typename_, "Fields", name);
    }
    if (!field.is_defined() && &parent == schema_.Root("query")) {
      field = GraphqlNamed(introspection_, "Fields", name);
    }
    if (!field.is_defined()) {
      return Fail("Cannot query field " + Quoted(name) + " on type " + Quoted(parent.name));
    }
    CheckDirectives(selection, "FIELD");
    CheckArguments(selection, field,
                   "field " + Quoted(std::string(parent.name) + "." + std::string(name)));
    const GraphqlType* type = schema_.Find(GraphqlTypeName(field.Find("Type")));
    const bool selects = !GraphqlItems(selection, "SelectionSet").empty();
    if (type == nullptr) {
      return;
    }
    if (type->is_leaf() && selects) {
      return Fail("Field " + Quoted(name) + " must not have a selection since type " +
                  Quoted(GraphqlTypeText(field.Find("Type"))) + " has no subfields");
    }
    if (!type->is_leaf() && !selects) {
      return Fail("Field " + Quoted(name) + " of type " +
                  Quoted(GraphqlTypeText(field.Find("Type"))) +
                  " must have a selection of subfields");
    }
    CheckSelections(selection, *type, depth + 1);
  }

  // Of a field or directive, given in `node` and defined in `definition`.
  void CheckArguments(const Value& node, const Value& definition, const std::string& where) {
    std::set<std::string_view> names;
    for (const Value& argument : GraphqlItems(node, "Arguments")) {
      const std::string_view name = argument.GetString({"Name"});
      if (!names.insert(name).second) {
        Fail("There can be only one argument named " + Quoted(name));
      }
      const Value defined = GraphqlNamed(definition, "Arguments", name);
      if (!defined.is_defined()) {
        return Fail("Unknown argument " + Quoted(name) + " on " + where);
      }
      CheckValue(argument.Find("Value"), defined.Find("Type"),
                 defined.Find("DefaultValue").is_defined());
    }
    for (const Value& defined : GraphqlItems(definition, "Arguments")) {
      const bool required = defined.Find("Type").Find("NonNull").is_true() &&
                            !defined.Find("DefaultValue").is_defined();
      if (required && !names.contains(defined.GetString({"Name"}))) {
        Fail("Argument " + Quoted(defined.GetString({"Name"})) + " of type " +
             Quoted(GraphqlTypeText(defined.Find("Type"))) + " on " + where +
             " is required, but it was not provided");
      }
    }
  }

  void CheckDirectives(const Value& node, std::string_view location) {
    std::set<std::string_view> names;
    for (const Value& directive : GraphqlItems(node, "Directives")) {
      const std::string_view name = directive.GetString({"Name"});
      const auto found = schema_.directives.find(name);
      if (found == schema_.directives.end()) {
        return Fail("Unknown directive \"@" + std::string(name) + "\"");
      }
      const std::vector<Value> locations = GraphqlItems(found->second, "Locations");
      const bool fits = std::ranges::any_of(locations, [&](const Value& value) {
        return value.is_string() && value.string() == location;
      });
      if (!fits) {
        return Fail("Directive \"@" + std::string(name) + "\" may not be used on " +
                    std::string(location));
      }
      if (!names.insert(name).second && !found->second.Find("IsRepeatable").is_true()) {
        return Fail("The directive \"@" + std::string(name) +
                    "\" can only be used once at this location");
      }
      CheckArguments(directive, found->second, "directive \"@" + std::string(name) + "\"");
    }
  }

  // Whether a variable of `given` may stand where `wanted` is.
  static bool Fits(const Value& given, const Value& wanted) {
    if (wanted.Find("NonNull").is_true() && !given.Find("NonNull").is_true()) {
      return false;
    }
    const Value given_element = given.Find("Elem");
    const Value wanted_element = wanted.Find("Elem");
    if (given_element.is_object() != wanted_element.is_object()) {
      return false;
    }
    if (given_element.is_object()) {
      return Fits(given_element, wanted_element);
    }
    return given.GetString({"NamedType"}) == wanted.GetString({"NamedType"});
  }

  void CheckVariable(std::string_view name, const Value& type, bool has_default) {
    const auto variable = variables_.find(name);
    if (variable == variables_.end()) {
      return Fail("Variable \"$" + std::string(name) + "\" is not defined");
    }
    used_variables_.insert(name);
    const Value given = variable->second.Find("Type");
    const bool filled = variable->second.Find("DefaultValue").is_defined() || has_default;
    const bool only_null_differs = filled &&
                                   GraphqlTypeText(given) + "!" == GraphqlTypeText(type) &&
                                   !given.Find("NonNull").is_true();
    if (!Fits(given, type) && !only_null_differs) {
      Fail("Variable \"$" + std::string(name) + "\" of type " + Quoted(GraphqlTypeText(given)) +
           " used in position expecting type " + Quoted(GraphqlTypeText(type)));
    }
  }

  static std::optional<GraphqlLiteral> FormOf(const Value& literal) {
    const Value number = literal.Find("Kind");
    const auto kind = number.is_number() ? document::ToInt64(number) : std::nullopt;
    return kind && *kind >= 0 && *kind <= std::to_underlying(GraphqlLiteral::kObject)
               ? std::optional(static_cast<GraphqlLiteral>(*kind))
               : std::nullopt;
  }

  void CheckValue(const Value& value, const Value& type, bool has_default) {
    using enum GraphqlLiteral;
    if (!value.is_object() || problem_) {
      return;
    }
    const std::string_view raw = value.GetString({"Raw"});
    const auto kind = FormOf(value);
    const auto mismatch = [&] {
      Fail("Expected value of type " + Quoted(GraphqlTypeText(type)) + ", found " +
           std::string(raw));
    };
    if (kind == kVariable) {
      return CheckVariable(raw, type, has_default);
    }
    if (kind == kNull) {
      return type.Find("NonNull").is_true() ? mismatch() : void();
    }
    const Value element = type.Find("Elem");
    if (kind == kList) {
      for (const Value& child : GraphqlItems(value, "Children")) {
        CheckValue(child.Find("Value"), element.is_object() ? element : type, false);
      }
      return element.is_object() || IsCustomScalar(type) ? void() : mismatch();
    }
    if (element.is_object()) {
      return CheckValue(value, element, false);
    }
    const GraphqlType* named = schema_.Find(type.GetString({"NamedType"}));
    if (named == nullptr) {
      return;
    }
    if (named->kind == "INPUT_OBJECT") {
      return kind == kObject ? CheckInputObject(value, *named) : mismatch();
    }
    if (named->kind == "ENUM") {
      const bool known = std::ranges::any_of(
          named->values, [&](const Value& item) { return item.GetString({"Name"}) == raw; });
      return kind == kEnum && known ? void() : mismatch();
    }
    const bool text = kind == kString || kind == kBlock;
    const std::string_view name = named->name;
    const bool fits = name == "Int"       ? kind == kInt
                      : name == "Float"   ? kind == kInt || kind == kFloat
                      : name == "String"  ? text
                      : name == "Boolean" ? kind == kBoolean
                      : name == "ID"      ? kind == kInt || text
                                          : true;
    if (!fits) {
      mismatch();
    }
  }
  bool IsCustomScalar(const Value& type) const {
    const GraphqlType* named = schema_.Find(type.GetString({"NamedType"}));
    constexpr std::string_view kStandard[] = {"Int", "Float", "String", "Boolean", "ID"};
    return named != nullptr && named->kind == "SCALAR" &&
           std::ranges::find(kStandard, named->name) == std::end(kStandard);
  }

  void CheckInputObject(const Value& value, const GraphqlType& type) {
    std::set<std::string_view> names;
    for (const Value& child : GraphqlItems(value, "Children")) {
      const std::string_view name = child.GetString({"Name"});
      if (!names.insert(name).second) {
        Fail("There can be only one input field named " + Quoted(name));
      }
      const Value field = type.Field(name);
      if (!field.is_defined()) {
        return Fail("Field " + Quoted(name) + " is not defined by type " + Quoted(type.name));
      }
      CheckValue(child.Find("Value"), field.Find("Type"), field.Find("DefaultValue").is_defined());
    }
    for (const Value& field : type.fields) {
      const bool required =
          field.Find("Type").Find("NonNull").is_true() && !field.Find("DefaultValue").is_defined();
      if (required && !names.contains(field.GetString({"Name"}))) {
        Fail("Field " +
             Quoted(std::string(type.name) + "." + std::string(field.GetString({"Name"}))) +
             " of required type " + Quoted(GraphqlTypeText(field.Find("Type"))) +
             " was not provided");
      }
    }
  }

  CallContext& context_;
  const GraphqlSchema& schema_;
  const std::vector<Value> operations_;
  const std::vector<Value> fragment_list_;
  const Value typename_;       // Defines the fields that every composite type has,
  const Value introspection_;  // and those that only the root of queries has.
  std::map<std::string_view, Value> fragments_;
  std::set<std::string_view> used_fragments_;
  std::vector<std::string_view> open_fragments_;  // From the operation down to where the check is.
  std::map<std::string_view, Value> variables_;   // Of the current operation.
  std::set<std::string_view> used_variables_;
  std::optional<std::string> problem_;
};

}  // namespace

std::optional<std::string> CheckGraphqlQuery(CallContext& context, const Value& schema,
                                             const Value& query) {
  const GraphqlSchema joined = JoinGraphqlSchema(context, schema);
  return QueryChecker(context, joined, query).Check();
}

}  // namespace portcullis::builtins
