// GraphQL documents as OPA shows them: objects named after gqlparser's syntax tree ("Operations", "SelectionSet"),
// without positions, comments and what is empty. SOURCE: the GraphQL specification, October 2021.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

enum class GraphqlKind : std::uint8_t {
  kInvalid,
  kEnd,
  kBang,
  kDollar,
  kAmp,
  kParenOpen,
  kParenClose,
  kSpread,
  kColon,
  kEquals,
  kAt,
  kBracketOpen,
  kBracketClose,
  kBraceOpen,
  kBraceClose,
  kPipe,
  kName,
  kInt,
  kFloat,
  kString,
  kBlockString,
};

// A literal's "Kind"; the numbers are gqlparser's.
enum class GraphqlLiteral : std::uint8_t {
  kVariable,
  kInt,
  kFloat,
  kString,
  kBlock,
  kBoolean,
  kNull,
  kEnum,
  kList,
  kObject
};

struct GraphqlToken {
  GraphqlKind kind = GraphqlKind::kEnd;
  std::string value;
  std::uint32_t line = 1;
  std::uint32_t column = 1;  // In runes.

  // As it stands in an error: 'Name "on"', "<EOF>", "}".
  [[nodiscard]] std::string Text() const;
};
[[nodiscard]] std::string_view GraphqlKindText(GraphqlKind kind);

class GraphqlLexer {
 public:
  explicit GraphqlLexer(std::string_view text) : text_(text) {}
  // Comments are skipped. After the end, and after what is no token, the same again.
  GraphqlToken Next();

 private:
  void SkipIgnored();
  void Advance(std::size_t bytes);
  GraphqlToken Number(GraphqlToken token);
  GraphqlToken String(GraphqlToken token);
  GraphqlToken BlockString(GraphqlToken token);
  [[nodiscard]] char At(std::size_t offset) const {
    return at_ + offset < text_.size() ? text_[at_ + offset] : '\0';
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

// The syntax tree of a query or of a schema; undefined after a failure said through `context`.
[[nodiscard]] Value ParseGraphqlQuery(CallContext& context, std::string_view text);
[[nodiscard]] Value ParseGraphqlSchema(CallContext& context, std::string_view text);

// What is wrong with a schema's syntax tree, or nothing: names, kinds of types, interfaces, directives.
[[nodiscard]] std::optional<std::string> CheckGraphqlSchema(CallContext& context,
                                                            const Value& schema);
// What is wrong with a query under a schema that is right, or nothing: operations, fields, arguments, fragments,
// variables, directives and leaves. Whether fields of one name can be merged is not looked at.
[[nodiscard]] std::optional<std::string> CheckGraphqlQuery(CallContext& context,
                                                           const Value& schema, const Value& query);

}  // namespace portcullis::builtins
