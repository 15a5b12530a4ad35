// The parser of Go templates: actions and what they control in go_template_parser.cc, pipelines and their operands in
// go_template_pipeline.cc.

#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/go_template.h"
#include "rules/builtins/go_template_lexer.h"

namespace portcullis::builtins {

// A text as Go's %q writes it.
[[nodiscard]] std::string QuotedInTemplate(std::string_view text);

// Reads one template, once.
class TemplateParser {
 public:
  explicit TemplateParser(std::string_view text) : lexer_(text) { parsed_.text = text; }
  std::expected<ParsedTemplate, std::string> Run();

 private:
  using Kind = TemplateNode::Kind;
  using Owned = TemplateNode::Owned;
  using Token = TemplateToken;

  // Actions and parentheses within each other, beyond which a template is refused: the parser and the renderer recurse.
  static constexpr int kMaxNesting = 500;
  struct Nesting {
    explicit Nesting(int* depth) : depth_(depth) { ++*depth_; }
    ~Nesting() { --*depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    int* depth_;
  };
  [[nodiscard]] bool ok() const { return !error_; }
  static Owned Make(Kind kind, std::size_t position);
  // The first failure stays. Everything after it gives nothing.
  Owned Fail(const std::string& message);
  Owned Unexpected(const Token& token, std::string_view where);
  const Token& Next();
  void BackUp() { ++peeked_; }
  void BackUp2(const Token& before);
  void BackUp3(const Token& second, const Token& first);
  const Token& Peek();
  const Token& NextNonSpace();
  const Token& PeekNonSpace();
  static bool IsKeyword(const Token& token, std::string_view word);
  bool ExpectRightDelimiter(std::string_view where);
  void AddTree(std::string name, Owned root);
  // Inside a definition variables are its own.
  Owned Body(std::string_view where);
  void Define();
  std::optional<std::string> TemplateName(const Token& token, std::string_view where);
  Owned ItemList(Owned* end);
  Owned TextOrAction();
  Owned Action();
  Owned Leave(const Token& word);
  Owned Else();
  Owned Control(Kind kind, std::string_view word);
  Owned Block();
  Owned Call();
  // Reads "$x :=", "$x =" and "$i, $x :=".
  void Declarations(std::string_view where, TemplateNode* pipe);
  Owned Pipeline(std::string_view where, Token::Kind end);
  void CheckPipeline(const TemplateNode& pipe, std::string_view where);
  Owned Command();
  Owned Operand();
  // Nothing where the next word is none.
  Owned Term();
  Owned Number(const Token& token);
  // "2i" or "1+2i".
  Owned Complex(const std::string& text, Owned node);

  TemplateLexer lexer_;
  ParsedTemplate parsed_;
  std::optional<std::string> error_;
  std::array<Token, 3> tokens_;
  std::size_t peeked_ = 0;
  std::vector<std::string> variables_ = {"$"};
  int range_depth_ = 0;
  int action_line_ = 0;  // Where the action that is read began; 0 outside of one.
  int depth_ = 0;
};

}  // namespace portcullis::builtins
