#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "rules/builtins/graphql.h"
#include "rules/builtins/graphql_types.h"

namespace portcullis::builtins {
namespace {

using Problem = std::optional<std::string>;

class SchemaChecker {
 public:
  SchemaChecker(CallContext& context, const GraphqlSchema& schema)
      : context_(context), schema_(schema) {}

  Problem Check() {
    if (schema_.error) {
      return schema_.error;
    }
    for (const auto& [name, type] : schema_.types) {
      if (context_.ShouldHalt()) {
        return "halted";
      }
      if (const Problem problem = CheckType(type)) {
        return problem;
      }
    }
    for (const auto& [name, directive] : schema_.directives) {
      if (name.starts_with("__")) {
        return Reserved(name);
      }
      if (const Problem problem = CheckArguments(directive)) {
        return problem;
      }
    }
    return std::nullopt;
  }

 private:
  static std::string Reserved(std::string_view name) {
    return "Name " + std::string(name) +
           " must not begin with \"__\", which is reserved by GraphQL introspection";
  }

  Problem CheckType(const GraphqlType& type) {
    const std::string name(type.name);
    if (const Problem problem = CheckDirectives(type.directives)) {
      return problem;
    }
    if (type.kind == "OBJECT" || type.kind == "INTERFACE" || type.kind == "INPUT_OBJECT") {
      if (type.fields.empty()) {
        return std::string(type.kind) + " " + name + ": must define one or more fields";
      }
    } else if (type.kind == "ENUM" && type.values.empty()) {
      return "ENUM " + name + ": must define one or more unique enum values";
    } else if (type.kind == "UNION" && type.members.empty()) {
      return "UNION " + name + ": must define one or more unique member types";
    }
    for (const std::string_view member : type.members) {
      const GraphqlType* found = schema_.Find(member);
      if (found == nullptr) {
        return "Undefined type " + std::string(member);
      }
      if (found->kind != "OBJECT") {
        return "UNION type " + std::string(member) + " must be OBJECT";
      }
    }
    for (const Value& value : type.values) {
      const std::string_view text = value.GetString({"Name"});
      if (text == "true" || text == "false" || text == "null") {
        return "ENUM " + name + ": non-enum value " + std::string(text);
      }
      if (const Problem problem = CheckDirectives(GraphqlItems(value, "Directives"))) {
        return problem;
      }
    }
    if (const Problem problem = CheckFields(type)) {
      return problem;
    }
    for (const std::string_view interface : type.interfaces) {
      if (const Problem problem = CheckInterface(type, interface)) {
        return problem;
      }
    }
    return std::nullopt;
  }

  Problem CheckFields(const GraphqlType& type) {
    std::set<std::string_view> names;
    for (const Value& field : type.fields) {
      const std::string_view name = field.GetString({"Name"});
      if (name.starts_with("__") && !type.name.starts_with("__")) {
        return Reserved(name);
      }
      if (!names.insert(name).second) {
        return "Field " + std::string(type.name) + "." + std::string(name) +
               " can only be defined once";
      }
      const GraphqlType* of = schema_.Find(GraphqlTypeName(field.Find("Type")));
      if (of == nullptr) {
        return "Undefined type " + std::string(GraphqlTypeName(field.Find("Type")));
      }
      const bool input = type.kind == "INPUT_OBJECT";
      if (input ? !of->is_input() : of->kind == "INPUT_OBJECT") {
        return std::string(of->kind) + " " + std::string(of->name) + ": field must be one of " +
               (input ? "SCALAR, ENUM, INPUT_OBJECT" : "SCALAR, OBJECT, INTERFACE, UNION, ENUM");
      }
      if (const Problem problem = CheckArguments(field)) {
        return problem;
      }
      if (const Problem problem = CheckDirectives(GraphqlItems(field, "Directives"))) {
        return problem;
      }
    }
    return std::nullopt;
  }

  Problem CheckArguments(const Value& node) {
    std::set<std::string_view> names;
    for (const Value& argument : GraphqlItems(node, "Arguments")) {
      const std::string_view name = argument.GetString({"Name"});
      if (name.starts_with("__")) {
        return Reserved(name);
      }
      if (!names.insert(name).second) {
        return "Argument " + std::string(name) + " can only be defined once";
      }
      const GraphqlType* of = schema_.Find(GraphqlTypeName(argument.Find("Type")));
      if (of == nullptr) {
        return "Undefined type " + std::string(GraphqlTypeName(argument.Find("Type")));
      }
      if (!of->is_input()) {
        return "cannot use " + std::string(of->name) + " as argument " + std::string(name) +
               " because " + std::string(of->kind) + " is not a valid input type";
      }
      if (const Problem problem = CheckDirectives(GraphqlItems(argument, "Directives"))) {
        return problem;
      }
    }
    return std::nullopt;
  }

  Problem CheckDirectives(const std::vector<Value>& directives) {
    for (const Value& directive : directives) {
      const std::string_view name = directive.GetString({"Name"});
      const auto found = schema_.directives.find(name);
      if (found == schema_.directives.end()) {
        return "Undefined directive " + std::string(name);
      }
      for (const Value& argument : GraphqlItems(directive, "Arguments")) {
        const std::string_view argument_name = argument.GetString({"Name"});
        if (!GraphqlNamed(found->second, "Arguments", argument_name).is_defined()) {
          return "Undefined argument " + std::string(argument_name) + " for directive " +
                 std::string(name);
        }
      }
      for (const Value& argument : GraphqlItems(found->second, "Arguments")) {
        const bool required = argument.Find("Type").Find("NonNull").is_true() &&
                              !argument.Find("DefaultValue").is_defined();
        if (required &&
            !GraphqlNamed(directive, "Arguments", argument.GetString({"Name"})).is_defined()) {
          return "Argument " + std::string(argument.GetString({"Name"})) + " for directive " +
                 std::string(name) + " cannot be null";
        }
      }
    }
    return std::nullopt;
  }

  // Whether a value of `part` may stand where one of `whole` is promised.
  bool Covers(const Value& whole, const Value& part) const {
    if (whole.Find("NonNull").is_true() && !part.Find("NonNull").is_true()) {
      return false;
    }
    const Value whole_element = whole.Find("Elem");
    const Value part_element = part.Find("Elem");
    if (whole_element.is_object() != part_element.is_object()) {
      return false;
    }
    if (whole_element.is_object()) {
      return Covers(whole_element, part_element);
    }
    const std::string_view promised = whole.GetString({"NamedType"});
    const std::string_view given = part.GetString({"NamedType"});
    if (promised == given) {
      return true;
    }
    const GraphqlType* promised_type = schema_.Find(promised);
    const GraphqlType* given_type = schema_.Find(given);
    return promised_type != nullptr && given_type != nullptr &&
           (std::ranges::find(promised_type->members, given) != promised_type->members.end() ||
            std::ranges::find(given_type->interfaces, promised) != given_type->interfaces.end());
  }

  Problem CheckInterface(const GraphqlType& type, std::string_view name) {
    const std::string subject = std::string(type.name) + " must implement ";
    const GraphqlType* interface = schema_.Find(name);
    if (interface == nullptr) {
      return "Undefined type " + std::string(name);
    }
    if (interface->kind != "INTERFACE") {
      return std::string(name) + " is a non interface type " + std::string(interface->kind);
    }
    for (const Value& wanted : interface->fields) {
      const std::string_view field_name = wanted.GetString({"Name"});
      const Value field = type.Field(field_name);
      if (!field.is_defined()) {
        return "For " + std::string(type.name) + " to implement " + std::string(name) +
               " it must have a field called " + std::string(field_name);
      }
      if (!Covers(wanted.Find("Type"), field.Find("Type"))) {
        return "For " + std::string(type.name) + " to implement " + std::string(name) +
               " the field " + std::string(field_name) + " must have type " +
               GraphqlTypeText(wanted.Find("Type"));
      }
      for (const Value& argument : GraphqlItems(wanted, "Arguments")) {
        const Value own = GraphqlNamed(field, "Arguments", argument.GetString({"Name"}));
        if (!own.is_defined() ||
            GraphqlTypeText(own.Find("Type")) != GraphqlTypeText(argument.Find("Type"))) {
          return "For " + std::string(type.name) + " to implement " + std::string(name) +
                 " the field " + std::string(field_name) + " must have the same arguments";
        }
      }
    }
    for (const std::string_view inherited : interface->interfaces) {
      if (std::ranges::find(type.interfaces, inherited) == type.interfaces.end()) {
        return "Type " + subject + std::string(inherited) + " because it is implemented by " +
               std::string(name);
      }
    }
    return std::nullopt;
  }

  CallContext& context_;
  const GraphqlSchema& schema_;
};

}  // namespace

std::optional<std::string> CheckGraphqlSchema(CallContext& context, const Value& schema) {
  const GraphqlSchema joined = JoinGraphqlSchema(context, schema);
  return SchemaChecker(context, joined).Check();
}

}  // namespace portcullis::builtins
