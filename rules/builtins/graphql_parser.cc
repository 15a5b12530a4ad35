#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "rules/builtins/go_format.h"
#include "rules/builtins/graphql.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using Kind = GraphqlKind;
constexpr int kMaxDepth = 500;

class Parser {
 public:
  Parser(CallContext& context, std::string_view text)
      : context_(context), lexer_(text), token_(lexer_.Next()) {}

  Value Query() {
    std::vector<Value> operations;
    std::vector<Value> fragments;
    while (!failed_ && token_.kind != Kind::kEnd) {
      if (token_.kind == Kind::kBraceOpen || IsName("query") || IsName("mutation") ||
          IsName("subscription")) {
        operations.push_back(Operation());
      } else if (IsName("fragment")) {
        fragments.push_back(Fragment());
      } else {
        Unexpected();
      }
    }
    return Finish({{"Operations", List(operations)}, {"Fragments", List(fragments)}});
  }

  Value Schema() {
    std::vector<Value> schemas;
    std::vector<Value> schema_extensions;
    std::vector<Value> directives;
    std::vector<Value> definitions;
    std::vector<Value> extensions;
    while (!failed_ && token_.kind != Kind::kEnd) {
      const GraphqlToken described = token_;
      const std::string description = Description();
      if (token_.kind != Kind::kName) {
        Unexpected();
      } else if (IsTypeKeyword()) {
        definitions.push_back(TypeDefinition(description, Extends::kNo));
      } else if (IsName("schema")) {
        schemas.push_back(SchemaDefinition(description, Extends::kNo));
      } else if (IsName("directive")) {
        directives.push_back(DirectiveDefinition(description));
      } else if (IsName("extend")) {
        if (!description.empty()) {
          Unexpected(described);
          break;
        }
        Next();
        if (IsName("schema")) {
          schema_extensions.push_back(SchemaDefinition("", Extends::kYes));
        } else if (IsTypeKeyword()) {
          extensions.push_back(TypeDefinition("", Extends::kYes));
        } else {
          Unexpected();
        }
      } else {
        Unexpected();
      }
    }
    return Finish({{"Schema", List(schemas)},
                   {"SchemaExtension", List(schema_extensions)},
                   {"Directives", List(directives)},
                   {"Definitions", List(definitions)},
                   {"Extensions", List(extensions)}});
  }

 private:
  enum class Extends : std::uint8_t { kNo, kYes };
  enum class Constant : std::uint8_t { kNo, kYes };

  // --- Tokens.

  void Next() {
    if (context_.ShouldHalt()) {
      failed_ = true;
    }
    if (failed_) {
      return;
    }
    if (token_.kind == Kind::kInvalid) {
      return Unexpected();
    }
    token_ = lexer_.Next();
  }
  void Error(const GraphqlToken& at, const std::string& message) {
    if (failed_) {
      return;
    }
    failed_ = true;
    context_.Fail(message + " in GraphQL string at location " + std::to_string(at.line) + ":" +
                  std::to_string(at.column));
  }
  void Unexpected(const GraphqlToken& token) { Error(token, "Unexpected " + token.Text()); }
  void Unexpected() { Unexpected(token_); }
  [[nodiscard]] bool IsName(std::string_view name) const {
    return token_.kind == Kind::kName && token_.value == name;
  }
  bool Skip(Kind kind) {
    if (failed_ || token_.kind != kind) {
      return false;
    }
    Next();
    return true;
  }
  std::string Expect(Kind kind) {
    if (token_.kind != kind) {
      Error(token_, "Expected " + std::string(GraphqlKindText(kind)) + ", found " +
                        std::string(GraphqlKindText(token_.kind)));
      return {};
    }
    std::string value = token_.value;
    Next();
    return value;
  }
  void Keyword(std::string_view name) {
    if (IsName(name)) {
      return Next();
    }
    std::string message = "Expected ";
    AppendGoQuoted(name, &message);
    Error(token_, message + ", found " + token_.Text());
  }

  // `item()` between two brackets; none at all where the first one is missing, at least one where it is not.
  template <class Item>
  std::vector<Value> Some(Kind open, Kind close, Item item) {
    std::vector<Value> items;
    if (!Skip(open)) {
      return items;
    }
    while (!failed_ && token_.kind != close) {
      items.push_back(item());
    }
    if (items.empty()) {
      Error(token_,
            "expected at least one definition, found " + std::string(GraphqlKindText(token_.kind)));
    }
    Next();
    return items;
  }

  // --- Values.

  Value Text(std::string_view text) { return MakeString(context_, text); }
  Value List(const std::vector<Value>& items) {
    const std::span<Value> copy = context_.arena.AllocateArray<Value>(items.size());
    std::ranges::copy(items, copy.begin());
    return Value::Array(copy);
  }
  // Without undefined members and empty lists.
  Value Node(std::initializer_list<std::pair<std::string_view, Value>> members) {
    document::ObjectBuilder object(context_.arena);
    for (const auto& [name, value] : members) {
      if (!value.is_defined() || (value.is_array() && value.size() == 0)) {
        continue;
      }
      object.Add(name, value);
    }
    return object.Finish();
  }
  Value Finish(std::initializer_list<std::pair<std::string_view, Value>> members) {
    return failed_ ? Value() : Node(members);
  }

  // Counts how deeply things lie within each other.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) {
        parser_.Error(parser_.token_, "nested too deeply");
      }
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  // --- Queries.

  Value Operation() {
    if (token_.kind == Kind::kBraceOpen) {
      return Node(
          {{"Operation", Text("query")}, {"Name", Text("")}, {"SelectionSet", SelectionSet()}});
    }
    const Value operation = Text(token_.value);
    Next();
    const Value name = Text(token_.kind == Kind::kName ? Expect(Kind::kName) : "");
    const Value variables = VariableDefinitions();
    const Value directives = Directives(Constant::kNo);
    return Node({{"Operation", operation},
                 {"Name", name},
                 {"VariableDefinitions", variables},
                 {"Directives", directives},
                 {"SelectionSet", SelectionSet()}});
  }

  Value VariableDefinitions() {
    return List(Some(Kind::kParenOpen, Kind::kParenClose, [&] {
      Expect(Kind::kDollar);
      const Value name = Text(Expect(Kind::kName));
      Expect(Kind::kColon);
      const Value type = Type();
      const Value initial = Skip(Kind::kEquals) ? Literal(Constant::kYes) : Value();
      return Node({{"Variable", name},
                   {"Type", type},
                   {"DefaultValue", initial},
                   {"Directives", Directives(Constant::kNo)},
                   {"Used", Value::Boolean(false)}});
    }));
  }

  Value SelectionSet() {
    const Level level(*this);
    if (token_.kind != Kind::kBraceOpen) {
      Error(token_, "Expected {, found " + std::string(GraphqlKindText(token_.kind)));
      return {};
    }
    return List(Some(Kind::kBraceOpen, Kind::kBraceClose,
                     [&] { return token_.kind == Kind::kSpread ? Spread() : Field(); }));
  }

  Value Field() {
    const std::string alias = Expect(Kind::kName);
    const std::string name = Skip(Kind::kColon) ? Expect(Kind::kName) : alias;
    const Value arguments = ArgumentList(Constant::kNo);
    const Value directives = Directives(Constant::kNo);
    return Node({{"Alias", Text(alias)},
                 {"Name", Text(name)},
                 {"Arguments", arguments},
                 {"Directives", directives},
                 {"SelectionSet", token_.kind == Kind::kBraceOpen ? SelectionSet() : Value()}});
  }

  Value Spread() {
    Expect(Kind::kSpread);
    if (token_.kind == Kind::kName && token_.value != "on") {
      const Value name = Text(Expect(Kind::kName));
      return Node({{"Name", name}, {"Directives", Directives(Constant::kNo)}});
    }
    std::string condition;
    if (IsName("on")) {
      Next();
      condition = Expect(Kind::kName);
    }
    const Value directives = Directives(Constant::kNo);
    return Node({{"TypeCondition", Text(condition)},
                 {"Directives", directives},
                 {"SelectionSet", SelectionSet()}});
  }

  Value Fragment() {
    Keyword("fragment");
    if (IsName("on")) {
      Unexpected();
    }
    const Value name = Text(Expect(Kind::kName));
    const Value variables = VariableDefinitions();
    Keyword("on");
    const Value condition = Text(Expect(Kind::kName));
    const Value directives = Directives(Constant::kNo);
    return Node({{"Name", name},
                 {"VariableDefinition", variables},
                 {"TypeCondition", condition},
                 {"Directives", directives},
                 {"SelectionSet", SelectionSet()}});
  }

  // --- What queries and schemas share.

  Value ArgumentList(Constant constant) {
    return List(Some(Kind::kParenOpen, Kind::kParenClose, [&] { return NamedLiteral(constant); }));
  }
  Value NamedLiteral(Constant constant) {
    const Value name = Text(Expect(Kind::kName));
    Expect(Kind::kColon);
    return Node({{"Name", name}, {"Value", Literal(constant)}});
  }

  Value Directives(Constant constant) {
    std::vector<Value> directives;
    while (Skip(Kind::kAt)) {
      const Value name = Text(Expect(Kind::kName));
      directives.push_back(
          Node({{"Name", name}, {"Arguments", ArgumentList(constant)}, {"Location", Text("")}}));
    }
    return List(directives);
  }

  Value Type() {
    const Level level(*this);
    Value element;
    std::string name;
    if (Skip(Kind::kBracketOpen)) {
      if (!failed_) {
        element = Type();
      }
      Expect(Kind::kBracketClose);
    } else {
      name = Expect(Kind::kName);
    }
    return Node({{"NamedType", Text(name)},
                 {"Elem", element},
                 {"NonNull", Value::Boolean(Skip(Kind::kBang))}});
  }

  using Form = GraphqlLiteral;
  Value LiteralNode(Form form, std::string_view raw, const std::vector<Value>& children) {
    return Node({{"Kind", Value::Int(std::to_underlying(form))},
                 {"Raw", Text(raw)},
                 {"Children", List(children)},
                 {"ExpectedTypeHasDefault", Value::Boolean(false)}});
  }
  Value Literal(Constant constant) {
    const Level level(*this);
    if (failed_) {
      return {};
    }
    const std::string raw = token_.value;
    std::vector<Value> children;
    switch (token_.kind) {
      case Kind::kBracketOpen:
        Next();
        while (!failed_ && token_.kind != Kind::kBracketClose) {
          children.push_back(Node({{"Name", Text("")}, {"Value", Literal(constant)}}));
        }
        Next();
        return LiteralNode(Form::kList, "", children);
      case Kind::kBraceOpen:
        Next();
        while (!failed_ && token_.kind != Kind::kBraceClose) {
          children.push_back(NamedLiteral(constant));
        }
        Next();
        return LiteralNode(Form::kObject, "", children);
      case Kind::kDollar:
        if (constant == Constant::kYes) {
          break;
        }
        Next();
        return LiteralNode(Form::kVariable, Expect(Kind::kName), {});
      case Kind::kInt:
        Next();
        return LiteralNode(Form::kInt, raw, {});
      case Kind::kFloat:
        Next();
        return LiteralNode(Form::kFloat, raw, {});
      case Kind::kString:
        Next();
        return LiteralNode(Form::kString, raw, {});
      case Kind::kBlockString:
        Next();
        return LiteralNode(Form::kBlock, raw, {});
      case Kind::kName:
        Next();
        return LiteralNode(raw == "true" || raw == "false" ? Form::kBoolean
                           : raw == "null"                 ? Form::kNull
                                                           : Form::kEnum,
                           raw, {});
      default:
        break;
    }
    Unexpected();
    return {};
  }

  // --- Schemas.

  std::string Description() {
    if (token_.kind != Kind::kString && token_.kind != Kind::kBlockString) {
      return {};
    }
    std::string text = token_.value;
    Next();
    return text;
  }

  [[nodiscard]] bool IsTypeKeyword() const {
    return IsName("scalar") || IsName("type") || IsName("interface") || IsName("union") ||
           IsName("enum") || IsName("input");
  }

  Value SchemaDefinition(const std::string& description, Extends extends) {
    Keyword("schema");
    const Value directives = Directives(Constant::kYes);
    const Value types = List(Some(Kind::kBraceOpen, Kind::kBraceClose, [&] {
      if (!IsName("query") && !IsName("mutation") && !IsName("subscription")) {
        Unexpected();
      }
      const Value operation = Text(token_.value);
      Next();
      Expect(Kind::kColon);
      return Node({{"Operation", operation}, {"Type", Text(Expect(Kind::kName))}});
    }));
    if (extends == Extends::kYes && directives.size() == 0 && types.size() == 0) {
      Unexpected();
    }
    return Node({{"Description", Text(description)},
                 {"Directives", directives},
                 {"OperationTypes", types}});
  }

  Value ImplementedInterfaces() {
    std::vector<Value> names;
    if (!IsName("implements")) {
      return List(names);
    }
    Next();
    Skip(Kind::kAmp);
    do {
      names.push_back(Text(Expect(Kind::kName)));
    } while (Skip(Kind::kAmp));
    return List(names);
  }

  Value UnionTypes() {
    std::vector<Value> names;
    if (!Skip(Kind::kEquals)) {
      return List(names);
    }
    Skip(Kind::kPipe);
    do {
      names.push_back(Text(Expect(Kind::kName)));
    } while (Skip(Kind::kPipe));
    return List(names);
  }

  // Of a field of an input object, and of an argument.
  Value InputValue() {
    const Value description = Text(Description());
    const Value name = Text(Expect(Kind::kName));
    Expect(Kind::kColon);
    const Value type = Type();
    const Value initial = Skip(Kind::kEquals) ? Literal(Constant::kYes) : Value();
    return Node({{"Description", description},
                 {"Name", name},
                 {"Type", type},
                 {"DefaultValue", initial},
                 {"Directives", Directives(Constant::kYes)}});
  }
  Value ArgumentDefinitions() {
    return List(Some(Kind::kParenOpen, Kind::kParenClose, [&] { return InputValue(); }));
  }
  Value FieldDefinition() {
    const Value description = Text(Description());
    const Value name = Text(Expect(Kind::kName));
    const Value arguments = ArgumentDefinitions();
    Expect(Kind::kColon);
    const Value type = Type();
    return Node({{"Description", description},
                 {"Name", name},
                 {"Arguments", arguments},
                 {"Type", type},
                 {"Directives", Directives(Constant::kYes)}});
  }
  Value EnumValue() {
    const Value description = Text(Description());
    const Value name = Text(Expect(Kind::kName));
    return Node(
        {{"Description", description}, {"Name", name}, {"Directives", Directives(Constant::kYes)}});
  }

  Value TypeDefinition(const std::string& description, Extends extends) {
    const std::string keyword = Expect(Kind::kName);
    const Value name = Text(Expect(Kind::kName));
    const bool composite = keyword == "type" || keyword == "interface";
    const Value interfaces = composite ? ImplementedInterfaces() : Value();
    const Value directives = Directives(Constant::kYes);
    Value fields;
    Value types;
    Value values;
    if (composite) {
      fields = List(Some(Kind::kBraceOpen, Kind::kBraceClose, [&] { return FieldDefinition(); }));
    } else if (keyword == "input") {
      fields = List(Some(Kind::kBraceOpen, Kind::kBraceClose, [&] { return InputValue(); }));
    } else if (keyword == "union") {
      types = UnionTypes();
    } else if (keyword == "enum") {
      values = List(Some(Kind::kBraceOpen, Kind::kBraceClose, [&] { return EnumValue(); }));
    }
    if (extends == Extends::kYes &&
        interfaces.size() + directives.size() + fields.size() + types.size() + values.size() == 0) {
      Unexpected();
    }
    constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
        {"scalar", "SCALAR"}, {"type", "OBJECT"}, {"interface", "INTERFACE"},
        {"union", "UNION"},   {"enum", "ENUM"},   {"input", "INPUT_OBJECT"}};
    const auto kind =
        std::ranges::find(kKinds, keyword, &std::pair<std::string_view, std::string_view>::first);
    return Node({{"Kind", Value::String(kind == std::end(kKinds) ? "" : kind->second)},
                 {"Description", Text(description)},
                 {"Name", name},
                 {"Interfaces", interfaces},
                 {"Directives", directives},
                 {"Fields", fields},
                 {"Types", types},
                 {"EnumValues", values},
                 {"BuiltIn", Value::Boolean(false)}});
  }

  Value DirectiveDefinition(const std::string& description) {
    constexpr std::string_view kLocations[] = {"QUERY",
                                               "MUTATION",
                                               "SUBSCRIPTION",
                                               "FIELD",
                                               "FRAGMENT_DEFINITION",
                                               "FRAGMENT_SPREAD",
                                               "INLINE_FRAGMENT",
                                               "VARIABLE_DEFINITION",
                                               "SCHEMA",
                                               "SCALAR",
                                               "OBJECT",
                                               "FIELD_DEFINITION",
                                               "ARGUMENT_DEFINITION",
                                               "INTERFACE",
                                               "UNION",
                                               "ENUM",
                                               "ENUM_VALUE",
                                               "INPUT_OBJECT",
                                               "INPUT_FIELD_DEFINITION"};
    Keyword("directive");
    Expect(Kind::kAt);
    const Value name = Text(Expect(Kind::kName));
    const Value arguments = ArgumentDefinitions();
    const bool repeatable = IsName("repeatable");
    if (repeatable) {
      Next();
    }
    Keyword("on");
    Skip(Kind::kPipe);
    std::vector<Value> locations;
    do {
      const GraphqlToken token = token_;
      const std::string location = Expect(Kind::kName);
      if (std::ranges::find(kLocations, location) == std::end(kLocations)) {
        Unexpected(token);
      }
      locations.push_back(Text(location));
    } while (Skip(Kind::kPipe));
    return Node({{"Description", Text(description)},
                 {"Name", name},
                 {"Arguments", arguments},
                 {"Locations", List(locations)},
                 {"IsRepeatable", Value::Boolean(repeatable)}});
  }

  CallContext& context_;
  GraphqlLexer lexer_;
  GraphqlToken token_;
  bool failed_ = false;
  int depth_ = 0;
};

}  // namespace

Value ParseGraphqlQuery(CallContext& context, std::string_view text) {
  return Parser(context, text).Query();
}
Value ParseGraphqlSchema(CallContext& context, std::string_view text) {
  return Parser(context, text).Schema();
}

}  // namespace portcullis::builtins
