// The words of a Go template.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/builtins/unicode.h"

namespace portcullis::builtins {

struct TemplateToken {
  enum class Kind : std::uint8_t {
    kError,
    kBool,
    kChar,
    kCharConstant,
    kComplex,
    kAssign,
    kDeclare,
    kEnd,  // Of the text.
    kField,
    kIdentifier,
    kLeftDelimiter,
    kLeftParen,
    kNumber,
    kPipe,
    kRawString,
    kRightDelimiter,
    kRightParen,
    kSpace,
    kString,
    kText,
    kVariable,
    kDot,
    kKeyword,
    kNil,
  };
  Kind kind = Kind::kEnd;
  std::size_t position = 0;
  std::string value = {};
  int line = 1;
};

// LIFETIME: of the text.
class TemplateLexer {
 public:
  explicit TemplateLexer(std::string_view text) : text_(text) {}
  TemplateToken Next();

 private:
  using Kind = TemplateToken::Kind;

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Accept(std::string_view characters);
  void AcceptRun(std::string_view characters);
  void Ignore();
  TemplateToken Make(Kind kind);
  TemplateToken Fail(std::string message);
  // Whether the text goes on with a right delimiter; `trims` says that it takes the white space after it away.
  [[nodiscard]] bool AtRightDelimiter(bool* trims) const;
  [[nodiscard]] bool AtTerminator() const;
  bool LexComment();  // False where it is not closed; the failure is in failed_.
  TemplateToken LexText();
  TemplateToken LexLeftDelimiter();
  TemplateToken LexRightDelimiter(bool trims);
  TemplateToken LexInside();
  TemplateToken LexSpace();
  TemplateToken LexWord();
  TemplateToken LexName(Kind kind);
  TemplateToken LexNumber();
  TemplateToken LexQuoted(char quote, Kind kind, std::string_view complaint);
  bool ScanNumber();

  std::string_view text_;
  std::size_t start_ = 0;
  std::size_t at_ = 0;
  int line_ = 1;
  int start_line_ = 1;
  int parens_ = 0;
  bool inside_ = false;
  TemplateToken failed_;
};

}  // namespace portcullis::builtins
